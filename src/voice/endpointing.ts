/**
 * When is a turn over? A pure rule over how long it has been silent, what was understood so far, and how it was said.
 *
 * A fixed silence is either slow or cuts people off. Here the words decide first: a whole command that nothing can follow ends
 * almost at once, one that could go on is given a moment, one in mid-sentence is given the time of a thought. The text
 * used is the recogniser's running guess; it trails the voice by about 60 ms (147 ms at p90), and as it changes the
 * verdict changes with it, so a late last word shortens the wait by itself. Flushing the recogniser at the end picks up
 * whatever it still held.
 *
 * Where the words leave it open, the voice decides (`finality.ts`): "turn on the lights" that falls to its end is over after
 * `yielded_ms`, one that is held is waited for. A voice that tells nothing changes nothing, and a fall in mid-sentence is
 * not believed: the words are surer than the voice.
 */
import type { Reading } from '../skills/index.ts'
import type { Manner } from './finality.ts'

/** Silence after the last voiced frame, in ms, before a turn ends. */
export interface EndpointTimes {
  /** A whole command, nothing can follow. Longer than the closure of a stop consonant (up to about 90 ms). */
  readonly complete_ms: number
  /** A whole command of which only the last value could grow: "five minutes" … "and ten seconds". Rare. */
  readonly extendable_ms: number
  /**
   * A whole command that commonly goes on: "add milk" … "and bread", "turn on the lights" … "in the kitchen". In the
   * house's grammar a pause after such words is as often inside the sentence as at its end, so it is waited for
   * most pauses of a thought.
   */
  readonly open_ms: number
  /**
   * One of these, or one that lacks something, and the voice says that it is over. Longer than the recogniser's text takes
   * to settle; of the pauses of a thought about which the voice is wrong, one in eight ends within it.
   */
  readonly yielded_ms: number
  /** In mid-sentence, or something needed is missing: the length of a thinking pause (0.2 to 0.8 s, rarely more). */
  readonly unfinished_ms: number
  /** Words, but none that fit: as long as a thinking pause, since nothing can be lost by waiting. */
  readonly unknown_ms: number
  /** No words at all: noise, or a recogniser that needs longer. */
  readonly wordless_ms: number
  /** One utterance, silence or not. */
  readonly longest_ms: number
}

export const ENDPOINT_TIMES: EndpointTimes = {
  complete_ms: 100,
  extendable_ms: 240,
  open_ms: 900,
  yielded_ms: 280,
  unfinished_ms: 900,
  unknown_ms: 700,
  wordless_ms: 900,
  longest_ms: 15_000,
}

/**
 * How a text stands: which of the times applies. `lacking`: a whole sentence without something the command needs. `settled`: a
 * whole command that only words can follow which change nothing; to answer into them is still to interrupt.
 */
export type Standing =
  | 'wordless'
  | 'unknown'
  | 'unfinished'
  | 'lacking'
  | 'open'
  | 'extendable'
  | 'settled'
  | 'complete'

export function standingOf(text: string, reading: Reading | undefined): Standing {
  if (text.trim() === '' || reading === undefined) return 'wordless'
  if (!reading.complete) return reading.intent.name === 'none' && !begun(reading) ? 'unknown' : 'unfinished'
  if (reading.missing.length > 0) return 'lacking'
  if (begun(reading)) return 'unfinished'
  // A bare value that answers no question is the beginning of something: "one hour … more on the timer".
  if (reading.intent.name === 'session.answer') return 'unfinished'
  if (reading.extendable === 'possible') return reading.growth === 'phrase' ? 'open' : 'extendable'
  if (reading.growth === undefined) return 'complete'
  return reading.growth === 'ending' ? 'extendable' : 'settled'
}

const begun = (reading: Reading): boolean => reading.extendable === 'likely'

export function silenceNeeded(standing: Standing, manner: Manner, times: EndpointTimes): number {
  switch (standing) {
    case 'wordless':
      return times.wordless_ms
    case 'unfinished':
      return times.unfinished_ms
    case 'unknown':
      return ifYielding(manner, times.unknown_ms, times)
    case 'lacking':
      return ifYielding(manner, times.unfinished_ms, times)
    case 'open':
      return ifYielding(manner, times.open_ms, times)
    case 'extendable':
      return times.extendable_ms
    case 'settled':
      return manner === 'yielding' ? times.complete_ms : times.extendable_ms
    case 'complete':
      // Held on: "how long is left" … "on the" may have been heard as a command it was not.
      return manner === 'holding' ? times.extendable_ms : times.complete_ms
  }
}

const ifYielding = (manner: Manner, otherwise_ms: number, { yielded_ms }: EndpointTimes): number =>
  manner === 'yielding' ? Math.min(yielded_ms, otherwise_ms) : otherwise_ms

export type Endpoint =
  | { readonly kind: 'wait'; readonly more_ms: number }
  | { readonly kind: 'end'; readonly reason: Standing | 'longest' }

/** `silence_ms` since the last voiced frame and `utterance_ms` since speech began, both in time of the audio. */
export function endpoint(
  heard: {
    readonly silence_ms: number
    readonly utterance_ms: number
    readonly standing: Standing
    readonly manner: Manner
  },
  times: EndpointTimes,
): Endpoint {
  if (heard.utterance_ms >= times.longest_ms) return { kind: 'end', reason: 'longest' }
  const needed = silenceNeeded(heard.standing, heard.manner, times)
  if (heard.silence_ms >= needed) return { kind: 'end', reason: heard.standing }
  return { kind: 'wait', more_ms: needed - heard.silence_ms }
}
