/**
 * Whether a speaker sounds finished. Before handing over the turn people let the voice fall to the bottom of their range, soften
 * and draw out the end; before going on they hold it level or let it rise (Gravano & Hirschberg, "Turn-taking cues in
 * task-oriented dialogue", 2011; Skantze, "Turn-taking in conversational systems and human-robot interaction: a review", 2021).
 *
 * The cues are clipped and weighed, with their squares (a cue can also be too strong to be true), by a logistic regression;
 * `training/turn-ends.ts` makes its numbers. They were learned from synthesized intonation alone. So the answer is one of three:
 * where there is too little pitch to tell, or the sum says neither, nothing is claimed.
 */
import { CUE_NAMES, type CueName, type Cues, cuesOf } from './cues.ts'
import { type CueScale, FINALITY_WEIGHTS, type FinalityWeights } from './finality-weights.ts'
import type { Contour } from './prosody.ts'

/** `yielding`: it sounds like an end. `holding`: more will come. `unclear`: it cannot be told. */
export type Manner = 'yielding' | 'unclear' | 'holding'

/** Cues beyond are as strange as they are telling. Standard deviations. */
const CLIP = 2

/** How sure it is that the speaker has finished, 0 … 1; undefined when the voice gives no cues. */
export function finality(contour: Contour, weights: FinalityWeights = FINALITY_WEIGHTS): number | undefined {
  const cues = cuesOf(contour)
  if (cues === undefined) return undefined
  const values = standardised(cues, weights)
  const odds = CUE_NAMES.reduce((sum, name, i) => {
    const [value, { weight, square }] = [values[i]!, weights.cues[name]]
    return sum + weight * value + square * value ** 2
  }, weights.bias)
  return 1 / (1 + Math.exp(-odds))
}

/** In the order of `CUE_NAMES`. */
export const standardised = (
  cues: Cues,
  weights: { readonly cues: Readonly<Record<CueName, CueScale>> },
): readonly number[] =>
  CUE_NAMES.map((name) => {
    const { mean, deviation } = weights.cues[name]
    return Math.max(-CLIP, Math.min(CLIP, (cues[name] - mean) / deviation))
  })

export function mannerOf(contour: Contour, weights: FinalityWeights = FINALITY_WEIGHTS): Manner {
  const sure = finality(contour, weights)
  if (sure === undefined) return 'unclear'
  if (sure >= weights.yielding) return 'yielding'
  return sure <= weights.holding ? 'holding' : 'unclear'
}
