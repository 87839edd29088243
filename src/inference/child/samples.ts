/** Sound on its way into an engine. One NaN corrupts a recogniser's text until it is reset, so none gets through. */

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
