/**
 * How it was said: the pitch and the loudness of an utterance, frame by frame, and what they were like just before a
 * silence. Pure and streaming; a frame costs about 10 µs.
 *
 * Pitch is the peak of the normalised cross-correlation (Talkin, "A robust algorithm for pitch tracking (RAPT)", 1995)
 * at 4 kHz. It is measured in semitones, and always against the same speaker's own voice in the same utterance, so that
 * high and low voices read alike. Where there is no clear pitch (whisper, noise, a consonant) there is none: whoever asks
 * gets no cues rather than wrong ones.
 */
import { FRAME_MS, FRAME_SAMPLES, levelDbfs, SAMPLE_RATE } from './audio.ts'

/** One frame: its pitch in semitones above 100 Hz, `undefined` where there is none, and its level in dBFS. */
export interface FrameSound {
  readonly pitch: number | undefined
  readonly level: number
  readonly voiced: boolean
}

/** The course of an utterance so far; oldest frame first. */
export interface Contour {
  readonly frames: readonly FrameSound[]
  /** The last frame's samples: a window of pitch reaches over two frames. */
  readonly last: Int16Array
}

export const NO_CONTOUR: Contour = { frames: [], last: new Int16Array(FRAME_SAMPLES) }

/** A speaker's range is known after about a second; four hold any command, and bound the work at its end. */
const KEPT_FRAMES = 4_000 / FRAME_MS

/** `samples`: the next frame, `FRAME_SAMPLES` of them; `voiced`: the voice detector's verdict on it. */
export function follow({ frames, last }: Contour, samples: Int16Array, voiced: boolean): Contour {
  const pitch = voiced ? pitchOf(last, samples, frames.at(-1)?.pitch) : undefined
  const sound: FrameSound = { pitch, level: levelDbfs(samples), voiced }
  return { frames: [...frames, sound].slice(-KEPT_FRAMES), last: samples }
}

// — the pitch of two frames —

const DECIMATION = 4
const RATE = SAMPLE_RATE / DECIMATION
/** 65 Hz is below a low man's creak, 420 Hz above a child's excited voice. */
const SHORTEST_LAG = Math.floor(RATE / 420)
const LONGEST_LAG = Math.ceil(RATE / 65)
/** Both frames at `RATE`. */
const WINDOW = (2 * FRAME_SAMPLES) / DECIMATION
/** Samples compared at each lag: 24 ms, two periods of a low voice. */
const COMPARED = WINDOW - LONGEST_LAG - 1
/** Likeness of neighbouring periods from which a frame counts as pitched: clear voice has 0.8 and more. */
const LEAST_LIKENESS = 0.6
/** Twice the period is as alike as the period: of two lags an octave apart the longer has to be this much more alike. */
const OCTAVE_COST = 0.06
/** Pitch seldom jumps within 20 ms: an octave from the frame before costs this much. */
const JUMP_COST = 0.2
/** Decimated energy per sample below which there is nothing to compare: −70 dBFS. */
const LEAST_POWER = 100

const window = new Float64Array(WINDOW)
const likeness = new Float64Array(LONGEST_LAG + 2)

/** Semitones above 100 Hz; undefined where neighbouring periods are not alike. `previous`: that of the frame before. */
export function pitchOf(before: Int16Array, frame: Int16Array, previous?: number): number | undefined {
  decimate(before, 0)
  decimate(frame, WINDOW / 2)
  let mean = 0
  for (let i = 0; i < WINDOW; i += 1) mean += window[i]! / WINDOW
  for (let i = 0; i < WINDOW; i += 1) window[i]! -= mean
  if (!correlate()) return undefined
  const lag = bestLag(previous)
  return lag === undefined ? undefined : semitones(lag)
}

const semitones = (lag: number): number => 12 * Math.log2(RATE / lag / 100)

/** Averages over `2 × DECIMATION` samples: a low-pass at about 1 kHz, so that formants do not pose as pitch. */
function decimate(samples: Int16Array, at: number): void {
  for (let i = 0; i < WINDOW / 2; i += 1) {
    let sum = 0
    const start = i * DECIMATION
    for (let k = start; k < start + DECIMATION; k += 1) sum += samples[k] ?? 0
    window[at + i] = sum / DECIMATION
  }
}

/** Fills `likeness` for every lag; false when it is too quiet to say. */
function correlate(): boolean {
  let power = 0
  for (let i = 0; i < COMPARED; i += 1) power += window[i]! * window[i]!
  if (power / COMPARED < LEAST_POWER) return false
  let shifted = 0
  for (let i = SHORTEST_LAG - 1; i < SHORTEST_LAG - 1 + COMPARED; i += 1) shifted += window[i]! * window[i]!
  for (let lag = SHORTEST_LAG - 1; lag <= LONGEST_LAG + 1; lag += 1) {
    let product = 0
    for (let i = 0; i < COMPARED; i += 1) product += window[i]! * window[i + lag]!
    likeness[lag] = product / Math.sqrt(power * shifted + 1)
    shifted += window[lag + COMPARED]! ** 2 - window[lag]! ** 2
  }
  return true
}

/** A voice repeats itself after two periods as it does after one; the ringing of a formant has died away by then. */
function repeated(lag: number): number {
  const twice = 2 * lag
  if (twice > LONGEST_LAG) return likeness[lag]!
  const after = Math.max(likeness[twice - 1]!, likeness[twice]!, likeness[twice + 1]!)
  return (likeness[lag]! + after) / 2
}

function bestLag(previous: number | undefined): number | undefined {
  let best: number | undefined
  let score = Number.NEGATIVE_INFINITY
  for (let lag = SHORTEST_LAG; lag <= LONGEST_LAG; lag += 1) {
    const top = likeness[lag]!
    if (top < likeness[lag - 1]! || top < likeness[lag + 1]!) continue
    const here = repeated(lag)
    if (here < LEAST_LIKENESS) continue
    const jump = previous === undefined ? 0 : Math.min(1, Math.abs(semitones(lag) - previous) / 12)
    const weighed = here - OCTAVE_COST * Math.log2(lag / SHORTEST_LAG) - JUMP_COST * jump
    if (weighed <= score) continue
    best = lag
    score = weighed
  }
  if (best === undefined) return undefined
  // The top of a parabola through three points: a lag is only known to 250 µs otherwise, a semitone at 230 Hz.
  const [left, middle, right] = [likeness[best - 1]!, likeness[best]!, likeness[best + 1]!]
  const bend = left - 2 * middle + right
  return bend >= 0 ? best : best + (left - right) / (2 * bend)
}
