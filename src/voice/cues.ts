/**
 * What the end of an utterance sounds like, measured against the same utterance. Pure; about 50 µs, and asked for only in silence.
 */
import type { Contour, FrameSound } from './prosody.ts'

/** What the end of an utterance was like. */
export interface Cues {
  /** Pitch of the end above the median of what came before, semitones. */
  readonly level: number
  /** Pitch of the end above the low (10th percentile) of what came before, semitones. */
  readonly floor: number
  /** Change of pitch over the last 300 ms, semitones per 100 ms. */
  readonly slope: number
  /** Pitch of the end above the lowest of the last 300 ms, semitones: a rise after a fall holds the turn. */
  readonly rise: number
  /** From the highest of the last 300 ms down to the lowest after it, semitones. */
  readonly fall: number
  /** From the low to the high (10th to 90th percentile) of what came before, semitones. */
  readonly range: number
  /** Level of the last 200 ms above the median, dB. */
  readonly loudness: number
  /** Length of the last pitched stretch over the mean of those before, natural logarithm. */
  readonly lengthening: number
  /** Voice after the last pitch, frames, at most 10: a final consonant, or creak. */
  readonly unpitched: number
}

export type CueName = keyof Cues

/** Frames. */
const TAIL = 15
const BEFORE_TAIL = 10
const LOUDNESS_FRAMES = 10
const MOST_UNPITCHED = 10
/** Fewer pitched frames say nothing of a speaker's range, or of the end. */
const LEAST_PITCHED = 10
const LEAST_IN_TAIL = 5
/** Pitched frames before the tail from which the range before it is known; else that of all. */
const LEAST_BEFORE = 6
/** An end without pitch for longer than 400 ms was not voiced but noise. */
const LONGEST_UNPITCHED = 20
export const CUE_NAMES: readonly CueName[] = [
  'level',
  'floor',
  'slope',
  'rise',
  'fall',
  'range',
  'loudness',
  'lengthening',
  'unpitched',
]

/** A pitch and the frame it belongs to. */
interface Tone {
  readonly at: number
  readonly pitch: number
}

/** Undefined where there is too little pitch. */
export function cuesOf({ frames }: Contour): Cues | undefined {
  const end = frames.findLastIndex(({ voiced }) => voiced)
  const tones = clearTones(frames)
  const last = tones.at(-1)
  if (last === undefined || tones.length < LEAST_PITCHED || end - last.at > LONGEST_UNPITCHED)
    return undefined
  const tail = tones.filter(({ at }) => at > last.at - TAIL)
  if (tail.length < LEAST_IN_TAIL) return undefined
  const earlier = tones.filter(({ at }) => at <= last.at - BEFORE_TAIL)
  const before = sortedPitches(earlier.length < LEAST_BEFORE ? tones : earlier)
  const low = quantile(before, 0.1)
  const final = quantile(sortedPitches(tail.slice(-3)), 0.5)
  const lowest = tail.reduce((least, tone) => (tone.pitch < least.pitch ? tone : least))
  const highest = Math.max(...tail.filter(({ at }) => at <= lowest.at).map(({ pitch }) => pitch))
  return {
    level: final - quantile(before, 0.5),
    floor: final - low,
    slope: slopeOf(tail) * 5,
    rise: final - lowest.pitch,
    fall: highest - lowest.pitch,
    range: quantile(before, 0.9) - low,
    loudness: loudnessOf(frames, end),
    lengthening: lengtheningOf(tones),
    unpitched: Math.min(MOST_UNPITCHED, end - last.at),
  }
}

/** Octave errors are far from the median of an utterance, other errors from their neighbours. Semitones. */
const OCTAVE_OFF = 9
const STRAY = 2.5

/** The pitched frames, octave errors put right, stray ones left out. */
function clearTones(frames: readonly FrameSound[]): Tone[] {
  const raw = frames.flatMap(({ pitch }, at) => (pitch === undefined ? [] : [{ at, pitch }]))
  const median = quantile(sortedPitches(raw), 0.5)
  const folded = raw.map(({ at, pitch }) => {
    const octaves = Math.abs(pitch - median) > OCTAVE_OFF ? Math.round((median - pitch) / 12) : 0
    return { at, pitch: pitch + 12 * octaves }
  })
  return folded.filter(({ pitch }, i) => {
    const around = quantile(sortedPitches(folded.slice(Math.max(0, i - 2), i + 3)), 0.5)
    return Math.abs(pitch - around) <= STRAY
  })
}

const sortedPitches = (tones: readonly Tone[]): number[] =>
  tones.map(({ pitch }) => pitch).sort((a, b) => a - b)

/** Of sorted values, between neighbours; 0 of none. */
function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part
  const below = sorted[Math.floor(place)] ?? 0
  const above = sorted[Math.ceil(place)] ?? below
  return below + (above - below) * (place - Math.floor(place))
}

/** Least squares, semitones per frame. */
function slopeOf(tones: readonly Tone[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [at, pitch] = [mean(tones.map((tone) => tone.at)), mean(tones.map((tone) => tone.pitch))]
  let [product, square] = [0, 0]
  for (const tone of tones) {
    product += (tone.at - at) * (tone.pitch - pitch)
    square += (tone.at - at) ** 2
  }
  return square === 0 ? 0 : product / square
}

function loudnessOf(frames: readonly FrameSound[], end: number): number {
  const levels = (from: number): number[] =>
    frames.slice(from, end + 1).flatMap(({ voiced, level }) => (voiced ? [level] : []))
  const last = levels(Math.max(0, end + 1 - LOUDNESS_FRAMES))
  const all = levels(0).sort((a, b) => a - b)
  return last.reduce((sum, level) => sum + level, 0) / last.length - quantile(all, 0.5)
}

/** Tones with at most a frame between them are one stretch. */
function lengtheningOf(tones: readonly Tone[]): number {
  const stretches: number[] = []
  let previous = Number.NEGATIVE_INFINITY
  for (const { at } of tones) {
    if (at - previous > 2) stretches.push(0)
    stretches[stretches.length - 1]! += 1
    previous = at
  }
  const last = stretches.pop()!
  const before = stretches.reduce((sum, length) => sum + length, 0) / stretches.length
  return stretches.length === 0 ? 0 : Math.log(last / before)
}
