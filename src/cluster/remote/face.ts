/**
 * What the running cluster and the composition root see of remote actors. Order of wiring: `createRemote`, then the runtime with
 * `remote: remote.port` and the same `boot`, then `remote.connect(runtime.fromAfar)`, and only then links.
 */
import type {
  FromAfar,
  Message,
  Outside,
  OutsidePort,
  Port,
  RemotePort,
  Settle,
  Target,
} from '../../actors/index.ts'
import type { Clock, NodeId } from '../../host/index.ts'
import type { Fence } from '../migration/fence.ts'
import type { MoveMessage } from '../migration/messages.ts'
import type { Placement, Placements } from '../placement/placements.ts'
import type { Link } from '../transport/mesh.ts'

/** What travels around messages; those of one frame mostly share it. As in `host/codec.ts`. */
export interface Label {
  /** One request through all hops. */
  readonly trace_id: string
  readonly session_id: string | null
  readonly capability_tier: 'fast' | 'balanced' | 'rich'
  readonly privacy_scope: 'ephemeral' | 'session' | 'persistent'
}

export interface RemoteOptions {
  readonly node: NodeId
  /** This life of the node, the same as in membership and in the runtime: a fresh 32-bit number at each start. */
  readonly boot: number
  readonly clock: Clock
  /** Where a placed actor (`loqa:/kind/key`) lives, from another source than the map of claims, which is asked when this does not know. */
  readonly whereIs?: (address: string) => NodeId | undefined
  /** What happens to claims without this node's doing. */
  readonly placed?: {
    /** The map has something new about these; before `lost`. */
    heard?(addresses: readonly string[]): void
    /** This node claimed or released these. */
    wrote?(addresses: readonly string[]): void
    /** Another node's claim of the same actor counts: the copy here is to be stopped. */
    lost(address: string): void
    /** The node they lived on is dead: whoever `seats` names starts and claims them. */
    orphaned(addresses: readonly string[], of: NodeId): void
  }
  /** Who moves actors from node to node. Absent: none moves, and what others say of moves is not heard. */
  readonly moving?: {
    heard(from: NodeId, message: MoveMessage): void
    /** It is dead, or another life of its node. */
    gone(node: NodeId): void
    /** The first mark of this life: any number that no life before had. */
    readonly first_mark: number
  }
  /** The label of a message; undefined: the default, which is nobody's session and may travel. */
  readonly labelOf?: (message: Message, target: Target) => Label | undefined
  /** Counted by name: `loqa_remote_*`. */
  readonly metric?: (metric: {
    readonly name: string
    readonly add: number
    readonly labels?: Readonly<Record<string, string>>
  }) => void
  /** A peer broke the rules of the wire; its link is not to be trusted any further when `fatal`. */
  readonly fault?: (peer: NodeId, what: string, fatal: boolean) => void
  /** The node's own ports, for work that other nodes ask of it (`work`). Absent: it does none for others. */
  readonly outside?: Pick<Outside, 'infer' | 'play' | 'cancel'>
  /** Which of that work it does for others; default: every `infer`, nothing else. */
  readonly serves?: (effect: OutsidePort, peer: NodeId) => boolean
}

/** What happens on one link, told by whoever holds it. Late news of a link that was replaced are ignored. */
export interface LinkEvents {
  /** A whole frame of the data class. The bytes are the receiver's. */
  frame(bytes: Uint8Array): void
  /** The data class has room again. */
  drained(): void
  /** The link closed. */
  lost(): void
}

export interface RemotePeer {
  readonly node: NodeId
  readonly linked: boolean
  /** Its life, once it said so. */
  readonly boot: number | undefined
  /** Asks of this node it has not answered. */
  readonly asks: number
  /** Work it does for this node. */
  readonly work: number
  /** Bytes waiting for it here. */
  readonly waiting_bytes: number
}

export interface Remote {
  /** For `RuntimeOptions.remote`. */
  readonly port: RemotePort
  /** Before the first link. */
  connect(fromAfar: FromAfar): void
  /** There is a link to its peer; it replaces one that was there. Watches are asked for again; what waited for the old one failed. */
  linked(link: Link): LinkEvents
  /** The same as `lost` of its present link, for who does not keep the events. */
  lost(peer: NodeId): void
  /** Membership's verdict, dead or left: watches of its actors fire. It may come back later. */
  dead(peer: NodeId): void
  /** Carries out work of this node's actors on `node`. Failed with `unreachable` when the node is lost. */
  work(node: NodeId): WorkPort
  /** A placed actor lives here from now on: the other nodes find it. False: the map is full, or it is no such address. */
  claim(address: string): boolean
  /** It does not live here any more. */
  release(address: string): void
  whereIs(address: string): NodeId | undefined
  /** What moving actors needs of the links and the map. */
  readonly moves: RemoteMoves
  /** The map of claims as it is now. */
  placements(): Placements
  /** Claims that were kept elsewhere than with the nodes that are linked. */
  recorded(entries: readonly Placement[]): void
  peers(): readonly RemotePeer[]
  /** Gives everything up; nothing is told any more. */
  close(): void
}

/** The ops of one outside port, carried out on another node. Fits `Outside`. */
export interface WorkPort {
  readonly request: Port
  readonly cancel: NonNullable<Outside['cancel']>
  readonly actorGone: NonNullable<Outside['actorGone']>
}

export interface RemoteMoves {
  /** False: there is no link, or the node does not know moves. */
  canSay(node: NodeId): boolean
  /** In order with what is told. Lost when it cannot be said: what matters is said again. */
  say(node: NodeId, message: MoveMessage): void
  /** Something is about to be told to an actor; says first what keeps the order (`migration/route.ts`). Only for what is told on this node. */
  toldHere(address: string): void
  claimAt(address: string, epoch: number): boolean
  fenceOf(address: string): Fence | undefined
  /** The node whose message is being handed over; undefined: this one's own. */
  readonly hearing: NodeId | undefined
  /** An ask of this node is answered by that one from now on. */
  askedThere(node: NodeId, id: number, target: Target): void
  /** The way back of an ask that came with a move. Undefined: there is no link. */
  settle(node: NodeId, id: number, target: Target): Settle | undefined
}
