/** What a conversation remembers, as plain data: it can be snapshotted, moved and replayed. */
import type { Effect, ReplyTo } from '../actors/index.ts'
import type { ErrorShape, Monotonic, SessionId } from '../host/index.ts'
import type { Service } from '../inference/index.ts'
import type { Intent, Reading } from '../skills/index.ts'
import { type Activity, SILENT } from './activity.ts'
import type { EndpointTimes } from './endpointing.ts'
import type { Contour } from './prosody.ts'
import type { Understanding } from './understanding.ts'

/** One turn while it runs; its view is made when it ends. */
export interface Turn {
  readonly number: number
  readonly source: TurnSource
  readonly transcript: string
  readonly partials: readonly string[]
  readonly intent: Intent
  readonly reply: string
  readonly marks: Marks
  readonly cutOff: boolean
  readonly error: ErrorShape | undefined
}

export type TurnSource =
  /** `interrupting`: it began by silencing a reply. */
  | { readonly kind: 'voice'; readonly interrupting: boolean }
  | { readonly kind: 'text'; readonly replyTo: ReplyTo | undefined }
  /** `from` is the announcer's number for it. */
  | { readonly kind: 'announcement'; readonly from: number }
  /** What was being said elsewhere goes on here. */
  | { readonly kind: 'moved' }

/** When things happened; what did not happen is absent. */
export interface Marks {
  /** Arrival of the last voiced frame. */
  readonly spoken?: Monotonic
  readonly endpoint?: Monotonic
  /** The text was final. */
  readonly text?: Monotonic
  /** It was decided what to do. */
  readonly meaning?: Monotonic
  /** A skill was asked. */
  readonly asked?: Monotonic
  /** The words of the reply were known. */
  readonly reply?: Monotonic
  /** The first sounding sample left. */
  readonly voice?: Monotonic
}

/** How a turn ends: exactly once, in one of these. */
export type TurnEnd = 'done' | 'interrupted' | 'failed'

/** The microphone's side of every phase. */
export interface Ear {
  readonly activity: Activity
  /** The latest frames of silence and onset, oldest first: recognised once speech has started. */
  readonly preroll: readonly Int16Array[]
}

/** An utterance being heard. Its frames are kept so that a recogniser that dies loses nothing. */
export interface Utterance {
  readonly frames: readonly Int16Array[]
  /** How it sounds. */
  readonly contour: Contour
  readonly text: string
  /** Undefined while there is no text. */
  readonly reading: Reading | undefined
  /** Numbers the recogniser runs of this turn: a run that was given up never speaks again. */
  readonly attempt: number
  readonly failures: number
  /** Frames that held voice. */
  readonly voiced: number
  readonly lastFrameAt: Monotonic
}

/** Work started in the first silence on the guess that nothing follows; pure, so it can be dropped unheard. */
export type Guess =
  | { readonly kind: 'none' }
  /** The language model is already asked about `text`. */
  | { readonly kind: 'meaning'; readonly text: string; readonly number: number; readonly answer: ModelAnswer }
  /** The voice is already rendering `speech`; what it makes lands in the reply cache. */
  | { readonly kind: 'speech'; readonly text: string; readonly number: number; readonly speech: string }

export interface ModelAnswer {
  readonly tokens: string
  readonly finished: boolean
  /** Why there is no answer. */
  readonly failed?: ErrorShape
}

/** What is left to say, and how far it got. */
export interface Speaking {
  readonly sentences: readonly string[]
  /** The sentence being rendered. */
  readonly index: number
  readonly attempt: number
  /** Samples of this sentence handed on, and received from this attempt: a retry passes over what was heard. */
  readonly heard: number
  readonly received: number
  /** Samples of the whole reply, up to where it is handed on. */
  readonly total: number
  /** The sample of the reply with which this loudspeaker began: where it was broken off before. */
  readonly from: number
  /** Where the sentences before this one ended, in samples of the whole reply. */
  readonly ends: readonly number[]
  /** What the satellite has from before and is passed over. */
  readonly skip: number
  /** The chosen voice was late: the other one says it, to the end of the reply. */
  readonly plain?: true
}

/** A reply that was broken off: it may go on, there or in another room. */
export interface Left {
  readonly turn: number
  readonly sentences: readonly string[]
  readonly ends: readonly number[]
  /** Where the loudspeaker that was silenced had begun. */
  readonly from: number
  /** Samples of the reply that were heard; undefined while the loudspeaker has not said it. */
  readonly samples: number | undefined
  /** What comes after them, as far as it was rendered and is kept. */
  readonly ahead: Int16Array
  /** Nobody goes on with it after this. */
  readonly until: Monotonic
}

/** A conversation in another room, in which somebody spoke a moment ago. */
export interface Neighbour {
  readonly session: SessionId
  readonly last: Intent | undefined
  /** A slot it asks for. */
  readonly asks: { readonly intent: Intent; readonly slot: string } | undefined
  /** What is said here is no part of it after this. */
  readonly until: Monotonic
}

