/** Sentences as people say them: with a breath inside, where one thinks of what comes next. */
import type { Seeded } from '../../training/seeded.ts'
import { type Clip, espeakClip, RATE } from './clips.ts'

export interface PausedClip extends Clip {
  /** 0 without a pause. */
  readonly pause_ms: number
}

/** Speaks a sentence, with a pause of 0.2 to 0.8 s inside if it has a place for one. */
export type Hesitation = (text: string, variant: string, random: Seeded) => PausedClip

/** Words in front of which people hesitate: what follows is the part that had to be thought of. */
const BEFORE = new Set(['for', 'to', 'in', 'on', 'from', 'and', 'the', 'at'])

/**
 * The speaker knows that more will come and says so by the voice: the sentence is spoken as one, with a comma at the place, and
 * the silence the synthesizer makes there is drawn out. The words are the same with and without the comma.
 */
export const goingOn: Hesitation = (text, variant, random) => {
  const pause = drawPause(text, random)
  if (pause === undefined) return { ...espeakClip(text, variant, random), pause_ms: 0 }
  const clip = espeakClip(`${pause.first}, ${pause.second}`, variant, random)
  const silence = longestSilence(clip.samples)
  // Some voices take no breath at a comma; then the sentence has no pause.
  if (silence === undefined) return { ...clip, text, pause_ms: 0 }
  const first = clip.samples.subarray(0, silence.from)
  const samples = joined(first, pause.pause_ms, clip.samples.subarray(silence.to))
  return { text, voice: variant, samples, pause_ms: pause.pause_ms }
}

/**
 * Each part is spoken as if it were the whole sentence, with the fall of voice at its end: nothing in the voice tells that more
 * will come. Harder than people are.
 */
export const eachAsWhole: Hesitation = (text, variant, random) => {
  const pause = drawPause(text, random)
  if (pause === undefined) return { ...espeakClip(text, variant, random), pause_ms: 0 }
  const seedForBoth = random.below(2 ** 31)
  const first = espeakClip(pause.first, variant, sameVoice(seedForBoth))
  const second = espeakClip(pause.second, variant, sameVoice(seedForBoth))
  const samples = joined(first.samples, pause.pause_ms, second.samples)
  return { text, voice: variant, samples, pause_ms: pause.pause_ms }
}

interface Pause {
  readonly first: string
  readonly second: string
  readonly pause_ms: number
}

function drawPause(text: string, random: Seeded): Pause | undefined {
  const words = text.split(' ')
  const places = words.flatMap((word, i) => (i >= 2 && i < words.length && BEFORE.has(word) ? [i] : []))
  if (places.length === 0) return undefined
  const place = random.one(places)
  const pause_ms = 200 + random.below(601)
  return { first: words.slice(0, place).join(' '), second: words.slice(place).join(' '), pause_ms }
}

function joined(first: Float32Array, pause_ms: number, second: Float32Array): Float32Array {
  const silence = Math.round((RATE * pause_ms) / 1000)
  const samples = new Float32Array(first.length + silence + second.length)
  samples.set(first)
  samples.set(second, first.length + silence)
  return samples
}

/** Silence is judged in windows of 5 ms, relative to the loudest sample. */
const WINDOW = RATE / 200
const SILENT_BELOW = 0.01
/** The closure of a stop consonant is silent for up to 60 ms, a comma for 120 and more. */
const SHORTEST_BREATH = RATE / 10

/** The longest silence between two sounds, in samples; undefined when none is long enough for a breath. */
function longestSilence(samples: Float32Array): { readonly from: number; readonly to: number } | undefined {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const quiet = (start: number): boolean =>
    samples.subarray(start, start + WINDOW).every((sample) => Math.abs(sample) <= SILENT_BELOW * peak)
  let longest = { from: 0, to: 0 }
  let from = 0
  for (let start = 0; start + WINDOW <= samples.length; start += WINDOW) {
    if (quiet(start)) continue
    // What is silent before the first sound is no pause.
    if (from > 0 && start - from > longest.to - longest.from) longest = { from, to: start }
    from = start + WINDOW
  }
  return longest.to - longest.from >= SHORTEST_BREATH ? longest : undefined
}

/** The same draws again, so that both parts have the same accent, speed and pitch. */
function sameVoice(seed: number): Seeded {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    one: (values) => values[below(values.length)]!,
    chance: (probability) => next() < probability,
  }
}
