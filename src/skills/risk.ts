/**
 * How much harm an act can do, whoever asks for it. What a manifest says of its intents adds to this and never takes from it. Pure.
 *
 * low       done, and recorded as every call is.
 * medium    done, and recorded by itself.
 * high      done after a yes of the person who asked, in time; unasked for (a timer, a message) after somebody allowed it.
 * critical  as high, and somebody must allow it by hand besides: a voice through a window is not enough.
 */
export const RISKS = ['low', 'medium', 'high', 'critical'] as const
export type Risk = (typeof RISKS)[number]

export const isAtLeast = (risk: Risk, least: Risk): boolean => RISKS.indexOf(risk) >= RISKS.indexOf(least)

/** Something a call wants done that is not harmless. */
export interface Act {
  /** Which of the call's changes. */
  readonly at: number
  readonly risk: Exclude<Risk, 'low'>
  /** What follows "Shall I": `unlock the front door`. */
  readonly words: string
}
