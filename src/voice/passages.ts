/**
 * A long recording as passages a recogniser takes one by one: cut where nobody speaks, so that no word is lost and each has its time.
 * Pure.
 *
 * S1 Passages come in order and do not overlap; what is left out between them is quieter than speech. S2 None is longer than
 * `MOST_MS`. S3 A recording without any pause is cut at its quietest moments.
 */
import { SAMPLE_RATE } from './audio.ts'

export interface Passage {
  /** Samples; `end` is the first after it. */
  readonly start: number
  readonly end: number
}

/** What a recogniser is given in one go: half of the longest utterance it must take. */
const MOST_MS = 15_000
/** A pause inside a sentence is shorter; and sentences cut apart lose little. */
const PAUSE_MS = 600
/** Shorter passages are joined with the next: a word alone is recognised badly. */
const LEAST_MS = 2_000
/** Left at both ends of what is spoken: the first sound of a word is often quiet. */
const MARGIN_MS = 300
const FRAME_MS = 20
const FRAME = (SAMPLE_RATE * FRAME_MS) / 1_000
/** Quiet is this share of the way from the noise to the voice, in decibels. */
const QUIET_SHARE = 0.3
/** And at least this far below the voice: the last sounds of a sentence fall by 20 dB. */
const QUIET_BELOW_DB = 25
/** A recording whose loud parts are not this much above its quiet ones has no pauses that could be told. */
const LEAST_CONTRAST_DB = 12
/** Nothing digital is quieter. */
const FLOOR_DB = -90

const framesOf = (ms: number): number => Math.round(ms / FRAME_MS)

/** `samples`: 16 kHz mono. */
export function passagesOf(samples: Int16Array): readonly Passage[] {
  const levels = levelsOf(samples)
  if (levels.length === 0) return []
  const sorted = Float32Array.from(levels).sort()
  const low = sorted[Math.floor(sorted.length * 0.1)]!
  const high = sorted[Math.floor(sorted.length * 0.95)]!
  const spoken: Span[] = []
  if (high - low < LEAST_CONTRAST_DB) spoken.push({ from: 0, to: levels.length })
  else {
    const quiet = Math.min(low + QUIET_SHARE * (high - low), high - QUIET_BELOW_DB)
    spoken.push(...spansAbove(levels, quiet))
  }
  const spans = joined(spoken).flatMap((span) => cut(levels, span))
  return withMargins(spans, levels.length).map(({ from, to }) => ({
    start: from * FRAME,
    end: Math.min(samples.length, to * FRAME),
  }))
}

/** Frames; `to` is the first after it. */
interface Span {
  readonly from: number
  readonly to: number
}

/** Of each frame, dB below full scale. */
function levelsOf(samples: Int16Array): Float32Array {
  const levels = new Float32Array(Math.ceil(samples.length / FRAME))
  for (let frame = 0; frame < levels.length; frame += 1) {
    const end = Math.min(samples.length, (frame + 1) * FRAME)
    let sum = 0
    for (let at = frame * FRAME; at < end; at += 1) sum += (samples[at]! / 32_768) ** 2
    levels[frame] = Math.max(FLOOR_DB, 10 * Math.log10(sum / (end - frame * FRAME) + 1e-12))
  }
  return levels
}

/** Where it is louder, pauses shorter than PAUSE_MS included. */
function spansAbove(levels: Float32Array, quiet: number): Span[] {
  const spans: { from: number; to: number }[] = []
  for (const [frame, level] of levels.entries()) {
    if (level <= quiet) continue
    const last = spans.at(-1)
    if (last !== undefined && frame - last.to < framesOf(PAUSE_MS)) last.to = frame + 1
    else spans.push({ from: frame, to: frame + 1 })
  }
  return spans
}

function joined(spans: readonly Span[]): readonly Span[] {
  const long: Span[] = []
  for (const span of spans) {
    const last = long.at(-1)
    const isShort = last !== undefined && last.to - last.from < framesOf(LEAST_MS)
    if (isShort && span.to - last.from <= framesOf(MOST_MS)) long[long.length - 1] = { ...last, to: span.to }
    else long.push(span)
  }
  return long
}

/** At its quietest moment in the second half of what fits, until all fits. */
function cut(levels: Float32Array, span: Span): Span[] {
  // Margins come later and count too.
  const most = framesOf(MOST_MS - 2 * MARGIN_MS)
  const parts: Span[] = []
  let { from } = span
  while (span.to - from > most) {
    let quietest = from + Math.floor(most / 2)
    for (let frame = quietest; frame < from + most; frame += 1)
      if (levels[frame]! < levels[quietest]!) quietest = frame
    parts.push({ from, to: quietest })
    from = quietest
  }
  return [...parts, { from, to: span.to }]
}

function withMargins(spans: readonly Span[], end: number): readonly Span[] {
  const margin = framesOf(MARGIN_MS)
  return spans.map(({ from, to }, index) => {
    const before = spans[index - 1]?.to ?? 0
    const after = spans[index + 1]?.from ?? end
    return {
      from: Math.max(from - margin, Math.ceil((before + from) / 2)),
      to: Math.min(to + margin, Math.ceil((to + after) / 2)),
    }
  })
}
