import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FRAME_SAMPLES } from '../../src/voice/audio.ts'
import { follow, NO_CONTOUR, pitchOf } from '../../src/voice/prosody.ts'
import { seeded } from '../../training/seeded.ts'
import { contourOf, glide, sound, steady } from './voiced-sound.ts'

const semitones = (hertz: number): number => 12 * Math.log2(hertz / 100)

const pitchOfSound = (samples: Int16Array): number | undefined =>
  pitchOf(samples.subarray(0, FRAME_SAMPLES), samples.subarray(FRAME_SAMPLES))

describe('the pitch of a frame', () => {
  test.each([70, 90, 120, 165, 210, 250, 310, 390])('%i Hz is found to a fifth of a semitone', (hertz) => {
    const pitch = pitchOfSound(sound([steady(40, hertz)]))
    expect(Math.abs(pitch! - semitones(hertz))).toBeLessThan(0.2)
  })

  test('neither loudness nor a constant offset changes it', () => {
    const loud = sound([steady(40, 140)], 0.9)
    const quiet = sound([steady(40, 140)], 0.02).map((sample) => sample + 9_000)
    expect(pitchOfSound(loud)).toBeCloseTo(semitones(140), 1)
    expect(pitchOfSound(quiet)).toBeCloseTo(semitones(140), 1)
  })

  test('an overdriven microphone keeps its pitch', () => {
    const clipped = sound([steady(40, 140)], 0.9).map((sample) =>
      Math.max(-32_768, Math.min(32_767, sample * 8)),
    )
    expect(pitchOfSound(clipped)).toBeCloseTo(semitones(140), 1)
  })

  test.each<[string, (i: number) => number]>([
    ['silence', () => 0],
    ['a constant', () => 12_000],
    ['the last bit', (i) => i % 2],
  ])('%s has none', (_name, sample) => {
    expect(pitchOfSound(Int16Array.from({ length: 2 * FRAME_SAMPLES }, (_, i) => sample(i)))).toBeUndefined()
  })
})

describe('noise', () => {
  test('seldom looks like pitch', () => {
    const random = seeded(5)
    const pitched = Array.from({ length: 300 }, () =>
      pitchOfSound(Int16Array.from({ length: 2 * FRAME_SAMPLES }, () => random.below(20_001) - 10_000)),
    ).filter((pitch) => pitch !== undefined)
    expect(pitched.length).toBeLessThan(15)
  })
})

describe('the course of an utterance', () => {
  test('follows a glide', () => {
    const { frames } = contourOf([glide(600, 200, 100)])
    const pitches = frames.slice(1).map(({ pitch }) => pitch!)
    expect(pitches.every((pitch, i) => i === 0 || pitch < pitches[i - 1]!)).toBe(true)
    expect(pitches[0]).toBeCloseTo(semitones(196), 0)
    expect(pitches.at(-1)).toBeCloseTo(semitones(102), 0)
  })

  test('has no pitch where the detector hears no voice', () => {
    const samples = sound([steady(20, 150)])
    expect(follow(NO_CONTOUR, samples, false).frames).toMatchObject([{ pitch: undefined, voiced: false }])
  })

  test('keeps the last four seconds and leaves what it was given alone', () => {
    const before = contourOf([steady(5_000, 150)])
    const copy = structuredClone(before)
    const after = follow(before, new Int16Array(FRAME_SAMPLES), false)
    expect(after.frames).toHaveLength(200)
    expect(before).toEqual(copy)
  })

  test('whatever the samples: a pitch is within a voice, a level within full scale', () => {
    const sample = fc.oneof(
      fc.integer({ min: -32_768, max: 32_767 }),
      fc.constantFrom(-32_768, 32_767, 0, Number.NaN),
    )
    const frame = fc
      .array(sample, { maxLength: 2 * FRAME_SAMPLES })
      .map((samples) => Int16Array.from(samples))
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, fc.boolean()), { maxLength: 20 }), (heard) => {
        let contour = NO_CONTOUR
        for (const [samples, voiced] of heard) contour = follow(contour, samples, voiced)
        for (const { pitch, level } of contour.frames) {
          if (pitch !== undefined) {
            expect(pitch).toBeGreaterThan(semitones(60))
            expect(pitch).toBeLessThan(semitones(480))
          }
          expect(level).toBeGreaterThanOrEqual(-100)
          expect(level).toBeLessThanOrEqual(0)
        }
      }),
    )
  })
})
