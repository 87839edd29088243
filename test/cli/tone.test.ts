import { expect, it } from 'vitest'
import { tone } from '../../src/cli/tone.ts'

it('the tone for who waits is short, soft, and begins and ends in silence', () => {
  const samples = tone()
  expect(samples.length / 16).toBe(150)
  expect([samples[0], samples.at(-1)]).toEqual([0, 0])
  const highest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  expect(highest).toBeGreaterThan(1_000)
  expect(highest).toBeLessThan(3_000)
})
