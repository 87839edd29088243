/** What a conversation keeps beside its turns, as plain data. */
import type { ReplyTo } from '../actors/index.ts'
import type { Monotonic, PrivacyScope, Wall } from '../host/index.ts'
import type { Intent } from '../skills/index.ts'
import type { UnderWay } from './carried-shape.ts'
import type { Transcribed } from './transcribed.ts'
import type { TurnState } from './turn-state.ts'

export interface SessionState {
  readonly startedAt: Wall
  readonly turn: TurnState
  /** Texts and announcements whose turn comes when nobody is talking; oldest first. */
  readonly waiting: readonly Waiting[]
  /** A turn was heard since the satellite came, or since it last said that the recording ended. */
  readonly heard: boolean
  /** As of its arguments. */
  readonly scope: PrivacyScope
  readonly person?: string
  /** The last turn, when it was not heard to its end, and until when somebody may come back for it. */
  readonly unsaid?: UnderWay
  readonly unsaidUntil?: Monotonic
  /** It has left its satellite, and no other one has taken it yet. */
  readonly away?: Away | undefined
  /** The satellite it left: what that still sends is for whoever is there now. */
  readonly former?: string | undefined
}

export type Waiting =
  | { readonly kind: 'text'; readonly text: string; readonly replyTo: ReplyTo | undefined }
  | {
      readonly kind: 'announcement'
      readonly from: number
      readonly speech: string
      readonly asks: Intent | undefined
    }

/** Between two satellites. */
export interface Away {
  /** Where it is to go on. */
  readonly room: string
  /** Through which satellite; undefined: any in that room. */
  readonly satellite?: string | undefined
  /** What was said there, to be answered; undefined: what was being said is said on there. */
  readonly heard?: Transcribed | undefined
  /** Where it came from, on this node. */
  readonly back?: { readonly satellite: string; readonly room: string } | undefined
  /** Who waits for the last sample to be known. */
  readonly asked?: ReplyTo | undefined
}
