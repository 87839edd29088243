/** Sound with the pitch one wants, for tests of what is made of pitch. */
import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE } from '../../src/voice/audio.ts'
import { type Contour, follow, NO_CONTOUR } from '../../src/voice/prosody.ts'

/** A pitch in Hz at every moment of the sound, 0 for a pause; `ms` long. */
export interface Course {
  readonly ms: number
  readonly hertz: (part: number) => number
}

export const steady = (ms: number, hertz: number): Course => ({ ms, hertz: () => hertz })
export const glide = (ms: number, from: number, to: number): Course => ({
  ms,
  hertz: (part) => from * (to / from) ** part,
})
export const pause = (ms: number): Course => steady(ms, 0)

/** Harmonics that fall 6 dB an octave, like a voice. Peak about `level` of full scale. */
export function sound(courses: readonly Course[], level = 0.3): Int16Array {
  const samples: number[] = []
  let phase = 0
  for (const { ms, hertz } of courses) {
    const count = (ms * SAMPLE_RATE) / 1_000
    for (let i = 0; i < count; i += 1) {
      const pitch = hertz(i / count)
      phase += (2 * Math.PI * pitch) / SAMPLE_RATE
      let value = 0
      for (let harmonic = 1; harmonic <= 8; harmonic += 1) value += Math.sin(harmonic * phase) / harmonic
      samples.push(pitch === 0 ? 0 : Math.round(32_767 * level * 0.5 * value))
    }
  }
  return Int16Array.from(samples)
}

/** Frames are voiced where the course has a pitch. */
export function contourOf(courses: readonly Course[]): Contour {
  const samples = sound(courses)
  const voiced = courses.flatMap(({ ms, hertz }) =>
    Array.from({ length: Math.round(ms / FRAME_MS) }, () => hertz(0) > 0),
  )
  let contour = NO_CONTOUR
  for (let frame = 0; (frame + 1) * FRAME_SAMPLES <= samples.length; frame += 1) {
    const start = frame * FRAME_SAMPLES
    contour = follow(contour, samples.slice(start, start + FRAME_SAMPLES), voiced[frame] ?? false)
  }
  return contour
}
