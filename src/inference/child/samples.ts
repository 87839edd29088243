/** Sound on its way into an engine, and out of a voice. One NaN corrupts a recogniser's text until it is reset, so none gets through. */

/** The same samples, or a copy in which what is not finite is silence and what is beyond full scale is full scale. */
export function soundSamples(samples: Float32Array): Float32Array {
  for (let i = 0; i < samples.length; i += 1) {
    // False for NaN too.
    if (!(Math.abs(samples[i]!) <= 1)) return repaired(samples)
  }
  return samples
}

const repaired = (samples: Float32Array): Float32Array =>
  samples.map((sample) => (Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0))

/** What is quieter than this is breath and noise: 1/300 of full scale, -50 dB. */
const SILENCE = 0.003
/** Left of the silence at a joint, so that no word is clipped. */
const KEPT_MS = 40

/** What ends so is followed by a pause; anything else is a piece of a longer sentence. */
const ENDED = /[.!?…,;:–—]["'”’)]*$/

const endsInSilence = (text: string): boolean => ENDED.test(text)

/** Without the silence at both ends that a voice puts around all it says: in mid-sentence it would sound like hesitation. */
export function withoutSilence(samples: Float32Array, sample_rate: number): Float32Array {
  const kept = Math.round((sample_rate / 1_000) * KEPT_MS)
  const isLoud = (sample: number): boolean => Math.abs(sample) > SILENCE
  const first = samples.findIndex(isLoud)
  if (first < 0) return samples.subarray(0, Math.min(samples.length, kept))
  const last = samples.findLastIndex(isLoud)
  return samples.subarray(Math.max(0, first - kept), Math.min(samples.length, last + 1 + kept))
}

/** As s16; what is not finite is silence, what is beyond full scale is full scale. */
export const toInt16 = (samples: Float32Array): Int16Array =>
  Int16Array.from(soundSamples(samples), (sample) => Math.round(sample * 32_767))

/** A voice hands out what it has in parts of this length: a listener that is far away gets the first one sooner. */
const PART_MS = 200

/** Parts of sound, in order. Each owns its buffer. */
export function* inParts(samples: Int16Array, sample_rate: number): Generator<Int16Array> {
  const step = Math.round((sample_rate / 1_000) * PART_MS)
  for (let at = 0; at < samples.length; at += step) yield samples.slice(at, at + step)
}

/** A piece of speech as it is handed out: without silence where the sentence goes on, as s16, in parts. */
export const spokenParts = (text: string, samples: Float32Array, sample_rate: number): Iterable<Int16Array> =>
  inParts(toInt16(endsInSilence(text) ? samples : withoutSilence(samples, sample_rate)), sample_rate)
