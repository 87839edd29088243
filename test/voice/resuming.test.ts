/** An answer that was not heard to its end goes on where it was, at the same node or from its head at another one, and is said once. */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/actors/index.ts'
import { sessionId, wall } from '../../src/host/index.ts'
import type { SessionHead } from '../../src/voice/messages.ts'
import { replay } from '../../src/voice/replay.ts'
import { sessionBehavior } from '../../src/voice/session.ts'
import { SATELLITE, Stage, say, turnOptions } from './stage.ts'

const SPEECH = 'There is milk on the list. There is bread on the list. There is honey on the list.'
const LENGTH =
  'There is milk on the list.'.length * 960 + 'There is bread on the list.'.length * 960 * 2 + 960

const asked = () => {
  const words = say('what is on the shopping list', 300)
  const stage = new Stage({ words, skill: () => ({ type: 'skill.result', speech: SPEECH }) })
  stage.attach()
  stage.hear(words.at(-1)!.end_ms + 20)
  return stage
}

const until = (stage: Stage, phase: string): void => {
  for (let i = 0; i < 500 && stage.phase !== phase; i += 1) stage.frame()
  expect(stage.phase).toBe(phase)
}
const played = (stage: Stage): number => stage.played.reduce((sum, { samples }) => sum + samples, 0)
const events = (stage: Stage, type: string) => stage.events.filter((event) => event.type === type)
const heads = (stage: Stage) =>
  stage.published.filter((message): message is SessionHead => message.type === 'session.head')

const back = (stage: Stage, turn: number, samples: number | null): void =>
  stage.tell({ type: 'session.attach', satellite: SATELLITE, room: 'kitchen', heard: { turn, samples } })

describe('a satellite that lost its node and is back', () => {
  it('gets the rest of the answer, from the sample it names', () => {
    const stage = asked()
    until(stage, 'playing')
    const whole = played(stage)
    stage.tell({ type: 'session.detach', satellite: SATELLITE })
    expect(stage.phase).toBe('idle')
    back(stage, 1, 30_000)
    expect(events(stage, 'resumed')).toEqual([{ type: 'resumed', turn: 1 }])
    until(stage, 'playing')
    expect(played(stage) - whole).toBe(whole - 30_000)
    expect(events(stage, 'reply')).toMatchObject([
      { type: 'reply', turn: 1, from: 0 },
      { type: 'reply', turn: 1, from: 30_000 },
    ])
    expect(whole).toBeGreaterThan(LENGTH * 0.9)
    expect(stage.invoked).toHaveLength(1)
    expect(replay(stage.steps, turnOptions()).same).toBe(true)
  })

  it('gets nothing of an answer it has, and nothing when somebody else spoke meanwhile', () => {
    const stage = asked()
    until(stage, 'playing')
    const whole = played(stage)
    stage.tell({ type: 'session.detach', satellite: SATELLITE })
    back(stage, 1, null)
    expect(events(stage, 'resumed')).toEqual([{ type: 'resumed', turn: null }])
    stage.tell({ type: 'session.detach', satellite: SATELLITE })
    stage.ask('what time is it')
    stage.advance(3_000)
    back(stage, 1, 100)
    expect(events(stage, 'resumed').at(-1)).toEqual({ type: 'resumed', turn: null })
    expect(played(stage)).toBe(whole)
  })

  it('after half a minute it is another conversation', () => {
    const stage = asked()
    until(stage, 'playing')
    stage.tell({ type: 'session.detach', satellite: SATELLITE })
    stage.advance(31_000)
    back(stage, 1, 100)
    expect(events(stage, 'resumed')).toEqual([{ type: 'resumed', turn: null }])
  })
})

describe('a conversation whose node is gone', () => {
  const elsewhere = (talk: unknown) => {
    const behavior = sessionBehavior({ ...turnOptions(), idle_ms: 300_000 })
    const context: Context = {
      ...{ self: { address: 'loqa:/session/s' as never, incarnation: 1 }, now: 5 as never, wall: wall(0) },
      ...{ entropy: 0, replyTo: undefined, deadline_ms: undefined, sender: undefined },
    }
    return { behavior, state: behavior.restore!(talk, context).state, context }
  }

  it('has a head once a skill is asked, with each sentence, and when the turn is over', () => {
    const stage = asked()
    until(stage, 'playing')
    const told = heads(stage).map(({ talk: { under_way } }) => [
      under_way?.reply != null,
      under_way?.ends.length,
    ])
    expect(told).toEqual([
      [false, 0],
      [true, 0],
      [true, 1],
      [true, 2],
      [true, 3],
    ])
    stage.advance(60_000)
    expect(heads(stage).at(-1)?.talk.under_way).toBeNull()
    expect(heads(stage).at(-1)?.talk.last?.name).toBe('list.read')
  })

  it.each([
    ['while the skill is asked', (heard: SessionHead) => heard.talk.under_way?.reply === null, 'ask'],
    ['while it is being said', ({ talk }: SessionHead) => talk.under_way?.ends.length === 1, 'infer'],
  ] as const)('goes on from it %s', (_, which, effect) => {
    const stage = asked()
    until(stage, 'playing')
    const { talk } = heads(stage).find(which)!
    const { behavior, state, context } = elsewhere(structuredClone(talk))
    const attach = { satellite: 'x', room: 'kitchen', heard: { turn: 0, samples: null } }
    const { state: on, effects } = behavior.receive(state, { type: 'session.attach', ...attach }, context)
    expect(on.turn.turns).toBe(1)
    expect(effects.some(({ type }) => type === effect)).toBe(true)
    expect(effects).toContainEqual(
      expect.objectContaining({ op: 'event', body: { type: 'resumed', turn: 1 } }),
    )
  })

  it('leaves none when it is ephemeral', () => {
    const behavior = sessionBehavior({ ...turnOptions(), idle_ms: 300_000 })
    const stage = asked()
    until(stage, 'playing')
    const { context } = elsewhere(heads(stage)[0]!.talk)
    const begun = behavior.start({ id: sessionId('s'), room: 'hall', scope: 'ephemeral' }, context)
    const replyTo = { actor: undefined, id: 1 }
    const answered = behavior.receive(
      begun.state,
      { type: 'turn.ask', text: 'never mind' },
      { ...context, replyTo },
    )
    expect(answered.state.turn.turns).toBe(1)
    expect(answered.effects.some((each) => each.type === 'publish' && each.topic === 'session.head')).toBe(
      false,
    )
  })
})
