/** What membership knows, as plain data that is never changed in place, and the words it is asked and answers in. */
import type { Effect as ActorEffect } from '../../actors/index.ts'
import type { Monotonic, NodeId } from '../../host/index.ts'
import type { MembershipConfig } from './config.ts'
import type { MemberStatus, MembershipMessage } from './messages.ts'

/** Milliseconds this node has been awake: monotonic time less what it slept through. All times in the state are such. */
export type Awake = number

export type Standing =
  | { readonly status: 'alive' }
  | {
      readonly status: 'suspect'
      readonly since: Awake
      /** Distinct members that accuse it, oldest first. */
      readonly accusers: readonly NodeId[]
      /** Somebody said that it left: the verdict will be `left`. */
      readonly left: boolean
    }
  | { readonly status: 'dead' | 'left'; readonly since: Awake }

/** One life of a member's process, and how often it had to clear its name. */
export interface Life {
  readonly boot: number
  readonly incarnation: number
}

/** What was last exchanged with a member directly. */
export interface Contact {
  readonly heard_at: Awake
  /** Sequence numbers accepted last, ascending, at most REPLAY_WINDOW. */
  readonly recent: readonly number[]
  /** When its digest began to differ from ours; undefined while it agrees. */
  readonly differs_since: Awake | undefined
}

/** What we undertook about a member. */
export interface Dealings {
  /** Since when it is a neighbour: from then on its heartbeats are expected. */
  readonly expected_since: Awake
  /** When another member last reached it for us. */
  readonly vouched_at: Awake
  /** The probe under way: only an ack with this number, from one of these, counts. */
  readonly probe: { readonly number: number; readonly helpers: readonly NodeId[] } | undefined
  /** When it was last put right by an immediate heartbeat. */
  readonly answered_at: Awake
  readonly synced_at: Awake
  /** Syncs since it last agreed. */
  readonly syncs: number
}

/** What others were told of a member, and how often it fell. */
export interface Repute {
  readonly told: MemberStatus
  readonly steady: boolean
  /** As of `penalty_at`; halves every half-life. */
  readonly penalty: number
  readonly penalty_at: Awake
}

export interface Member {
  readonly id: NodeId
  /** Fingerprint of the id: its place on the ring, its part in the digest. */
  readonly print: number
  readonly life: Life
  readonly standing: Standing
  /** What was heard against it at its present or a later incarnation, never an earlier one, for it to refute. */
  readonly accused: { readonly incarnation: number; readonly status: MemberStatus } | undefined
  readonly contact: Contact
  readonly dealings: Dealings
  readonly repute: Repute
}

/** Members by id, sharing what did not change with the roster before (`roster.ts`). */
export interface Roster {
  /** Place of each member; shared until one is added or removed. */
  readonly slots: ReadonlyMap<NodeId, number>
  /** Members by place, 32 to a chunk. */
  readonly chunks: readonly (readonly Member[])[]
}

export interface Self {
  readonly id: NodeId
  readonly print: number
  readonly boot: number
  readonly incarnation: number
  readonly phase: 'active' | 'left'
  /** When the incarnation was last raised; undefined before the first time. */
  readonly raised_at: Awake | undefined
}

/** A change that is being passed on, and how often it was. */
export interface Rumour {
  readonly id: NodeId
  readonly sent: number
}

export interface MembershipState {
  readonly self: Self
  /** Everyone else. */
  readonly roster: Roster
  /** Fingerprint of who is alive or suspect, oneself included. */
  readonly digest: number
  /** Members alive or suspect, without oneself. */
  readonly live: number
  readonly suspects: readonly NodeId[]
  /** Members dead or left and not yet forgotten. */
  readonly gone: readonly NodeId[]
  /** Whom we send heartbeats and expect them from. */
  readonly neighbours: readonly NodeId[]
  /** Who is live has changed since: the neighbours must be worked out anew. */
  readonly neighboursStale: boolean
  /** Least told first. */
  readonly rumours: readonly Rumour[]
  /** 0 (well) to `awareness_max`. */
  readonly awareness: number
  /** Ticks so far. */
  readonly beats: number
  /** Sequence number of the last message sent, to whomever. */
  readonly seq: number
  /** When the next tick is due, in monotonic time. */
  readonly due: Monotonic
  /** Monotonic time not counted, because this node slept through it. */
  readonly slept_ms: number
  /** Answers this node may still give before the next tick. */
  readonly answers: number
  /** Somebody came back from the dead: call out to all the others that are gone, at the next tick. */
  readonly callOut: boolean
}

export type MembershipInput =
  /** The schedule asked for came due. */
  | { readonly type: 'tick' }
  /** A decoded message of an authenticated member. */
  | { readonly type: 'message'; readonly from: NodeId; readonly message: MembershipMessage }
  /** A control stream to a member of the household was opened, by either side. */
  | { readonly type: 'stream-opened'; readonly peer: NodeId }
  /** It ended, for whatever reason. */
  | { readonly type: 'stream-closed'; readonly peer: NodeId }
  /** This node is about to stop. */
  | { readonly type: 'leave' }

export type ChangeCause =
  | 'joined'
  | 'silent'
  | 'stream-closed'
  | 'hearsay'
  | 'heard'
  | 'vouched'
  | 'refuted'
  | 'restarted'
  | 'timed-out'
  | 'leaving'
  | 'settled'
  | 'not-admitted'

/** What the rest of the node is told about a member. */
export interface MemberChange {
  readonly id: NodeId
  readonly status: MemberStatus
  readonly previous: MemberStatus | undefined
  readonly boot: number
  readonly incarnation: number
  /** False while it falls and rises too often to rely on: place nothing there. */
  readonly steady: boolean
  /** Its process is another one than before: whatever ran there is gone. */
  readonly restarted: boolean
  readonly cause: ChangeCause
}

export type MembershipEffect =
  /** Best effort, in order per peer; lost without a stream. */
  | { readonly type: 'send'; readonly to: NodeId; readonly message: MembershipMessage }
  /** A `tick` after this delay; there is only one. */
  | { readonly type: 'schedule'; readonly delay_ms: number }
  | { readonly type: 'publish'; readonly change: MemberChange }
  | Extract<ActorEffect, { type: 'log' | 'metric' }>

export interface MembershipContext {
  readonly now: Monotonic
  /** A fresh random number in [0, 2³²). */
  readonly entropy: number
  readonly config: MembershipConfig
  /** Whether the household admitted this id; hearsay about others is not listened to. */
  readonly admitted: (id: NodeId) => boolean
}

export interface MembershipStep {
  readonly state: MembershipState
  readonly effects: readonly MembershipEffect[]
}
