/**
 * What an actor is: a pure behaviour, plain state, effects as data.
 */
import type { Monotonic, RequestId, Wall } from '../host/index.ts'
import type { Ref } from './address.ts'
import type { Effect, ExitReason, Message, ReplyTo } from './effects.ts'

export interface Behavior<State, Msg extends Message = Message, Args = undefined> {
  /** Registry name, e.g. `session`; also the placed address' first part. */
  readonly kind: string
  readonly mailbox?: MailboxPolicy
  start(args: Args, context: Context): Next<State>
  receive(state: Readonly<State>, message: Msg, context: Context): Next<State>
  /** A child ended and will not be restarted. Absent: nothing happens. */
  childExited?(state: Readonly<State>, child: Ref, reason: ExitReason, context: Context): Next<State>
  /** Last effects before an orderly stop (sends, writes, audit); cannot prevent it. */
  stopping?(state: Readonly<State>, context: Context): readonly Effect[]
  /** Plain data from which `restore` makes the state again, here or on another node. */
  snapshot?(state: Readonly<State>): unknown
  restore?(snapshot: unknown, context: Context): Next<State>
}

/** All a behaviour may know besides its state and the message. Valid only during the call. */
export interface Context {
  readonly self: Ref
  readonly now: Monotonic
  readonly wall: Wall
  /** A fresh random number in [0, 2³²) for this message: the only randomness a behaviour sees. */
  readonly entropy: number
  /** Present when the message is an ask; keep it to answer later. */
  readonly replyTo: ReplyTo | undefined
  /** Time the asker still waits, in ms; undefined for a tell. */
  readonly deadline_ms: number | undefined
  readonly sender: Ref | undefined
}

export interface Next<State> {
  readonly state: State
  readonly effects: readonly Effect[]
}

export interface MailboxPolicy {
  /** Messages held of each priority, at least 1; rounded up to a power of two. */
  readonly capacity: number
  /** What happens to a data message that finds the mailbox full. Asks always get `overloaded`. */
  readonly overflow: 'reject' | 'drop-oldest' | 'drop-newest'
}

export const NO_EFFECTS: readonly Effect[] = Object.freeze([])

export const next = <State>(state: State, effects: readonly Effect[] = NO_EFFECTS): Next<State> => ({
  state,
  effects,
})
export const same = <State>(state: State): Next<State> => ({ state, effects: NO_EFFECTS })

export type { RequestId }
