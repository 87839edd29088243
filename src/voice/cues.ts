/**
 * What the end of an utterance sounds like, measured against the same utterance. Pure; about 30 µs, and asked for only in silence.
 */
import type { Contour, FrameSound } from './prosody.ts'

/** What the end of an utterance was like. */
export interface Cues {
  /** Pitch of the end above the median of what came before, semitones. */
  readonly level: number
  /** Change of pitch from the first to the last third of the last pitched stretch, of 300 ms at most, semitones. */
  readonly slope: number
  /** Pitch of the end above the lowest of the last 600 ms, semitones: a rise after a fall holds the turn. */
  readonly rise: number
  /** That lowest pitch above the low (10th percentile) of what came before, semitones: how deep the voice fell. */
  readonly valley: number
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
const LONG_TAIL = 30
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
  'slope',
  'rise',
  'valley',
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
  const final = quantile(sortedPitches(tail.slice(-3)), 0.5)
  const lowest = Math.min(...tones.filter(({ at }) => at > last.at - LONG_TAIL).map(({ pitch }) => pitch))
  return {
    level: final - quantile(before, 0.5),
    slope: slopeOf(lastStretch(tones)),
    rise: final - lowest,
    valley: lowest - quantile(before, 0.1),
    loudness: loudnessOf(frames, end),
    lengthening: lengtheningOf(tones),
    unpitched: Math.min(MOST_UNPITCHED, end - last.at),
  }
}

/** Semitones from the median of an utterance: beyond the first a pitch is taken for an octave error, beyond the second for none. */
const OCTAVE_OFF = 8.5
const LOST = 10
/** Semitones from the median of the five around it. */
const STRAY = 2.5

/** The pitched frames, octave errors put right, stray ones left out. */
function clearTones(frames: readonly FrameSound[]): Tone[] {
  const raw = frames.flatMap(({ pitch }, at) => (pitch === undefined ? [] : [{ at, pitch }]))
  const median = quantile(sortedPitches(raw), 0.5)
  const folded = raw
    .map(({ at, pitch }) => {
      const off = pitch - median
      return { at, pitch: Math.abs(off) > OCTAVE_OFF ? pitch - 12 * Math.sign(off) : pitch }
    })
    .filter(({ pitch }) => Math.abs(pitch - median) <= LOST)
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

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

function slopeOf(stretch: readonly Tone[]): number {
  const third = Math.max(1, Math.floor(stretch.length / 3))
  const pitches = stretch.map(({ pitch }) => pitch)
  return mean(pitches.slice(-third)) - mean(pitches.slice(0, third))
}

/** Tones with at most a frame between them are one stretch. */
const continues = (before: Tone, after: Tone): boolean => after.at - before.at <= 2

function lastStretch(tones: readonly Tone[]): readonly Tone[] {
  const broken = tones.findLastIndex((tone, i) => i > 0 && !continues(tones[i - 1]!, tone))
  return tones.slice(Math.max(broken, tones.length - TAIL, 0))
}

function loudnessOf(frames: readonly FrameSound[], end: number): number {
  const levels = (from: number): number[] =>
    frames.slice(from, end + 1).flatMap(({ voiced, level }) => (voiced ? [level] : []))
  const last = levels(Math.max(0, end + 1 - LOUDNESS_FRAMES))
  const all = levels(0).sort((a, b) => a - b)
  return mean(last) - quantile(all, 0.5)
}

function lengtheningOf(tones: readonly Tone[]): number {
  const lengths: number[] = []
  for (const [i, tone] of tones.entries()) {
    if (i === 0 || !continues(tones[i - 1]!, tone)) lengths.push(0)
    lengths[lengths.length - 1]! += 1
  }
  const last = lengths.pop()!
  return lengths.length === 0 ? 0 : Math.log(last / mean(lengths))
}
