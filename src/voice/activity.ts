/**
 * Whether someone speaks: a pure machine over one verdict per 20 ms frame.
 *
 * Starting takes evidence (a click or a cough must not open a turn); how long it has been silent is known after every
 * frame, and ending a turn is the business of endpointing, which knows what was said.
 */
import { FRAME_MS } from './audio.ts'

export type Activity =
  | { readonly phase: 'silence'; readonly evidence: number }
  /** Frames since the start, frames that held voice, and silent frames since the last voiced one. */
  | {
      readonly phase: 'speech'
      readonly frames: number
      readonly voiced: number
      readonly silent: number
    }

/**
 * 80 ms: four voiced frames. Three let keyboard clicks through, five cost a short "no" its turn; the frames before the
 * decision are kept and recognised, so this adds nothing to latency, only to the reaction to a barge-in.
 */
export const START_FRAMES = 4

/** Outside a turn, this much silence forgets that someone was speaking: 500 ms, longer than any gap within a word. */
const FORGET_FRAMES = 500 / FRAME_MS

export const SILENT: Activity = { phase: 'silence', evidence: 0 }

export function hear(
  activity: Activity,
  voiced: boolean,
): { readonly activity: Activity; readonly started: boolean } {
  if (activity.phase === 'silence') {
    // A single silent frame inside an onset (a stop consonant) costs one frame of evidence, not all of it.
    const evidence = voiced ? activity.evidence + 1 : Math.max(0, activity.evidence - 1)
    if (evidence < START_FRAMES) return { activity: { phase: 'silence', evidence }, started: false }
    return { activity: { phase: 'speech', frames: evidence, voiced: evidence, silent: 0 }, started: true }
  }
  return {
    activity: {
      phase: 'speech',
      frames: activity.frames + 1,
      voiced: activity.voiced + (voiced ? 1 : 0),
      silent: voiced ? 0 : activity.silent + 1,
    },
    started: false,
  }
}

/** For phases in which nobody waits for the end of the speech. */
export const forgetAfterSilence = (activity: Activity): Activity =>
  activity.phase === 'speech' && activity.silent >= FORGET_FRAMES ? SILENT : activity
