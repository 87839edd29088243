import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  clippedShare,
  concat,
  DcBlocker,
  levelDbfs,
  SILENCE_DBFS,
  samplesOf,
  toFloat32,
  toInt16,
} from '../../src/voice/audio.ts'
import { Ring } from '../../src/voice/ring.ts'

const s16 = fc.int16Array({ maxLength: 400 })

describe('conversions', () => {
  test('bytes and samples are each other, at any alignment', () => {
    fc.assert(
      fc.property(s16, fc.integer({ min: 0, max: 3 }), (samples, shift) => {
        const bytes = bytesOf(samples)
        const moved = new Uint8Array(bytes.length + shift)
        moved.set(bytes, shift)
        expect(samplesOf(moved.subarray(shift))).toEqual(samples)
      }),
    )
  })

  test('s16 survives floats', () => {
    fc.assert(
      fc.property(s16, (samples) => {
        expect(toInt16(toFloat32(samples))).toEqual(samples)
      }),
    )
  })

  test('any float is a sample: NaN and infinities are silence, the rest is clipped', () => {
    expect([...toInt16(Float32Array.of(Number.NaN, Infinity, -Infinity, 2, -2, 0.5))]).toEqual([
      0, 0, 0, 32_767, -32_768, 16_384,
    ])
    fc.assert(
      fc.property(fc.float32Array(), (floats) => {
        expect(toInt16(floats)).toHaveLength(floats.length)
      }),
    )
  })

  test('parts are joined in order', () => {
    expect(concat([Int16Array.of(1), Int16Array.of(), Int16Array.of(2, 3)])).toEqual(Int16Array.of(1, 2, 3))
  })
})

describe('level', () => {
  const square = (amplitude: number, offset = 0): Int16Array =>
    Int16Array.from({ length: 320 }, (_, n) => offset + (n % 2 === 0 ? amplitude : -amplitude))

  test('is decibels of full scale', () => {
    expect(levelDbfs(square(32_767))).toBeCloseTo(0, 1)
    expect(levelDbfs(square(3_277))).toBeCloseTo(-20, 1)
    expect(levelDbfs(new Int16Array(320))).toBe(SILENCE_DBFS)
    expect(levelDbfs(new Int16Array(0))).toBe(SILENCE_DBFS)
  })

  test('does not take an offset for loudness', () => {
    expect(levelDbfs(square(3_277, 9_000))).toBeCloseTo(-20, 1)
    expect(levelDbfs(new Int16Array(320).fill(9_000))).toBe(SILENCE_DBFS)
  })

  test('tells an overdriven microphone', () => {
    expect(clippedShare(square(32_767))).toBeCloseTo(0.5)
    expect(clippedShare(square(100))).toBe(0)
  })
})

test('an offset is gone within a second, without a thump, and a voice stays', () => {
  const blocker = new DcBlocker()
  const samples = Int16Array.from({ length: 32_000 }, (_, n) => 5_000 + 2_000 * Math.sin(n / 10))
  blocker.process(samples)
  expect(Math.abs(samples[0]!)).toBeLessThan(100)
  const later = samples.subarray(16_000)
  const mean = later.reduce((sum, sample) => sum + sample, 0) / later.length
  expect(Math.abs(mean)).toBeLessThan(20)
  expect(Math.max(...later)).toBeGreaterThan(1_900)
})

test('a ring keeps the latest and counts what it forgot', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.option(fc.nat())), (capacity, pushes) => {
      const ring = new Ring<number>(capacity)
      const model: number[] = []
      let dropped = 0
      for (const push of pushes) {
        if (push === null) expect(ring.shift()).toBe(model.shift())
        else {
          ring.push(push)
          model.push(push)
          if (model.length > capacity) {
            model.shift()
            dropped += 1
          }
        }
        expect([ring.length, ring.dropped]).toEqual([model.length, dropped])
      }
    }),
  )
})
