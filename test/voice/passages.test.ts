/** A long recording is cut where nobody speaks, and nothing that was said is lost. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passagesOf } from '../../src/voice/index.ts'

const RATE = 16_000
const LONGEST_S = 15

/** Parts: seconds and level, 0 to 1. Noise of a fixed seed, so that no frame is as loud as the next. */
function sound(...parts: readonly (readonly [number, number])[]): Int16Array {
  let seed = 7
  const noise = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return (seed / 2_147_483_647) * 2 - 1
  }
  return Int16Array.from(
    parts.flatMap(([seconds, level]) =>
      Array.from({ length: Math.round(seconds * RATE) }, () => noise() * level * 32_000),
    ),
  )
}
const inSeconds = (samples: Int16Array): number[][] =>
  passagesOf(samples).map(({ start, end }) => [start / RATE, end / RATE])

describe('passages', () => {
  it('are what was said between pauses, with a little around it', () => {
    const cut = inSeconds(sound([1, 0.001], [3, 0.5], [1.5, 0.001], [3, 0.5], [1, 0.001]))
    expect(cut).toHaveLength(2)
    const [first, second] = cut
    expect(first![0]).toBeCloseTo(0.7, 1)
    expect(first![1]).toBeCloseTo(4.3, 1)
    expect(second![0]).toBeCloseTo(5.2, 1)
    expect(second![1]).toBeCloseTo(8.8, 1)
  })

  it('keep short pauses, and short words with what follows them', () => {
    expect(inSeconds(sound([0.5, 0.001], [2.5, 0.5], [0.4, 0.001], [2.5, 0.5], [0.5, 0.001]))).toHaveLength(1)
    expect(inSeconds(sound([0.5, 0.001], [0.5, 0.5], [1, 0.001], [2.5, 0.5], [0.5, 0.001]))).toHaveLength(1)
  })

  it('S3: without any pause are cut at quiet moments, and all is there', () => {
    const cut = inSeconds(sound([9, 0.5], [0.1, 0.3], [10, 0.5], [0.1, 0.3], [9, 0.5]))
    expect(cut[0]![1]).toBeCloseTo(9.05, 1)
    expect(cut.at(-1)![1]).toBeCloseTo(28.2, 1)
    for (const [index, [start]] of cut.entries()) expect(start).toBe(index === 0 ? 0 : cut[index - 1]![1])
  })

  it('of nothing are none; silence is one', () => {
    expect(inSeconds(new Int16Array(0))).toEqual([])
    expect(inSeconds(new Int16Array(RATE))).toEqual([[0, 1]])
  })

  it('S1, S2: whatever the recording, they are in order, apart, and none is too long', () => {
    const part = fc.tuple(
      fc.double({ min: 0, max: 12, noNaN: true }),
      fc.constantFrom(0, 0.001, 0.02, 0.3, 1),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const samples = sound(...parts)
        let before = 0
        for (const { start, end } of passagesOf(samples)) {
          expect(start).toBeGreaterThanOrEqual(before)
          expect(end).toBeGreaterThan(start)
          expect(end - start).toBeLessThanOrEqual(LONGEST_S * RATE)
          expect(end).toBeLessThanOrEqual(samples.length)
          before = end
        }
      }),
      { seed: 20_261_126, numRuns: 15 },
    )
  })
})
