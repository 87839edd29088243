import { expect, test } from 'vitest'
import { type Activity, forgetAfterSilence, hear, SILENT } from '../../src/voice/activity.ts'

/** Plays verdicts ('#' voiced, '.' not) and tells the frames at which speech started, and the last state. */
function play(verdicts: string): { starts: number[]; last: Activity } {
  const starts: number[] = []
  let last = SILENT
  for (const [index, verdict] of [...verdicts].entries()) {
    const next = hear(last, verdict === '#')
    if (next.started) starts.push(index)
    last = next.activity
  }
  return { starts, last }
}

test.each([
  ['four voiced frames start speech', '..####', [5]],
  ['a click does not', '..##......##....#..', []],
  ['a gap in an onset costs one frame', '##.###', [5]],
  ['speech starts once', '####..####', [3]],
])('%s', (_name, verdicts, starts) => {
  expect(play(verdicts).starts).toEqual(starts)
})

test('the silence since the last voiced frame is known per frame', () => {
  expect(play('#####...').last).toEqual({ phase: 'speech', frames: 8, voiced: 5, silent: 3 })
  expect(play('#####...#').last).toMatchObject({ silent: 0 })
})

test('outside a turn, half a second of silence forgets the speech', () => {
  expect(forgetAfterSilence(play(`####${'.'.repeat(24)}`).last).phase).toBe('speech')
  expect(forgetAfterSilence(play(`####${'.'.repeat(25)}`).last)).toEqual(SILENT)
})
