/** A recogniser that is behind while somebody speaks is seen to be, though it has caught up when the sentence ends. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Following, HEARD_EVERY_MS } from '../../src/inference/lag.ts'

const FRAME_MS = 20

interface Scene {
  /** Of somebody who speaks; what follows is the silence in which the end is waited for. */
  readonly sound_ms: number
  readonly silence_ms?: number
  /** Time the engine takes for a frame. */
  readonly takes_ms: (frame: number) => number
  /** All at once, as a file. */
  readonly at_once?: boolean
}

/** Feeds frames as they are spoken to an engine that works on one after the other; the time of the end, and what was followed. */
function spoken({ sound_ms, silence_ms = 0, takes_ms, at_once = false }: Scene) {
  const run = new Following()
  const events: { at: number; frame: number; what: 'fed' | 'heard' }[] = []
  let free_at = 0
  for (let frame = 1; frame * FRAME_MS <= sound_ms + silence_ms; frame += 1) {
    const at = at_once ? 0 : frame * FRAME_MS
    free_at = Math.max(free_at, at) + takes_ms(frame)
    events.push({ at, frame, what: 'fed' }, { at: free_at, frame, what: 'heard' })
  }
  events.sort((a, b) => a.at - b.at || a.frame - b.frame || (a.what < b.what ? -1 : 1))
  let told_ms = 0
  for (const { at, frame, what } of events) {
    const audio_ms = frame * FRAME_MS
    if (what === 'fed') run.fed(FRAME_MS, at)
    else if (audio_ms - told_ms >= HEARD_EVERY_MS) {
      told_ms = audio_ms
      run.heard(audio_ms, at)
    }
  }
  return { run, end_ms: events.at(-1)?.at ?? 0 }
}
const behind = (scene: Scene): number | undefined => {
  const { run, end_ms } = spoken(scene)
  return run.behind_ms(end_ms)
}

test('one that keeps up is behind by what it takes for a frame', () => {
  expect(behind({ sound_ms: 3_000, takes_ms: () => 2 })).toBe(2)
})

test('one that was behind while somebody spoke has caught up when the sentence ends, and is told all the same', () => {
  // Twice as slow as speech for two seconds; silence costs it nothing.
  const lag_ms = behind({
    sound_ms: 2_000,
    silence_ms: 3_000,
    takes_ms: (frame) => (frame * FRAME_MS <= 2_000 ? 40 : 1),
  })
  expect(lag_ms).toBeGreaterThan(1_700)
  expect(lag_ms).toBeLessThanOrEqual(2_020)
})

test('a recording fed all at once is not behind for being long', () => {
  expect(behind({ sound_ms: 30_000, takes_ms: () => 2, at_once: true })).toBe(0)
})

test('and is when the engine is slower than speech', () => {
  expect(behind({ sound_ms: 4_000, takes_ms: () => 30, at_once: true })).toBeGreaterThan(1_500)
})

test('a hiccup that is made up at once says nothing', () => {
  expect(behind({ sound_ms: 4_000, takes_ms: (frame) => (frame === 95 ? 150 : 1) })).toBeLessThan(20)
})

test('an engine that falls silent is behind by as long as it was waited for', () => {
  const run = new Following()
  for (let frame = 1; frame <= 50; frame += 1) run.fed(FRAME_MS, frame * FRAME_MS)
  run.heard(HEARD_EVERY_MS, 210)
  expect(run.behind_ms(800)).toBe(0)
  expect(run.behind_ms(2_400)).toBe(2_000)
})

test('a pause in which nothing is fed is nobody’s lag', () => {
  for (let frames = 30; frames < 60; frames += 1) {
    const { run, end_ms } = spoken({ sound_ms: frames * FRAME_MS, takes_ms: () => 1 })
    expect(run.behind_ms(end_ms + 60_000)).toBe(1)
  }
})

test('of too little sound nothing is said', () => {
  expect(behind({ sound_ms: 500, takes_ms: () => 100 })).toBe(undefined)
})

test('whatever an engine takes, a slower one is never less behind', () => {
  let late = 0
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 40, maxLength: 150 }),
      fc.integer({ min: 1, max: 20 }),
      (takes, more) => {
        const sound_ms = takes.length * FRAME_MS
        const [fast, slow] = [0, more].map((extra) =>
          behind({ sound_ms, takes_ms: (frame) => takes[frame - 1]! + extra }),
        ) as [number, number]
        if (fast > 100) late += 1
        expect(slow).toBeGreaterThanOrEqual(fast)
      },
    ),
    { seed: 5, numRuns: 300 },
  )
  expect(late).toBeGreaterThan(30)
})
