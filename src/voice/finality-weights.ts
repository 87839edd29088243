/**
 * What `finality.ts` weighs the cues with. The numbers are made by `node training/turn-ends.ts`; training/turn-ends.md says from
 * what, and what they cannot do.
 */
import type { CueName } from './cues.ts'

export interface FinalityWeights {
  readonly bias: number
  readonly cues: Readonly<Record<CueName, CueWeight>>
  /** The voice yields from this probability of being finished, and holds up to the other; ends and stops equally likely. */
  readonly yielding: number
  readonly holding: number
}

/** Of the data, in the cue's unit. */
export interface CueScale {
  readonly mean: number
  readonly deviation: number
}

export interface CueWeight extends CueScale {
  /** What one standard deviation adds to the logarithm of the odds, and what its square does. */
  readonly weight: number
  readonly square: number
}

export const FINALITY_WEIGHTS: FinalityWeights = {
  bias: -0.281,
  cues: {
    level: { mean: -2.15, deviation: 2.407, weight: -1.061, square: 0.211 },
    slope: { mean: -1.028, deviation: 2.03, weight: -0.506, square: -0.286 },
    rise: { mean: 1.128, deviation: 1.41, weight: -0.608, square: 0.312 },
    valley: { mean: -1.551, deviation: 1.913, weight: 0.028, square: -0.211 },
    loudness: { mean: -2.863, deviation: 3.638, weight: 0.128, square: -0.009 },
    lengthening: { mean: -0.011, deviation: 0.874, weight: 0.126, square: 0.088 },
    unpitched: { mean: 1.602, deviation: 2.745, weight: 0.405, square: 0.13 },
  },
  yielding: 0.518,
  holding: 0.367,
}
