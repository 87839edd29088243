import { describe, expect, it } from 'vitest'
import { type SessionId, sessionId } from '../../src/host/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { Recorder } from '../../src/node/recording.ts'
import type { TimelineEvent, TimelineHead } from '../../src/store/index.ts'

function recorded() {
  const host = simulatedHost(1)
  const events: TimelineEvent[] = []
  const heads = new Map<string, TimelineHead>()
  const ended: string[] = []
  const allow = { persistent: true }
  const traced: (readonly TimelineEvent[])[] = []
  const recorder = new Recorder({
    traced: (steps) => traced.push(steps),
    timeline: {
      begin: (head) => void heads.set(head.session, head),
      append: (event) => void events.push(event),
      end: (session) => {
        ended.push(session)
        heads.delete(session)
      },
      left: (session) => void heads.delete(session),
    },
    clock: host.clock,
    random: host.random,
    tier: 'balanced',
    allowed: (agreed) => (agreed.person === 'withdrew' || !allow.persistent ? { scope: 'session' } : agreed),
    permissions: (skill) => (skill === 'timer' ? ['storage'] : undefined),
  })
  const refOf = (session: string) => ({ address: `loqa:/session/${session}` as never, incarnation: 1 })
  const step = (session: SessionId, kind: string, body: Record<string, unknown>) =>
    recorder.step({ session, kind, body }, refOf(session))
  const begin = (name: string, more: Record<string, unknown> = {}) => {
    const session = sessionId(name)
    step(session, 'session.began', { room: 'kitchen', scope: 'session', ...more })
    return session
  }
  return { recorder, events, heads, ended, traced, step, begin, refOf, allow }
}

describe('what is noted down', () => {
  it('stands under an envelope: whose, by whom, in which scope and tier; one trace for each turn', () => {
    const { events, heads, step, begin } = recorded()
    const session = begin('s', { scope: 'ephemeral', person: 'anna' })
    for (const turn of [1, 2]) {
      step(session, 'turn.began', { turn })
      step(session, 'turn.ended', { turn, end: 'done' })
    }
    expect(heads.get('s')).toMatchObject({ scope: 'ephemeral', person: 'anna', room: 'kitchen' })
    expect(events).toHaveLength(5)
    for (const event of events) {
      expect(event).toMatchObject({
        session_id: 's',
        actor_id: 'loqa:/session/s',
        capability_tier: 'balanced',
        privacy_scope: 'ephemeral',
      })
      expect(event.trace_id).toMatch(/^[0-9a-f]{32}$/)
    }
    const traces = events.map(({ trace_id }) => trace_id)
    expect(traces[1]).toBe(traces[2])
    expect(traces[3]).toBe(traces[4])
    expect(new Set(traces).size).toBe(3)
  })

  it('is told for tracing turn by turn, once it has ended, and nothing of what is ephemeral', () => {
    const { step, begin, traced } = recorded()
    for (const session of [begin('secret', { scope: 'ephemeral' }), begin('s')]) {
      for (const kind of ['turn.began', 'stt.text', 'turn.ended', 'turn.began']) step(session, kind, {})
    }
    expect(traced.map((steps) => steps.map(({ kind, session_id }) => `${session_id} ${kind}`))).toEqual([
      ['s turn.began', 's stt.text', 's turn.ended'],
    ])
  })

  it('is kept as is allowed now: a restarted conversation brings what was agreed before', () => {
    const { events, heads, begin } = recorded()
    begin('s', { scope: 'persistent', person: 'withdrew' })
    expect(heads.get('s')).toMatchObject({ scope: 'session', person: undefined })
    expect(events[0]?.privacy_scope).toBe('session')
  })

  it('follows a consent that is given or withdrawn while the conversation goes on, from the next turn on', () => {
    const { heads, step, begin, allow } = recorded()
    const session = begin('s', { scope: 'persistent', person: 'anna' })
    expect(heads.get('s')).toMatchObject({ scope: 'persistent', person: 'anna' })
    allow.persistent = false
    step(session, 'turn.began', { turn: 1 })
    expect(heads.get('s')?.scope).toBe('session')
    allow.persistent = true
    step(session, 'turn.began', { turn: 2 })
    expect(heads.get('s')).toMatchObject({ scope: 'persistent', person: 'anna' })
  })

  it('says which engine did it and where, for the turn it did it in', () => {
    const { recorder, events, step, begin, refOf } = recorded()
    const session = begin('s')
    const other = begin('other')
    step(session, 'turn.began', { turn: 1 })
    recorder.engine('stt', { model: 'stt.sherpa:x', node: 'attic' }, refOf('s'))
    recorder.engine('stt', { model: 'stt.whisper:y', node: 'cellar' }, refOf('other'))
    step(session, 'stt.text', { turn: 1, text: 'words' })
    step(session, 'turn.replied', { turn: 1 })
    step(session, 'turn.began', { turn: 2 })
    step(session, 'stt.text', { turn: 2, text: 'from nowhere' })
    step(other, 'stt.text', { turn: 1, text: 'words' })
    const engines = events.filter(({ kind }) => kind === 'stt.text').map(({ body }) => body.engine)
    expect(engines).toEqual([
      { model: 'stt.sherpa:x', node: 'attic' },
      undefined,
      { model: 'stt.whisper:y', node: 'cellar' },
    ])
    expect(events.find(({ kind }) => kind === 'turn.replied')?.body).toEqual({ turn: 1 })
  })

  it('says what an asked skill was allowed, where it is known here', () => {
    const { events, step, begin } = recorded()
    const session = begin('s')
    step(session, 'skill.result', { turn: 1, skill: 'timer' })
    step(session, 'skill.result', { turn: 1, skill: 'elsewhere' })
    step(session, 'skill.result', { turn: 1 })
    expect(events.slice(1).map(({ body }) => body.permissions)).toEqual([['storage'], undefined, undefined])
  })

  it('ends with its conversation, also when that is gone without a word', () => {
    const { recorder, events, ended, step, begin } = recorded()
    const [one, two] = [begin('one'), begin('two')]
    recorder.ended('one')
    step(one, 'turn.began', { turn: 1 })
    expect(events).toHaveLength(2)
    recorder.sweep((session) => session === 'two')
    expect(ended).toEqual(['one'])
    recorder.sweep(() => false)
    expect(ended).toEqual(['one', 'two'])
    step(two, 'turn.began', { turn: 1 })
    expect(events).toHaveLength(2)
  })
})
