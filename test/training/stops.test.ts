import { describe, expect, test } from 'vitest'
import { readGrammar } from '../../training/grammar.ts'
import { seeded } from '../../training/seeded.ts'
import { RATE } from '../../training/speakers.ts'
import { stopJobs, stopped } from '../../training/stops.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const plain = (text: string): string => text.replaceAll(/[.,]/g, '')

describe('the sentences to speak', () => {
  const couldEnd = (words: string): boolean => words.endsWith('lights')
  const jobs = stopJobs(readGrammar(ROOT), { count: 600, gaps: true, couldEnd }, seeded(1))

  test('all end in a full stop and have at most one comma, between two words', () => {
    for (const { text, delivery } of jobs) {
      expect(text).toMatch(/^[^.,]+(, [^.,]+)?\.$/)
      expect(text.includes(',')).toBe(delivery === 'comma')
    }
  })

  test('most stops are put behind words that could be a whole command', () => {
    const open = jobs.filter(({ text, delivery }) => delivery === 'comma' && /lights,? (?!\.)/.test(text))
    const behind = open.filter(({ text }) => text.includes('lights,'))
    expect(open.length).toBeGreaterThan(10)
    expect(behind.length).toBeGreaterThan(open.length / 2)
  })

  test('are those of the training side, the same for the same seed', () => {
    const again = stopJobs(readGrammar(ROOT), { count: 600, gaps: true, couldEnd }, seeded(1))
    expect(again).toEqual(jobs)
    expect(new Set(jobs.map(({ text }) => plain(text))).size).toBe(jobs.length)
  })
})

/** A tone, `silences` in samples between its pieces of a quarter of a second. */
function pieces(silences: readonly number[]): Float32Array {
  const tone = Float32Array.from({ length: RATE / 4 }, (_, i) => 0.5 * Math.sin(i / 5) + 0.01)
  const parts = silences.flatMap((length) => [new Float32Array(length), tone])
  const joined = new Float32Array([tone, ...parts].reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of [tone, ...parts]) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

describe('a spoken sentence with its stop', () => {
  const said = (silences: readonly number[]) => ({ text: '', voice: '', samples: pieces(silences) })
  const longestSilence = (samples: Float32Array): number => {
    let [longest, run] = [0, 0]
    for (const sample of samples) {
      run = Math.abs(sample) < 1e-6 ? run + 1 : 0
      longest = Math.max(longest, run)
    }
    return longest
  }

  test('at a comma the longest silence becomes 0.2 to 0.8 s, the others stay', () => {
    const { samples, stop } = stopped(said([2_000, 4_000]), 'comma', seeded(2))
    expect(longestSilence(samples)).toBeGreaterThanOrEqual(0.2 * RATE)
    expect(longestSilence(samples)).toBeLessThanOrEqual(0.81 * RATE)
    expect(Math.abs(stop! - (RATE / 2 + 2_000))).toBeLessThan(200)
  })

  test('of the gaps between words one becomes the stop, the others are closed', () => {
    const { samples, stop } = stopped(said([4_000, 4_000, 4_000]), 'gap', seeded(2))
    const pause = longestSilence(samples)
    expect(stop).toBeGreaterThan(0)
    expect(Math.abs(samples.length - RATE - pause - 2 * (RATE / 100))).toBeLessThan(600)
  })

  test('a whole sentence and one without a silence have none', () => {
    expect(stopped(said([4_000]), 'whole', seeded(2)).stop).toBeUndefined()
    expect(stopped(said([]), 'comma', seeded(2)).stop).toBeUndefined()
  })
})
