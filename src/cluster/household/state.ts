/** What a node knows of its household, what can happen to it, and what it then wants done. Read `household.ts` first. */
import type { LoqaError, Monotonic, NodeId, Random, Wall } from '../../host/index.ts'
import type { HouseholdFault } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Grant, Keychain } from './keychain.ts'
import type { Welcome } from './messages.ts'
import type { Card, HouseholdId, HouseholdRecord } from './records.ts'
import type { Secret } from './secret.ts'
import type { Sightings, Standing } from './sighting.ts'
import type { Roster } from './tables.ts'
import type { Joined } from './welcome.ts'

/** This node, whatever household it is in. */
export interface Self {
  readonly card: Card
  readonly identity: Secret
  readonly sealing: Secret
}

/** A node that asked to be let in and waits for a person. */
export interface Pending {
  readonly session: string
  readonly source: string
  readonly card: Card
  readonly code: string
  readonly since: Monotonic
}

/** This node asks another household to take it in. */
export interface Joining {
  /** Which joiner machine this is: what an older one still says is not listened to. */
  readonly attempt: number
  readonly node: NodeId
  /** Known once both have proved their keys. */
  readonly code: string | undefined
  /** Given by our open window when it asked, or by a person who compares the codes here. */
  readonly consent: 'given' | 'awaited'
  /** A person named that node, or compared its code: the household it leads to is no longer fresh. */
  readonly by_person: boolean
  readonly phase: 'asking' | 'pausing'
  /** When this attempt began. */
  readonly since: Monotonic
  /** When it asks again, while pausing. */
  readonly again: Monotonic
}

export interface HouseholdState {
  readonly phase: 'member' | 'removed'
  readonly self: Self
  readonly roster: Roster
  readonly keychain: Keychain
  /** When the roster's window closes here; past means closed. */
  readonly closes: Monotonic
  /** Founded locked: never gives way to another household. */
  readonly locked: boolean
  readonly gate: Gate
  /** The longest waiting first. */
  readonly pending: readonly Pending[]
  readonly sightings: Sightings
  readonly joining: Joining | undefined
  /** Joiner machines started so far. */
  readonly attempts: number
  /** When it is this node's turn to rotate; undefined while no rotation is due. */
  readonly rotates: Monotonic | undefined
}

export interface HouseholdContext {
  readonly now: Monotonic
  readonly wall: Wall
  readonly random: Random
}

export type HouseholdInput =
  /** A person: let nodes in by themselves for a while; undo that. */
  | { readonly type: 'open'; readonly span_ms: number }
  | { readonly type: 'lock' }
  /** A person read these six digits on another node's screen (or, joining, on that of a member). */
  | { readonly type: 'approve'; readonly code: string }
  | { readonly type: 'dismiss'; readonly node: NodeId }
  | { readonly type: 'revoke'; readonly node: NodeId }
  /** A person wants this node to join the household of that one. */
  | { readonly type: 'join'; readonly node: NodeId }
  /** A member we cannot reach over the member's stream: the key was changed while we were away. */
  | { readonly type: 'return'; readonly node: NodeId }
  /** Discovery, or an enrolment, saw a node and what it tells. */
  | { readonly type: 'met'; readonly node: NodeId; readonly standing: Standing | undefined }
  /** An admitter machine: this node proved its key and asks to be let in. */
  | {
      readonly type: 'asked'
      readonly session: string
      readonly source: string
      readonly card: Card
      readonly code: string
    }
  | { readonly type: 'session-ended'; readonly session: string }
  /** The joiner machine. */
  | { readonly type: 'comparing'; readonly attempt: number; readonly code: string }
  | { readonly type: 'move'; readonly attempt: number; readonly joined: Joined; readonly by: NodeId }
  | { readonly type: 'joining-ended'; readonly attempt: number; readonly error: LoqaError | undefined }
  /** The member's stream. */
  | { readonly type: 'connected'; readonly node: NodeId }
  | { readonly type: 'heard'; readonly from: NodeId; readonly records: readonly HouseholdRecord[] }
  | { readonly type: 'granted'; readonly grant: Grant }
  /** Something scheduled may have fallen due. */
  | { readonly type: 'due' }

export type HouseholdEffect =
  /** Write the keyring; what follows in the list waits until it is durable. */
  | { readonly type: 'keep' }
  /** To every connected member but `except`. */
  | { readonly type: 'spread'; readonly records: readonly HouseholdRecord[]; readonly except?: NodeId }
  | { readonly type: 'tell'; readonly to: NodeId; readonly records: readonly HouseholdRecord[] }
  | { readonly type: 'grant'; readonly grant: Grant }
  /** Close every connection to it. */
  | { readonly type: 'cut'; readonly node: NodeId }
  /** Close every connection: they were judged by a household this node has left. */
  | { readonly type: 'part' }
  /** The keys that open connections, or what strangers are told, changed. */
  | { readonly type: 'reopen' }
  | { readonly type: 'welcome'; readonly session: string; readonly welcome: Welcome }
  | { readonly type: 'refuse'; readonly session: string; readonly code: HouseholdFault }
  /** Start a joiner machine towards that node; end it. */
  | {
      readonly type: 'enrol'
      readonly attempt: number
      readonly node: NodeId
      readonly consented: boolean
      readonly household?: HouseholdId
    }
  | { readonly type: 'consent' }
  | { readonly type: 'withdraw' }
  /** To the joiner machine: the move is kept. */
  | { readonly type: 'moved' }
  /** `due` at that time; replaces the one before. */
  | { readonly type: 'wake'; readonly at: Monotonic }
  | { readonly type: 'audit'; readonly what: string; readonly object: string; readonly outcome: string }
  /** What a person asked for did not happen. */
  | { readonly type: 'failed'; readonly error: LoqaError }

export interface HouseholdNext {
  readonly state: HouseholdState
  readonly effects: readonly HouseholdEffect[]
}
