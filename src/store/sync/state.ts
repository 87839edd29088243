/** What the sync machine knows, as plain data that is never changed in place, and the words it is asked and answers in. */
import type { Monotonic, NodeId } from '../../host/index.ts'
import type { BatchFault } from './admission.ts'
import type { LogExtent } from './log.ts'
import type { SyncMessage } from './messages.ts'
import type { Origin, OriginKey } from './origin.ts'

/** Rows of a newer schema lie in this log. */
export interface Parked {
  /** The first of them is of a transaction above this one. */
  readonly above: number
}

/** What a peer says that it holds of a log. */
export interface Told {
  readonly version: number
  readonly edition: number
}

export interface Peer {
  readonly told: ReadonlyMap<OriginKey, Told>
  /** Logs it did not give when asked: not asked for again at this peer until then. */
  readonly aside: ReadonlyMap<OriginKey, Monotonic>
  /** Numbers of its pulls that are being read for, and what it asked for and was given since the last allowance. */
  readonly reading: readonly number[]
  readonly served_pulls: number
  readonly served_bytes: number
}

/** Faults of a member of late; outlives its connections. */
export interface Repute {
  readonly strikes: number
  readonly struck_at: Monotonic
  /** Nothing is pulled from it until then. */
  readonly shunned_until: Monotonic
}

export interface Pull {
  readonly number: number
  /** A gap is what is missing; tidying fetches again, compacted, what is held already. */
  readonly kind: 'gap' | 'tidy'
  readonly origin: OriginKey
  readonly peer: NodeId
  /** Everything up to here is held or stored by this pull. */
  readonly above: number
  /** The least edition asked for. */
  readonly edition: number
  readonly phase: 'asked' | 'storing'
  /** When it was asked, or its answer went to the store. */
  readonly since: Monotonic
}

/** Where fetching the new edition of a log has come to. */
export interface Tidying {
  readonly edition: number
  readonly above: number
}

export interface SyncState {
  readonly self: Origin
  /** Of the database of this node. */
  readonly schema: number
  /** Logs held durably. */
  readonly held: ReadonlyMap<OriginKey, LogExtent>
  readonly parked: ReadonlyMap<OriginKey, Parked>
  readonly tidying: ReadonlyMap<OriginKey, Tidying>
  /** When a log was last tidied. */
  readonly tidied_at: ReadonlyMap<OriginKey, Monotonic>
  /** Connected ones. */
  readonly peers: ReadonlyMap<NodeId, Peer>
  /** Of members that had faults of late, at most MAX_PEERS. */
  readonly reputes: ReadonlyMap<NodeId, Repute>
  readonly pulls: readonly Pull[]
  /** Of the last pull sent. */
  readonly number: number
  /** Logs that grew since the peers were last told. */
  readonly untold: ReadonlySet<OriginKey>
  /** When they are to be told of those; undefined when there are none. */
  readonly tell_at: Monotonic | undefined
  /** When they were last told of everything. */
  readonly told_all_at: Monotonic
  /** When peers were last given their allowance. */
  readonly replenished_at: Monotonic
  /** The store could not write: nothing is pulled until then. */
  readonly paused_until: Monotonic
  /** A batch this node signed and does not remember came back to it. */
  readonly outlived: boolean
  /** When the next tick is due. */
  readonly due: Monotonic
}

export type SyncInput =
  /** The schedule asked for came due. */
  | { readonly type: 'tick' }
  /** A stream to a member opened or closed. */
  | { readonly type: 'peer-up' | 'peer-down'; readonly peer: NodeId }
  /** A decoded message of a connected member. */
  | { readonly type: 'message'; readonly from: NodeId; readonly message: SyncMessage }
  /** What a member sent could not be decoded. */
  | { readonly type: 'undecodable'; readonly from: NodeId }
  /** This node's own log has grown or was compacted, durably. */
  | { readonly type: 'own-log'; readonly extent: LogExtent }
  /** A `store` was carried out, durably: the log is this by now, and the batches led up to `through`. */
  | {
      readonly type: 'stored'
      readonly number: number
      readonly through: number
      readonly extent: LogExtent
      /** Rows of a newer schema than this were among them. */
      readonly parked: boolean
      readonly schema: number
      /** Rows that were left out because they are wrong. */
      readonly wrong: number
      /** The first of the batches that is none: it and those after it were not stored. */
      readonly fault: BatchFault | undefined
    }
  /** The disk is full or fails. */
  | { readonly type: 'store-failed'; readonly number: number }
  /** What a `read` gave. */
  | {
      readonly type: 'read'
      readonly peer: NodeId
      readonly number: number
      readonly batches: readonly Uint8Array[]
    }
  /** The database has a new schema. */
  | { readonly type: 'schema'; readonly version: number }
  /** A `replay` has ended, durably. */
  | { readonly type: 'replayed'; readonly origin: OriginKey; readonly parked: Parked | undefined }

/** What a member did that an honest one does not, or seldom. */
export type PeerFault =
  /** It has not what it said it had. */
  | 'false-head'
  /** Its answer is not to the question. */
  | 'wrong-answer'
  /** It passed on what is no batch, or is signed by nobody entitled. */
  | 'bad-batch'
  /** No answer in time. */
  | 'silent'
  /** What it sends cannot be decoded. */
  | 'undecodable'
  /** It tells of more logs than there can be. */
  | 'too-many-logs'
  /** It asks for more than anybody can use. */
  | 'flood'
  /** It signed rows that are wrong. */
  | 'wrong-rows'
  /** Its log is longer than a log may be. */
  | 'endless-log'

export type SyncEffect =
  /** Best effort; lost without a stream. */
  | { readonly type: 'send'; readonly to: NodeId; readonly message: SyncMessage }
  /** A `tick` after this delay; there is only one. */
  | { readonly type: 'schedule'; readonly delay_ms: number }
  /** Check, insert and keep these batches, in order, each with the log's extent in one transaction; answered by `stored` or `store-failed`. */
  | {
      readonly type: 'store'
      readonly number: number
      readonly origin: OriginKey
      readonly batches: readonly Uint8Array[]
    }
  /** Batches of the log, by `answerFrom`; answered by `read`. */
  | {
      readonly type: 'read'
      readonly peer: NodeId
      readonly number: number
      readonly origin: OriginKey
      readonly above: number
      readonly edition: number
    }
  /** Read the log from there again, under the present schema, and insert what was parked; answered by `replayed`. */
  | { readonly type: 'replay'; readonly origin: OriginKey; readonly above: number }
  /** This data directory is older than what it wrote: it has to take the next life before it writes. */
  | { readonly type: 'outlived' }
  /** To be logged and shown: who did what, about whose log. */
  | {
      readonly type: 'fault'
      readonly node: NodeId
      readonly fault: PeerFault
      readonly origin: OriginKey | undefined
    }

export interface SyncContext {
  readonly now: Monotonic
  /** A fresh random number in [0, 2³²). */
  readonly entropy: number
  /** Whether this node is or was a member of the household. */
  readonly mayWrite: (node: NodeId) => boolean
}

export interface SyncStep {
  readonly state: SyncState
  readonly effects: readonly SyncEffect[]
}
