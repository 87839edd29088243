/** Sentences with a place at which the speaker stops and will go on: what an end must be told from. */
import { drawCommands } from './commands.ts'
import type { Grammar } from './grammar.ts'
import type { Seeded } from './seeded.ts'
import { type Job, RATE, type Spoken } from './speakers.ts'

/**
 * How a sentence is spoken: whole; with a comma at the stop, so that the voice says that more will come; or word by word, so that
 * it stops in the middle of a level stretch.
 */
export type Delivery = 'whole' | 'comma' | 'gap'

export interface StopJob extends Job {
  readonly delivery: Delivery
}

/** Before these words people stop more often than elsewhere. */
const BEFORE = new Set(['for', 'to', 'in', 'on', 'from', 'and', 'the', 'at'])
const GAP_MS = 250

export interface Stopping {
  readonly count: number
  /** The synthesizer can pause between words without a comma. */
  readonly gaps: boolean
  /** The words could be a whole command: there the voice is asked, so most stops are put behind such words. */
  readonly couldEnd: (words: string) => boolean
}

export function stopJobs(grammar: Grammar, { count, gaps, couldEnd }: Stopping, random: Seeded): StopJob[] {
  return drawCommands(grammar, random, { train: count, test: 0 }).train.map(({ text }) => {
    const words = text.split(' ')
    const first = (place: number): string => words.slice(0, place).join(' ')
    const places = words.flatMap((word, i) => (i > 0 && (BEFORE.has(word) || random.chance(0.3)) ? [i] : []))
    const telling = words.flatMap((_, i) => (i > 0 && couldEnd(first(i)) ? [i] : []))
    const kind = random.next()
    if (places.length === 0 || kind < (telling.length > 0 ? 0.2 : 0.5))
      return { text: `${text}.`, delivery: 'whole' }
    if (gaps && kind < 0.6 && telling.length === 0)
      return { text: `${text}.`, gap_ms: GAP_MS, delivery: 'gap' }
    const place = random.one(telling.length > 0 && random.chance(0.8) ? telling : places)
    return { text: `${first(place)}, ${words.slice(place).join(' ')}.`, delivery: 'comma' }
  })
}

/** A sentence with its silences as they should be. */
export interface Stopped {
  readonly samples: Float32Array
  /** The last sample before the stop; undefined for a sentence without one. */
  readonly stop: number | undefined
}

const WINDOW = RATE / 200
const SILENT_BELOW = 0.01
/** Longer than the closure of a stop consonant. */
const SHORTEST_SILENCE = RATE / 10
/** What is left of a gap at which the speaker does not stop. */
const CLOSED = RATE / 100

/** Trims the ends, draws one silence out to 0.2 … 0.8 s and closes the others that were made between words. */
export function stopped({ samples: raw }: Spoken, delivery: Delivery, random: Seeded): Stopped {
  const samples = trimmed(raw)
  const silences = silencesIn(samples)
  if (delivery === 'whole' || silences.length === 0) return { samples, stop: undefined }
  const longest = silences.reduce((most, next) => (next.to - next.from > most.to - most.from ? next : most))
  const chosen = delivery === 'comma' ? longest : random.one(silences)
  const pause = Math.round((RATE * (200 + random.below(601))) / 1000)
  const parts: Float32Array[] = []
  let [at, length, stop] = [0, 0, 0]
  const add = (part: Float32Array): void => {
    parts.push(part)
    length += part.length
  }
  for (const silence of silences) {
    if (silence !== chosen && delivery === 'comma') continue
    add(samples.subarray(at, silence.from))
    if (silence === chosen) stop = length
    add(new Float32Array(silence === chosen ? pause : CLOSED))
    at = silence.to
  }
  add(samples.subarray(at))
  const joined = new Float32Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return { samples: joined, stop }
}

function trimmed(samples: Float32Array): Float32Array {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const sounds = (sample: number): boolean => Math.abs(sample) > 0.02 * peak
  return samples.subarray(Math.max(0, samples.findIndex(sounds)), samples.findLastIndex(sounds) + 1)
}

interface Silence {
  readonly from: number
  readonly to: number
}

function silencesIn(samples: Float32Array): Silence[] {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const quiet = (start: number): boolean =>
    samples.subarray(start, start + WINDOW).every((sample) => Math.abs(sample) <= SILENT_BELOW * peak)
  const silences: Silence[] = []
  let from = 0
  for (let start = 0; start + WINDOW <= samples.length; start += WINDOW) {
    if (quiet(start)) continue
    if (from > 0 && start - from >= SHORTEST_SILENCE) silences.push({ from, to: start })
    from = start + WINDOW
  }
  return silences
}
