/** Sentences as people say them: with a breath inside, where one thinks of what comes next. */
import type { Seeded } from '../../training/seeded.ts'
import type { Clip } from './clips.ts'
import { espeakClip } from './clips.ts'

/** Words in front of which people hesitate: what follows is the part that had to be thought of. */
const BEFORE = new Set(['for', 'to', 'in', 'on', 'from', 'and', 'the', 'at'])
const RATE = 16_000

/**
 * `text` in one voice, with a pause of 0.2 to 0.8 s inside if it has a place for one. The parts are spoken one by one, each with
 * the fall of voice a speaker has before a pause, and joined by silence.
 */
export function hesitantClip(
  text: string,
  variant: string,
  random: Seeded,
): Clip & { readonly pause_ms: number } {
  const words = text.split(' ')
  const places = words.flatMap((word, i) => (i >= 2 && i < words.length && BEFORE.has(word) ? [i] : []))
  if (places.length === 0) return { ...espeakClip(text, variant, random), pause_ms: 0 }
  const place = random.one(places)
  const pause_ms = 200 + random.below(601)
  const seedForBoth = random.below(2 ** 31)
  const first = espeakClip(words.slice(0, place).join(' '), variant, sameVoice(seedForBoth))
  const second = espeakClip(words.slice(place).join(' '), variant, sameVoice(seedForBoth))
  const silence = new Float32Array((RATE * pause_ms) / 1000)
  const samples = new Float32Array(first.samples.length + silence.length + second.samples.length)
  samples.set(first.samples)
  samples.set(second.samples, first.samples.length + silence.length)
  return { text, voice: variant, samples, pause_ms }
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
