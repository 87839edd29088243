import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CUE_NAMES, cuesOf } from '../../src/voice/cues.ts'
import { finality, mannerOf } from '../../src/voice/finality.ts'
import { FINALITY_WEIGHTS } from '../../src/voice/finality-weights.ts'
import type { Contour, FrameSound } from '../../src/voice/prosody.ts'
import { type Course, contourOf, glide, pause, steady } from './voiced-sound.ts'

/** A sentence of a second and a half, its end being `end`, and the first frames of silence. */
const sentence = (...end: readonly Course[]): Contour =>
  contourOf([
    steady(100, 130),
    glide(300, 160, 140),
    pause(40),
    glide(400, 145, 130),
    pause(40),
    steady(200, 130),
    ...end,
    pause(60),
  ])

const falling = sentence(glide(400, 125, 85))
const level = sentence(steady(200, 132))
const rising = sentence(glide(160, 130, 115), glide(200, 115, 150))

describe('the cues of an end', () => {
  test('a fall to below what came before', () => {
    const cues = cuesOf(falling)!
    expect(cues.slope).toBeLessThan(-1)
    expect(cues.level).toBeLessThan(-5)
    expect(cues.valley).toBeLessThan(-3)
    expect(cues.rise).toBeLessThan(0.5)
    expect(cues.lengthening).toBeGreaterThan(0)
  })

  test('a rise after a fall', () => {
    const cues = cuesOf(rising)!
    expect(cues.rise).toBeGreaterThan(3)
    expect(cues.slope).toBeGreaterThan(0)
  })

  test('do not depend on how high the voice is', () => {
    const higher: Contour = {
      ...falling,
      frames: falling.frames.map((frame) => ({
        ...frame,
        pitch: frame.pitch === undefined ? undefined : frame.pitch + 7,
      })),
    }
    const [low, high] = [cuesOf(falling)!, cuesOf(higher)!]
    for (const name of CUE_NAMES) expect(high[name]).toBeCloseTo(low[name], 6)
  })

  test('an octave error and a stray frame change little', () => {
    const at = falling.frames.length - 12
    const damaged: Contour = {
      ...falling,
      frames: falling.frames.map((frame, i) => ({
        ...frame,
        pitch: frame.pitch === undefined ? undefined : frame.pitch + (i === at ? 12 : i === at - 9 ? -5 : 0),
      })),
    }
    const [whole, hurt] = [cuesOf(falling)!, cuesOf(damaged)!]
    for (const name of CUE_NAMES) expect(Math.abs(hurt[name] - whole[name])).toBeLessThan(0.7)
  })

  const whisper = (): Contour => {
    const { frames, last } = falling
    return { last, frames: frames.map((frame) => ({ ...frame, pitch: undefined })) }
  }

  test.each<[string, () => Contour]>([
    ['nothing was heard', () => contourOf([])],
    ['it was whispered', whisper],
    ['there was one short word', () => contourOf([steady(120, 140), pause(60)])],
    ['noise went on for half a second behind it', () => withNoise(falling, 25)],
  ])('there are none when %s', (_name, contour) => {
    expect(cuesOf(contour())).toBeUndefined()
    expect(mannerOf(contour())).toBe('unclear')
  })
})

function withNoise({ frames, last }: Contour, count: number): Contour {
  const noise: FrameSound = { pitch: undefined, level: -30, voiced: true }
  return { last, frames: [...frames, ...Array.from({ length: count }, () => noise)] }
}

describe('whether a speaker has finished', () => {
  test('a voice that falls to its bottom yields', () => {
    expect(mannerOf(falling)).toBe('yielding')
  })

  test('a voice that rises at the end holds', () => {
    expect(mannerOf(rising)).toBe('holding')
  })

  test('a level voice is less sure to have finished than a falling one, and surer than a rising one', () => {
    expect(finality(level)!).toBeLessThan(finality(falling)!)
    expect(finality(level)!).toBeGreaterThan(finality(rising)!)
    expect(mannerOf(level)).not.toBe('yielding')
  })

  test('the voice yields only where it is surer than where it holds', () => {
    expect(FINALITY_WEIGHTS.yielding).toBeGreaterThan(FINALITY_WEIGHTS.holding)
  })

  test('whatever the contour: a probability or nothing, the same twice', () => {
    const frame: fc.Arbitrary<FrameSound> = fc.record({
      pitch: fc.option(fc.double({ min: -9, max: 26, noNaN: true }), { nil: undefined }),
      level: fc.double({ min: -100, max: 0, noNaN: true }),
      voiced: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 200 }), (frames) => {
        const contour: Contour = { frames, last: new Int16Array(320) }
        const sure = finality(contour)
        if (sure !== undefined) {
          expect(sure).toBeGreaterThanOrEqual(0)
          expect(sure).toBeLessThanOrEqual(1)
        }
        expect(finality(contour)).toBe(sure)
      }),
    )
  })
})
