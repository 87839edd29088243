/**
 * Which frames of a microphone hold speech, for the clock of an answer: pure, one frame at a time. The rule of `cli/speech-clock.ts`
 * (so far below the loudest), where the recording is not known as a whole and the room is never silent.
 */

export interface Loudness {
  /** Of the room, and of the loudest lately: root mean squares of frames, in samples of 16 bit. */
  readonly floor: number
  readonly peak: number
}

/** Nothing was heard yet: the first frames say how loud the room is. */
export const UNHEARD: Loudness = { floor: Number.POSITIVE_INFINITY, peak: 0 }

/** Speech stands 10 dB above the room. */
const ABOVE_FLOOR = 3.2
/** And is no more than 40 dB below the loudest. */
const BELOW_PEAK = 0.01
/** −60 dBFS is silence whatever the room. */
const SILENCE = 33
/** A room that became louder is known after some seconds of frames; speech is over by then. */
const FLOOR_RISE = 1.01
/** The loudest is forgotten by half in 3 s. */
const PEAK_FALL = 0.9954

export function follow(
  before: Loudness,
  frame: Int16Array,
): { readonly loudness: Loudness; readonly speech: boolean } {
  const rms = rootMeanSquare(frame)
  const floor = Math.max(1, Math.min(rms, before.floor * FLOOR_RISE))
  const peak = Math.max(rms, before.peak * PEAK_FALL)
  const speech = rms > Math.max(SILENCE, floor * ABOVE_FLOOR, peak * BELOW_PEAK)
  return { loudness: { floor, peak }, speech }
}

export function rootMeanSquare(frame: Int16Array): number {
  let energy = 0
  for (const sample of frame) energy += sample * sample
  return Math.sqrt(energy / Math.max(1, frame.length))
}
