/** What a sentence means: shared by the matcher, the language model's answer, the turn and the skills. */

/** A slot's canonical value: seconds for a duration, an integer for a number, the listed value for the rest. */
export type SlotValue = string | number | readonly string[]

export interface Intent {
  /** `<skill or group>.<verb>`, e.g. `timer.set`; `none` when nothing fits. */
  readonly name: string
  readonly slots: Readonly<Record<string, SlotValue>>
}

/**
 * Whether a longer command begins with these words.
 *
 * - `no`        Nothing more is expected, or what could follow changes nothing ("pause" … "the music").
 * - `possible`  A whole command, yet more would change it: "turn on the lights" … "in the kitchen",
 *               "set a timer for five minutes" … "and ten seconds".
 * - `likely`    The speaker is in mid-sentence ("set a timer for", "turn on the kitchen"), or the command is
 *               whole but lacks what it needs ("set a timer" … "for five minutes").
 */
export type Extension = 'no' | 'possible' | 'likely'

/**
 * What would follow a whole command.
 *
 * - `value`   Only its last value could grow: "five minutes" … "and ten seconds". Rare.
 * - `phrase`  More words: "add milk" … "and bread", "turn on the lights" … "in the kitchen". Common.
 * - `same`    More words that change nothing: "pause" … "the music", "add milk and bread" … "to the list".
 * - `ending`  The rest of a polite ending that has begun: "thank" … "you". It changes nothing either.
 */
export type Growth = 'value' | 'phrase' | 'same' | 'ending'

/** The verdict on a text, also on an unfinished one: what endpointing and the turn decide by. */
export interface Reading {
  /** The best guess, also while the text is unfinished; `none` when nothing reaches `OFFERED_SCORE`. */
  readonly intent: Intent
  /** 1 for an exact match, lower for each repaired word; 0 with `none`. Below `OFFERED_SCORE` nothing is offered. */
  readonly score: number
  /** The text is a whole command: nothing needs to follow. It may still lack slots that can be asked for. */
  readonly complete: boolean
  readonly extendable: Extension
  /** Known for exact readings of whole commands that more can follow. */
  readonly growth?: Growth
  /** Slots the intent needs and the text lacks, in the order to ask for them. */
  readonly missing: readonly string[]
  /** Words considered, and how many of them no sentence of the grammar has; `<unk>` counts as unknown. */
  readonly words: number
  readonly unknown: number
}

/** What is known of the conversation: lets a fragment be read as what it continues. */
export interface ReadingContext {
  /** A question was asked: the next words may be the value of `slot` of this unfinished intent. */
  readonly expecting?: { readonly intent: Intent; readonly slot: string }
  /** The last intent carried out: "and in the kitchen" repeats it elsewhere. */
  readonly last?: Intent
}

/** The least score the turn may act on. */
export const OFFERED_SCORE = 0.5

/** Nothing fits. */
export const NO_INTENT: Intent = { name: 'none', slots: {} }
