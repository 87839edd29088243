/**
 * What was said of a reply, up to which sample: the cursor with which a reply goes on elsewhere, be it another loudspeaker, another node,
 * or both. Pure.
 *
 * The voice makes the same samples of the same sentence wherever the same model runs, so a place in a reply is a sample of it: whoever
 * goes on renders the sentence in which that sample is and passes over what was heard. Samples are 16 kHz mono, counted from the first
 * one of the reply, as the satellite gets them.
 */
import { limits } from '../host/index.ts'

export interface Said {
  /** Whose reply it is; the turns of a conversation are counted up. */
  readonly turn: number
  readonly reply: string
  /** Where each sentence rendered so far ended: of `splitSentences(reply)`, one after the other. */
  readonly ends: readonly number[]
  /** Handed to the satellite; all that was before is heard, nothing that comes after. */
  readonly samples: number
}

/** Pieces of the longest reply (2,000 characters), each at least one letter and one end of a sentence. */
export const MOST_SENTENCES = 1_024

/**
 * So much of a reply is kept and goes along with a conversation that leaves a room: half a minute, 960 KB, all of most answers, so that
 * nobody waits there for a voice.
 */
export const MOST_AHEAD = 30 * limits.SAMPLE_RATE

export interface Rest {
  /** Which sentence is next, or under way. */
  readonly sentence: number
  /** Samples to pass over from its beginning; they may be more than it has, when its end was not known. */
  readonly skip: number
  /** Where it begins. */
  readonly from: number
}

/** What is left to say. */
export function restOf({ ends, samples }: Pick<Said, 'ends' | 'samples'>): Rest {
  const next = ends.findIndex((end) => end > samples)
  const sentence = next === -1 ? ends.length : next
  const from = sentence === 0 ? 0 : ends[sentence - 1]!
  return { sentence, skip: samples - from, from }
}
