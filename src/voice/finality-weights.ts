import type { CueName } from './cues.ts'

export interface FinalityWeights {
  readonly bias: number
  readonly cues: Readonly<Record<CueName, CueWeight>>
  /** The voice yields from this probability of being finished, and holds up to the other; ends and stops equally likely. */
  readonly yielding: number
  readonly holding: number
}

/** Of the data, in the cue's unit, and what one standard deviation adds to the logarithm of the odds. */
export interface CueWeight {
  readonly mean: number
  readonly deviation: number
  readonly weight: number
}

export const FINALITY_WEIGHTS: FinalityWeights = {
  bias: -0.04,
  cues: {
    level: { mean: -2.175, deviation: 2.407, weight: -0.114 },
    floor: { mean: -0.515, deviation: 2.407, weight: -1.143 },
    slope: { mean: -0.654, deviation: 1.1, weight: -0.047 },
    rise: { mean: 0.833, deviation: 1.131, weight: -0.37 },
    fall: { mean: 2.64, deviation: 2.077, weight: -0.53 },
    range: { mean: 3.129, deviation: 1.612, weight: 0.965 },
    loudness: { mean: -2.822, deviation: 3.6, weight: 0.201 },
    lengthening: { mean: 0.005, deviation: 0.844, weight: 0.14 },
    unpitched: { mean: 1.413, deviation: 2.591, weight: 0.566 },
  },
  yielding: 0.564,
  holding: 0.377,
}
