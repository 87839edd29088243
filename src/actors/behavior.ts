/**
 * What an actor is: a pure behaviour, plain state, effects as data. And all that actors may rely on, on one page;
 * `test/actors` has a test for each number (A20: `test/sim`).
 *
 * Handling
 * A1  One message at a time. The state is stored first, then the effects are carried out, in order.
 * A2  What one actor tells another arrives in the order of telling. No message is handled twice.
 * A3  At most once: a message that reaches nobody is a dead letter, counted by reason. What must not be lost goes through
 *     the store; who must know, asks.
 * A4  Lanes: orders to stop go before ended children, these before control (answers, outcomes, own schedules, terminations),
 *     this before data. Order is kept within a lane.
 * A5  A mailbox is bounded. Full, it rejects, drops its oldest or drops the newest data, as its policy says; control is
 *     solicited one by one, and outside work whose chunks pile up is given up with `overloaded`.
 * A6  `stash` puts the message aside, `unstash` puts all of them back in front, in order of arrival.
 * A7  A topic's message reaches every subscriber of this node as data.
 *
 * Asking
 * A8  An ask ends exactly once: an answer, or `timeout`, `overloaded` (mailbox or node full), `not-found`, `unreachable`,
 *     `stopped` or `actor-failed` (it ended, or failed, before it answered: it may have acted), `cancelled`. An ask never sheds
 *     another message. One that is over is not handled any more; a late answer is a dead letter.
 * A9  The deadline travels: `deadline_ms` in the context is what the asker still waits, and an ask made while handling one never
 *     outlives it. A deadline fires not early, at most about 10 ms late.
 * A10 `replyTo` may be kept and used later, once.
 * A11 After `cancel`, nothing about that id is handled, not even what was queued already. The same id replaces.
 * A12 Outcomes of outside work reach the life that asked, in order, and end with the first `done` or `failed`.
 *
 * Living and dying
 * A13 Stop is orderly: after the current message; children first (those of the tree in reverse order of start), then `stopping`, then its
 *     last outside work has `shutdown_ms`. What waited is dead letters. It is not restarted; an actor that stops itself is,
 *     when it is permanent. Kill is at once, with all below, without `stopping`.
 * A14 A restart keeps address, incarnation and mailbox. The state is fresh from `start`; the message it failed on is dropped and
 *     counted; its asks, schedules, outside work, watches and subscriptions are gone, and its children ended.
 * A15 Who throws, breaks an invariant, returns a promise (behaviours may not be async) or anything but state and effects, fails, and
 *     nobody else. Supervision is as `supervisor.ts` says (S1–S5), up to the root, whose failure ends the node.
 * A16 `watch` brings exactly one `terminated` when the actor ended for good, at once when it is not there.
 * A17 A ref reaches only its incarnation, an address whoever lives there now.
 * A18 A passive actor keeps address, incarnation and what `snapshot` gave; the next message finds it restored.
 * A19 The runtime yields to I/O after 1 ms plus the handler then running. A handler over 50 ms is named.
 * A20 The same seed gives the same run, byte for byte, in the simulated runtime.
 *
 * Between nodes (`test/cluster/remote`); all of the above holds there too, but for what is said here
 * A21 An address works from any node: `loqa://<node>/…` there, `loqa:/<kind>/<key>` where the map of placements says, a ref in the
 *     life of the node it was taken from. What arrives is for an actor of that node or for nobody: it never travels on.
 * A22 A2 holds per pair over one link. When the link is lost, what was on its way may be lost, nothing comes twice, and nothing of
 *     the old link comes after the new one is in use.
 * A23 A tell that finds no link, or no room in the bounded wait for it, is a dead letter at once; one that reaches nobody there is
 *     counted there and, if it was refused on arrival, here too. Audio that waits gives way to fresher audio.
 * A24 An ask fails `unreachable` as soon as its link is lost, without waiting for a verdict (the receiver may have acted); behind a
 *     partition nobody noticed it fails `timeout` at its deadline. No other way ends it later. Errors arrive by their codes.
 * A25 A watch outlives the link and ends once: with the actor, or `node-gone` with the verdict on its node, with another life of it,
 *     or at once when this node never was linked to it.
 * A26 Content that is `ephemeral` does not leave the node: `private`. What is no plain data does not either: `unsendable`.
 * A27 Other nodes start actors by asking `spawnAddress`, of kinds registered for it; asking twice gives the same one. When the cluster
 *     places that kind, it is in the map before the answer is there, and refused where it is known to live elsewhere.
 *
 * A28 An actor that moves (`moving.ts`) keeps address, incarnation, state, mailbox, schedules, watches and who watches it. Who sends to it
 *     notices nothing: A2 holds, asks are answered. What a move survives is said in `cluster/migration`.
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
  /**
   * Plain data from which `restore` makes the state again, here or on another node, whose monotonic clock is another. Undefined: not
   * now, something of it cannot move.
   */
  snapshot?(state: Readonly<State>, context: Context): unknown
  restore?(snapshot: unknown, context: Context): Next<State>
}

/** All a behaviour may know besides its state and the message. Valid only during the call; not to be spread or kept. */
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
