/** The registrar knows the sessions of its node, from their first phase to their end, however they end. */
import { expect, test } from 'vitest'
import type { Context, Message, ReplyTo } from '../../src/actors/index.ts'
import { createSimulation } from '../../src/actors/simulate.ts'
import { sessionId, wall } from '../../src/host/index.ts'
import { SESSIONS_ASKED, sessionsFromAfar } from '../../src/voice/afar.ts'
import { isListing, registrar } from '../../src/voice/registrar.ts'
import { probe } from '../actors/probe.ts'

const REPLY = { actor: undefined, id: 1 } as unknown as ReplyTo
const context = (replyTo?: ReplyTo) => ({ replyTo }) as unknown as Context
const phase = (session: string, name: string): Message =>
  ({
    type: 'session.phase',
    session: sessionId(session),
    room: 'hall',
    phase: name,
    started_at: wall(5),
  }) as Message

function registrarAfter(...messages: readonly Message[]) {
  let { state, effects } = registrar.start(undefined, context())
  const all = [...effects]
  for (const message of messages) {
    ;({ state, effects } = registrar.receive(state, message as never, context()))
    all.push(...effects)
  }
  const { effects: said } = registrar.receive(state, SESSIONS_ASKED as never, context(REPLY))
  const [reply] = said
  return {
    effects: all,
    rows: reply?.type === 'reply' ? sessionsFromAfar(reply.message) : undefined,
  }
}

test('tells of each session its room, phase and start, as a check of what comes from afar accepts it', () => {
  const { rows } = registrarAfter(phase('one', 'idle'), phase('two', 'idle'), phase('one', 'listening'))
  expect(rows).toEqual([
    { id: 'one', room: 'hall', phase: 'listening', started_at: 5 },
    { id: 'two', room: 'hall', phase: 'idle', started_at: 5 },
  ])
})

test('a session that ended is not in the list, nor is one whose name is that of something else', () => {
  expect(registrarAfter(phase('one', 'idle'), phase('one', 'ended')).rows).toEqual([])
  for (const name of ['__proto__', 'constructor']) {
    expect(registrarAfter(phase(name, 'idle')).rows).toHaveLength(1)
  }
})

test('watches every session once, so that one that is killed is gone from the list', async () => {
  const { effects } = registrarAfter(phase('one', 'idle'), phase('one', 'listening'))
  expect(effects.filter(({ type }) => type === 'watch')).toHaveLength(1)

  const { runtime, advance } = createSimulation({
    seed: 1,
    behaviors: { registrar, session: { ...probe, kind: 'session' } as never },
  })
  const desk = runtime.spawn({ kind: 'registrar', path: 'registrar' })
  runtime.spawn({ kind: 'session', key: 'one' })
  advance(5)
  runtime.publish('session.phase', phase('one', 'idle'))
  const rows = async () => {
    const answer = runtime.ask(desk, SESSIONS_ASKED, { deadline_ms: 100 })
    advance(10)
    return sessionsFromAfar(await answer)
  }
  expect(await rows()).toHaveLength(1)
  runtime.stop('loqa:/session/one' as never, { kill: true })
  advance(10)
  expect(await rows()).toEqual([])
})

test('other nodes may ask it for the list, and nothing else', () => {
  expect(isListing(SESSIONS_ASKED)).toBe(true)
  expect(isListing(phase('one', 'ended'))).toBe(false)
})
