/**
 * What the rest of the cluster sees of the network: links to nodes whose keys were proved, and frames of bytes over them. Who
 * may stay is not decided here (that is the household's), nor who is alive (membership's): a link is a fact, no verdict.
 *
 * Promises: frames of one link and class arrive whole and in the order they were sent, or the link closes; a class never waits
 * for another; what waits to be sent is bounded per link and class, and at the bound the sender is told, never the memory.
 */
import type { NodeId } from '../../host/index.ts'
import type { Secret } from '../household/secret.ts'

/**
 * Three streams a link, so that none waits behind another: `control` (membership, household, gossip: small, never dropped),
 * `data` (messages of actors, audio), `bulk` (replication, models; may be starved).
 */
export type StreamClass = 'control' | 'data' | 'bulk'
export const STREAM_CLASSES = ['control', 'data', 'bulk'] as const satisfies readonly StreamClass[]

/** Where a node listens. `host` is an IP address, or a name for static peers; `port` is TCP. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** An encrypted connection with its three streams open both ways. The other side holds the household key and its own. */
export interface Link {
  readonly peer: NodeId
  /** Where the other side was dialled, or came from (then the port means nothing). */
  readonly place: Place
  readonly dialled: boolean
  /**
   * Takes one frame of at most `MAX_FRAME` bytes (`bounds.ts`); longer is a broken invariant. False: the class is full
   * (`FULL_BYTES`), nothing was taken, `onDrain` will say when to go on; or the link is closed, and `onClose` has said so.
   * Frames of a tick are sent together. The bytes belong to the link from then on.
   */
  send(streamClass: StreamClass, frame: Uint8Array): boolean
  /** Bytes waiting in this process for this class. */
  waiting(streamClass: StreamClass): number
  /** Called each time a class that refused is half empty again. One listener. */
  onDrain(run: (streamClass: StreamClass) => void): void
  /** One listener; frames that came before it are kept for it, within the bound of the class. The bytes are the listener's. */
  onFrame(receive: (streamClass: StreamClass, frame: Uint8Array) => void): void
  /**
   * Once, whatever the reason; `why` is for people and logs. After an orderly close of the other side all its frames have been
   * handed over before. Whoever comes too late is told next turn.
   */
  onClose(run: (why: string) => void): void
  /** Sends what is waiting (at most `LINGER_MS`), then closes. */
  close(): void
  /** At once. */
  abort(why: string): void
}

export interface Mesh {
  /** Listening places with the port that was given or found. */
  readonly places: readonly Place[]
  /**
   * Opens a link. `expected` undefined: whoever answers there. Two nodes that dial each other at once may get two links;
   * whoever uses them keeps the one dialled by the smaller id and closes the other.
   * Errors: `unreachable` (nobody there), `wrong-peer` (another node answers), `wrong-key` (it does not hold the household
   * key, so it belongs elsewhere or the key was changed), `handshake-failed`, `timed-out`; all `LoqaError`.
   */
  dial(place: Place, expected: NodeId | undefined): Promise<Link>
  /** Links the other side opened. One listener; links that come before it are refused. */
  onLink(accept: (link: Link) => void): void
  /**
   * Household keys that open links from now on, the current one first, at most `MAX_KEYS`; links that are open stay. With
   * none, nobody can be dialled and nobody gets in.
   */
  rekey(keys: readonly Secret[]): Promise<void>
  /** Aborts all links, stops listening. */
  close(): Promise<void>
}
