/** What the rest of the node sees of the running cluster, and what it is opened with. */
import type { Connection, Host, Listener, NodeId } from '../../host/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Discovery, DiscoveryOptions } from '../discovery/discovery.ts'
import type { NodeRow } from '../discovery/explain.ts'
import type { ClonedError } from '../household/clones.ts'
import type { Secret } from '../household/secret.ts'
import type { HouseholdState } from '../household/state.ts'
import type { MembershipConfig } from '../membership/config.ts'
import type { Member, MemberChange } from '../membership/state.ts'
import type { Link, Mesh, Place, StreamClass } from '../transport/mesh.ts'
import type { HouseholdDesk } from './household-desk.ts'
import type { Sheet, Sheets } from './sheets.ts'

/** The ways out, so that tests run without sockets. */
export interface ClusterDoors {
  mesh(keys: readonly Secret[]): Promise<Mesh>
  /** Errors: `port-in-use`. */
  enrolment(accept: (connection: Connection) => void): Promise<Listener>
  dialStranger(place: Place, timeout_ms: number): Promise<Connection>
  discovery(options: DiscoveryOptions): Promise<Discovery>
}

export interface ClusterOptions {
  readonly host: Pick<Host, 'clock' | 'random'>
  readonly doors: ClusterDoors
  readonly household: HouseholdState
  /** Starts of this data directory, this one included. */
  readonly starts: number
  /** Drawn at this start: 16 hex digits, of which the first eight are its number in membership. */
  readonly boot: string
  /** Writes the household's state; returns when it is durable. */
  readonly keep: (state: HouseholdState) => Promise<void>
  readonly name: string
  readonly room: string
  /** Addresses given by hand. */
  readonly peers: readonly Place[]
  readonly membership: MembershipConfig
  readonly log: Log
  readonly metric: (name: string, add: number, labels?: Readonly<Record<string, string>>) => void
  readonly audit: (entry: { what: string; object: string; outcome: string }) => void
}

/** Told of links and verdicts; remote actors are one. All optional. */
export interface ClusterListener {
  /** A peer may be talked to over this link, which replaces an earlier one to it. */
  linked?(link: Link): void
  unlinked?(peer: NodeId): void
  frame?(peer: NodeId, streamClass: StreamClass, frame: Uint8Array): void
  drained?(peer: NodeId, streamClass: StreamClass): void
  /** Membership changed its mind about a node. */
  member?(change: MemberChange): void
  sheet?(node: NodeId, sheet: Sheet): void
  /** Who is or was of the household, this node among them: told at once, and whenever somebody came. */
  belonged?(members: readonly NodeId[]): void
  /** This node gave way to a copy of itself. */
  cloned?(error: ClonedError): void
}

export interface Cluster {
  readonly self: NodeId
  readonly boot: number
  readonly port: number
  readonly household: HouseholdDesk
  /** Members of the household whom membership knows; not this node. */
  members(): readonly Member[]
  rttOf(node: NodeId): number | undefined
  /** How far its clock was ahead of ours when it connected, ms; undefined while it is not. */
  clockOf(node: NodeId): number | undefined
  /** As in `Discovery`. */
  readonly multicast: Discovery['multicast']
  nameOf(node: NodeId): string | undefined
  sheets(): Sheets
  /** This node's own, as it was announced last. */
  readonly sheet: Sheet | undefined
  /** This node's own capabilities, told to every member; the version is counted here. */
  announce(sheet: Omit<Sheet, 'version'>): void
  linkTo(node: NodeId): Link | undefined
  /** Rows of `loqa nodes`. */
  nodes(): readonly NodeRow[]
  readonly refusing: ClonedError | undefined
  /** Those for frames together: frames that came before anybody listened are for all of them. */
  listen(...listeners: readonly ClusterListener[]): void
  /** Says goodbye to everybody, then closes. */
  stop(): Promise<void>
}
