/** What a sentence means: shared by the matcher, the language model's answer, the turn and the skills. */

/** A slot's canonical value: seconds for a duration, an integer for a number, the listed value for the rest. */
export type SlotValue = string | number | readonly string[]

export interface Intent {
  /** `<skill or group>.<verb>`, e.g. `timer.set`; `none` when nothing fits. */
  readonly name: string
  readonly slots: Readonly<Record<string, SlotValue>>
}

/** The verdict on a text, also on an unfinished one: what endpointing and the turn decide by. */
export interface Reading {
  readonly intent: Intent
  /** 1 for an exact match, lower for each repaired word; below `0.5` it is not offered. */
  readonly score: number
  /** The text is a whole command: nothing needs to follow. */
  readonly complete: boolean
  /** A longer command begins with these words ("set a timer" … "for five minutes"): wait a little longer. */
  readonly extendable: boolean
  /** Slots the intent needs and the text lacks, in the order to ask for them. */
  readonly missing: readonly string[]
}
