import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../src/host/index.ts'
import { Resampler, resample } from '../../src/voice/resample.ts'

const tone = (hz: number, rate: number, seconds: number): Float32Array =>
  Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rate),
  )

/** Energy of the tone over the energy of everything else, in dB, away from the edges. */
function signalToNoise(samples: Float32Array, hz: number, rate: number): number {
  const body = samples.subarray(2_000, samples.length - 2_000)
  let sine = 0
  let cosine = 0
  body.forEach((value, n) => {
    sine += value * Math.sin((2 * Math.PI * hz * n) / rate)
    cosine += value * Math.cos((2 * Math.PI * hz * n) / rate)
  })
  const a = (2 * sine) / body.length
  const b = (2 * cosine) / body.length
  let noise = 0
  let signal = 0
  body.forEach((value, n) => {
    const fit = a * Math.sin((2 * Math.PI * hz * n) / rate) + b * Math.cos((2 * Math.PI * hz * n) / rate)
    noise += (value - fit) ** 2
    signal += fit ** 2
  })
  return 10 * Math.log10(signal / noise)
}

const rates = [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000]

describe('a tone inside the band', () => {
  test.each(rates)('keeps 75 dB of distance to everything else, from %i Hz', (rate) => {
    for (const hz of [100, 1_000, 3_000]) {
      const heard = resample(tone(hz, rate, 1), rate)
      expect(signalToNoise(heard, hz, 16_000)).toBeGreaterThan(75)
    }
  })

  test('survives a rate without common divisor', () => {
    expect(signalToNoise(resample(tone(1_000, 44_101, 1), 44_101), 1_000, 16_000)).toBeGreaterThan(60)
  })
})

test.each([22_050, 24_000, 44_100, 48_000])('what 16 kHz cannot hold is gone, from %i Hz', (rate) => {
  const heard = resample(tone(9_000, rate, 1), rate).subarray(500, 15_000)
  const peak = heard.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  expect(20 * Math.log10(peak / 0.5)).toBeLessThan(-75)
})

test('a stream gives the same samples however it is cut', () => {
  const input = tone(440, 22_050, 0.3)
  const whole = resample(input, 22_050)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 30 }), (cuts) => {
      const resampler = new Resampler(22_050)
      const parts: number[] = []
      let at = 0
      for (const cut of [...cuts, input.length]) {
        parts.push(...resampler.process(input.subarray(at, Math.min(input.length, at + cut))))
        at = Math.min(input.length, at + cut)
      }
      parts.push(...resampler.flush())
      expect(parts.length).toBe(whole.length)
      expect(parts.every((value, index) => value === whole[index])).toBe(true)
    }),
    { numRuns: 200, seed: 7 },
  )
})

test('a recording keeps its length', () => {
  for (const rate of rates) expect(resample(tone(100, rate, 1), rate).length).toBe(16_000)
})

test('16 kHz passes untouched', () => {
  const input = tone(100, 16_000, 0.01)
  expect(resample(input, 16_000)).toEqual(input)
})

test('what is no rate is refused', () => {
  for (const rate of [0, -1, 3_999, 400_000, Number.NaN, 16_000.5]) {
    expect(() => new Resampler(rate)).toThrow(InvalidInputError)
  }
})