export type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'listening'; readonly turn: Turn; readonly utterance: Utterance; readonly guess: Guess }
  /** The recogniser was interrupted; what was heard is given to a new run after a moment. */
  | {
      readonly name: 'recovering'
      readonly turn: Turn
      readonly utterance: Utterance
      readonly ended: boolean
    }
  /** The end was decided; the recogniser flushes. */
  | {
      readonly name: 'transcribing'
      readonly turn: Turn
      readonly utterance: Utterance
      readonly guess: Guess
    }
  /** The language model is asked. `utterance` is absent for a text turn. */
  | {
      readonly name: 'interpreting'
      readonly turn: Turn
      readonly utterance: Utterance | undefined
      readonly number: number
      readonly answer: ModelAnswer
      /** It is the second one that is asked. */
      readonly again?: true
    }
  /** A skill is asked: from here on the turn has effects. */
  | { readonly name: 'acting'; readonly turn: Turn; readonly confirmed?: boolean }
  /** Another room, or another conversation, is looked for. `otherwise`: what is done when there is none. */
  | { readonly name: 'moving'; readonly turn: Turn; readonly otherwise: Otherwise }
  | { readonly name: 'speaking'; readonly turn: Turn; readonly speaking: Speaking }
  /** Everything was rendered and is being played. */
  | { readonly name: 'playing'; readonly turn: Turn; readonly speaking: Speaking }

export type Otherwise =
  | { readonly kind: 'say' }
  /** The follow-up of another conversation: it is carried out here, with what was said there. */
  | { readonly kind: 'here'; readonly intent: Intent }

/** What was said before, as far as it matters to what is said next. */
export interface Conversation {
  readonly room: string
  readonly last: Intent | undefined
  readonly lastReply: string | undefined
  readonly expecting: Expecting | undefined
}

/** An open question. Forgotten at `until`: nobody answers a question of half a minute ago. */
export type Expecting =
  | { readonly kind: 'slot'; readonly intent: Intent; readonly slot: string; readonly until: Monotonic }
  | { readonly kind: 'confirm'; readonly intent: Intent; readonly until: Monotonic }

export interface TurnState {
  readonly session: SessionId
  /** Whose conversation it is, when somebody said so. */
  readonly person?: string
  /** Where audio goes; undefined for a conversation by text alone. */
  readonly satellite: string | undefined
  readonly ear: Ear
  readonly phase: Phase
  readonly conversation: Conversation
  /** Turns begun so far. */
  readonly turns: number
  /** Guesses begun so far. */
  readonly guesses: number
  readonly left?: Left | undefined
  readonly neighbour?: Neighbour | undefined
}

/** Everything the machine is told besides its state and the input. */
export interface TurnOptions {
  readonly understanding: Understanding
  readonly endpointing: EndpointTimes
  readonly waits: Waits
  /** Capability tags or kinds of the engines to use. */
  readonly engines: { readonly stt: string; readonly llm: string | undefined; readonly tts: string }
  readonly voice: string | undefined
  /** Engines that do again what the chosen ones lost or are late with; absent: there are none. */
  readonly second?: Service['second'] | undefined
  /** The voice that says what the chosen one is late with, and when that is late; absent: there is none. */
  readonly plain?: { readonly tts: string; readonly late_ms: number } | undefined
  /** Sentences of an answer that asks nothing back which are said aloud; all when absent. */
  readonly most_sentences?: number | undefined
  /** What is in force now, over the above. Absent: always the same. */
  readonly service?: () => Service
}

export interface SessionOptions extends TurnOptions {
  /** Without satellite and without a word for this long, the session ends and its context is forgotten. */
  readonly idle_ms: number
}

/** The longest each phase may take, in ms. Every one ends in words, never in silence. */
export interface Waits {
  /** Frames stopped coming in mid-sentence: a broken link, longer than any Wi-Fi stall worth waiting for. */
  readonly frames_ms: number
  /** Between attempts of a recogniser that failed: a restart takes about 90 ms. */
  readonly retry_ms: number
  /** Attempts after the first. With `retry_ms` it covers a restart with a larger model. */
  readonly retries: number
  /** For the final text once the end is decided: usually 2 ms; then the last partial is used. */
  readonly text_ms: number
  /** For the language model: usually 15 ms, a large one takes a second. */
  readonly meaning_ms: number
  /** For a skill: past this a person thinks that nothing happened. */
  readonly skill_ms: number
  /** For the first sound of a sentence, and between its pieces. */
  readonly voice_ms: number
  /** Beyond the length of the reply, for the satellite to have played it. */
  readonly playout_ms: number
  /** For another room to take the conversation: usually 20 ms. */
  readonly moving_ms: number
  /** How long a reply that was broken off can be gone on with. */
  readonly left_ms: number
  /** How long a question stays open. */
  readonly answer_ms: number
  /** Silence in which speculation starts: shorter than any wait of endpointing, longer than most gaps in words. */
  readonly guess_ms: number
  /** Speech this soon after the last means that the turn was ended too early: the longest natural pause. */
  readonly cut_off_ms: number
}

export const WAITS: Waits = {
  frames_ms: 1_000,
  retry_ms: 150,
  retries: 6,
  text_ms: 800,
  meaning_ms: 1_500,
  skill_ms: 3_000,
  voice_ms: 2_000,
  playout_ms: 5_000,
  moving_ms: 2_500,
  left_ms: 30_000,
  answer_ms: 20_000,
  guess_ms: 60,
  cut_off_ms: 1_000,
}

export interface Step {
  readonly state: TurnState
  readonly effects: readonly Effect[]
}

export const NO_GUESS: Guess = { kind: 'none' }
export const QUIET: Ear = { activity: SILENT, preroll: [] }
export const IDLE: Phase = { name: 'idle' }

/** Runs `more` on the state a step left, and puts its effects behind. (A module that exports `then` is taken for a promise.) */
export function andThen(step: Step, more: (state: TurnState) => Step): Step {
  const following = more(step.state)
  if (step.effects.length === 0) return following
  return { state: following.state, effects: [...step.effects, ...following.effects] }
}

export const stay = (state: TurnState, ...effects: readonly Effect[]): Step => ({ state, effects })
