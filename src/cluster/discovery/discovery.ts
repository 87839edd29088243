/**
 * Who else is there, whom to dial, and why a node that was seen is not connected. Read this file first, then `dialling.ts`
 * (when whom is dialled), `sightings.ts` (what is remembered of whom) and `announcement.ts` (what strangers may learn).
 *
 * Promises: D1 Nothing heard is believed: an announcement is a hint whom to dial, the handshake proves who answers.
 * D2 A member that was connected within the hour is dialled at least every second until it is connected again, without end.
 * D3 What strangers can make this node remember, dial or compute is bounded. D4 Strangers learn that a node is there: its id, its
 * ports, its versions; which household only while its window is open. No names.
 *
 * It dials nobody by itself: it says `dial`, whoever holds the mesh dials and says how that ended.
 */
import type { Clock, LoqaError, NodeId, Random } from '../../host/index.ts'
import type { Life } from '../household/clones.ts'
import type { Secret } from '../household/secret.ts'
import type { Standing } from '../household/sighting.ts'
import type { Place } from '../transport/mesh.ts'
import type { DiallingConfig } from './bounds.ts'
import type { Known, NodeRow } from './explain.ts'
import type { Interfaces } from './interfaces.ts'

export interface DiscoveryOptions {
  readonly host: { readonly clock: Clock; readonly random: Random }
  /** This start of this node. `address` is not used. */
  readonly life: Omit<Life, 'address'>
  /** Where this node listens, TCP: for members, and for those who want to enrol. */
  readonly ports: { readonly mesh: number; readonly enrolment: number }
  /** `--peer`, `cluster.peers`: dialled for ever, whoever answers there. At most MAX_STATIC. */
  readonly peers?: readonly Place[]
  /** UDP port of multicast DNS, 5353; another one only in tests. `false`: no multicast, static peers and gossip only. */
  readonly multicast?: { readonly port: number } | false
  readonly interfaces?: Interfaces
  readonly dialling?: Partial<DiallingConfig>
  /** Called in the order things happen, never from within `take`. */
  readonly onEffect: (effect: DiscoveryEffect) => void
}

export type DiscoveryEffect =
  /**
   * Dial now, and say `dialled` with the same number when it ended, however it ended. `expected` undefined: whoever answers
   * there. Never more than `max_dials` are waited for at once.
   */
  | {
      readonly type: 'dial'
      readonly attempt: number
      readonly place: Place
      readonly expected: NodeId | undefined
    }
  /** For the household machine (`met`): a node of another household, or of none we can tell, announced itself. */
  | { readonly type: 'met'; readonly node: NodeId; readonly standing: Standing | undefined }
  /** Our own id was announced by another start than ours, by somebody who holds the household key: for `heardOf`. */
  | { readonly type: 'cloned'; readonly life: Life }
  /** Addresses of this node changed, to be gossiped to members (`told`) now. */
  | { readonly type: 'moved'; readonly places: readonly Place[] }
  /** For the log. `what` is stable, `attributes` hold no personal content. */
  | {
      readonly type: 'note'
      readonly level: 'info' | 'warn'
      readonly what: string
      readonly attributes: Readonly<Record<string, string | number>>
    }

export type DiscoveryInput =
  /** The household: what strangers are told now, and the keys that open links (`openingKeys`), the current one first. */
  | { readonly type: 'tell'; readonly standing: Standing | undefined; readonly keys: readonly Secret[] }
  /** The household: who is in it, who was removed. Replaces what was said before. */
  | {
      readonly type: 'members'
      readonly members: ReadonlySet<NodeId>
      readonly revoked: ReadonlySet<NodeId>
    }
  /** A member says where another one (or it itself) can be reached. */
  | { readonly type: 'told'; readonly node: NodeId; readonly places: readonly Place[] }
  /** This node has a link to that one, whoever dialled; `place` only when it was dialled. Saying it twice does nothing. */
  | { readonly type: 'linked'; readonly node: NodeId; readonly place: Place | undefined }
  /** It has none any more. */
  | { readonly type: 'unlinked'; readonly node: NodeId; readonly why: string }
  | { readonly type: 'dialled'; readonly attempt: number; readonly outcome: DialOutcome }
  /**
   * The link worked, but one side would not have the other (certificate, version, clock, cloned id). It is dialled rarely
   * from then on, and `explain` says why; forgotten at the next `linked`.
   */
  | { readonly type: 'refused'; readonly node: NodeId; readonly error: LoqaError }

/** Who answered, or the error of `Mesh.dial`. */
export type DialOutcome = { readonly node: NodeId } | { readonly error: LoqaError }

export interface Discovery {
  take(input: DiscoveryInput): void
  /** Where to reach a node, best first: for `enrol` effects, and to gossip (`mesh`). Empty when it was never seen. */
  placesOf(node: NodeId): { readonly mesh: readonly Place[]; readonly enrolment: readonly Place[] }
  /** Every address of this node with its mesh port: to be told to members when a link opens and at `moved`. */
  readonly ownPlaces: readonly Place[]
  /** Rows of `loqa nodes`: this node, members, and everybody else who was seen. */
  explain(known: Known): readonly NodeRow[]
  /** Counters since the start, for metrics: `announcements_heard`, `answers_refused`, `nodes_forgotten`, … */
  readonly counts: Readonly<Record<string, number>>
  /** Says goodbye on every interface and closes the sockets. No effect after it resolves. */
  stop(): Promise<void>
}
