import { describe, expect, it } from 'vitest'
import { type RecordedStep, replay } from '../../src/voice/replay.ts'
import { Stage, say, turnOptions } from './stage.ts'

/** A timer by voice: asked for, set, said. */
function timerTurn(): readonly RecordedStep[] {
  const words = say('set a timer for five minutes', 0)
  const stage = new Stage({ words })
  stage.attach()
  stage.hear(words.at(-1)!.end_ms + 4_000)
  return stage.steps
}

const changed = (
  steps: readonly RecordedStep[],
  kind: string,
  body: Readonly<Record<string, unknown>>,
): readonly RecordedStep[] =>
  steps.map((step) => (step.kind === kind ? { ...step, body: { ...step.body, ...body } } : step))

describe('the timeline of a turn', () => {
  it('tells each step: what was heard, what it was taken for, who was asked, what was said', () => {
    const steps = timerTurn()
    expect(steps.map(({ kind }) => kind)).toEqual([
      'session.began',
      'turn.began',
      'turn.endpoint',
      'stt.text',
      'turn.decided',
      'skill.result',
      'turn.replied',
      'tts.began',
      'turn.ended',
    ])
    const bodyOf = (kind: string) => steps.find((step) => step.kind === kind)?.body
    expect(bodyOf('turn.endpoint')).toMatchObject({ cause: 'pause', text: 'set a timer for five minutes' })
    expect(bodyOf('turn.decided')).toMatchObject({
      by: 'grammar',
      decision: 'act',
      skill: 'timer',
      intent: { name: 'timer.set', slots: { duration: 300 } },
    })
    expect(bodyOf('skill.result')).toMatchObject({ skill: 'timer', result: { speech: 'Done: timer.set.' } })
    expect(bodyOf('turn.ended')).toMatchObject({ end: 'done' })
    expect(steps.every((step, i) => i === 0 || step.at_ms >= steps[i - 1]!.at_ms)).toBe(true)
  })
})

describe('a replay', () => {
  it('comes to the same decisions', () => {
    expect(replay(timerTurn(), turnOptions())).toEqual({ same: true, turns: 1, decisions: 3 })
  })

  it('names the step that is decided otherwise now: other words', () => {
    const steps = changed(timerTurn(), 'stt.text', { text: 'set a timer for six minutes' })
    expect(replay(steps, turnOptions())).toMatchObject({
      same: false,
      difference: {
        turn: 1,
        step: 4,
        recorded: { kind: 'turn.decided', body: { intent: { slots: { duration: 300 } } } },
        replayed: { kind: 'turn.decided', body: { intent: { slots: { duration: 360 } } } },
      },
    })
  })

  it('names the pause that would not end the turn now', () => {
    const steps = changed(timerTurn(), 'turn.endpoint', { silence_ms: 60 })
    expect(replay(steps, turnOptions())).toMatchObject({
      same: false,
      difference: { step: 2, replayed: { body: { reason: 'goes on listening' } } },
    })
  })

  it('names a reply that would not be given, and a skill that would not be asked', () => {
    const otherReply = changed(timerTurn(), 'turn.replied', { speech: 'Something else.' })
    expect(replay(otherReply, turnOptions())).toMatchObject({ difference: { step: 6 } })
    const understanding = { ...turnOptions().understanding, skillFor: () => undefined }
    expect(replay(timerTurn(), { ...turnOptions(), understanding })).toMatchObject({
      difference: {
        step: 4,
        recorded: { body: { decision: 'act' } },
        replayed: { body: { decision: 'say' } },
      },
    })
  })

  it('names a decision that nobody made then', () => {
    const steps = timerTurn().filter(({ kind }) => kind !== 'turn.replied')
    expect(replay(steps, turnOptions())).toMatchObject({
      difference: { recorded: null, replayed: { kind: 'turn.replied' } },
    })
  })

  it('passes over what is left of a turn whose beginning was dropped, and needs no turn before', () => {
    const stage = new Stage()
    stage.ask('set a timer')
    stage.advance(100)
    stage.ask('five minutes')
    stage.advance(100)
    const second = stage.steps.findLastIndex(({ kind }) => kind === 'turn.began')
    const verdict = replay(stage.steps.slice(second - 2), turnOptions())
    expect(verdict).toEqual({ same: true, turns: 1, decisions: 2 })
    expect(stage.steps[second]?.body.context).toMatchObject({ expecting: { kind: 'slot', slot: 'duration' } })
  })
})
