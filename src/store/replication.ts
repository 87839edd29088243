/**
 * Carries out what the sync machine decides (`sync/sync.ts`): its words go out over links, its batches into the replica, its clock is set.
 * Nothing is decided here, save that a machine which lost its database ends, and one that found its directory to be an old copy begins
 * anew in the next life.
 */
import {
  assertNever,
  type Cancel,
  type Clock,
  errorShape,
  type Monotonic,
  type NodeId,
  type Random,
} from '../host/index.ts'
import type { JournalContents, Replica } from './crdt/index.ts'
import { decodeSyncFrame, encodeSync } from './sync/frames.ts'
import {
  beginSync,
  isSettled,
  type OriginKey,
  originKey,
  type PeerFault,
  type SyncEffect,
  type SyncInput,
  type SyncMessage,
  type SyncState,
  sync,
} from './sync/index.ts'
import type { LogExtent } from './sync/log.ts'

export interface ReplicationPorts {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly random: Pick<Random, 'uint32'>
  /** Best effort: over the bulk stream of the link to that node. */
  readonly send: (to: NodeId, frame: Uint8Array) => void
  readonly isMember: (node: NodeId) => boolean
  /** All that connected nodes have told of is here again; how long something was missing. */
  readonly caughtUp: (ms: number) => void
  readonly fault: (node: NodeId, fault: PeerFault, origin: OriginKey | undefined) => void
  /** This directory is an older copy of what this node wrote: it goes on as another writer. */
  readonly outlived: () => void
}

export interface ReplicationView {
  readonly life: number
  /** For so long a connected node has had something that is not here yet; 0 while nobody has. */
  readonly lag_ms: number
  readonly writers: readonly {
    readonly origin: OriginKey
    readonly version: number
    readonly bytes: number
  }[]
  /** Connected nodes, with how many transactions of all logs they have told of that are not here yet, and the other way round. */
  readonly peers: readonly { readonly node: NodeId; readonly ahead: number; readonly behind: number }[]
}

/** Own logs below this are not looked at (`sync/growth.ts`): 64 KB. */
const COMPACT_FROM_BYTES = 64 * 1024

export class Replication {
  readonly #replica: Replica
  readonly #ports: ReplicationPorts
  #state: SyncState
  #tick: Cancel = () => undefined
  #ended = false
  /** Size of the own log after it was last compacted, or found not worth it. */
  #compacted_bytes = COMPACT_FROM_BYTES / 2
  #compacting = false
  /** A connected node has told of something that is not here yet. */
  #missing_since: Monotonic | undefined
  /** The next word of the own log tells its size after compaction. */
  #compacted = false

  constructor(replica: Replica, ports: ReplicationPorts) {
    this.#replica = replica
    this.#ports = ports
    this.#state = this.#begin(replica.opened.contents)
  }

  #begin({ self, schema, held, parked }: JournalContents): SyncState {
    const now = this.#ports.clock.monotonic()
    const { state, effects } = beginSync({ self, schema, now, held, parked })
    this.#state = state
    this.#perform(effects)
    return state
  }

  linked(peer: NodeId): void {
    this.#give({ type: 'peer-up', peer })
  }

  unlinked(peer: NodeId): void {
    this.#give({ type: 'peer-down', peer })
  }

  frame(from: NodeId, frame: Uint8Array): void {
    const decoded = decodeSyncFrame(frame)
    if (decoded === undefined) return
    this.#give(
      decoded.ok ? { type: 'message', from, message: decoded.message } : { type: 'undecodable', from },
    )
  }

  ownLog(extent: LogExtent): void {
    if (this.#compacted) this.#compacted_bytes = Math.max(COMPACT_FROM_BYTES / 2, extent.bytes)
    this.#compacted = false
    this.#give({ type: 'own-log', extent })
  }

  view(): ReplicationView {
    const { self, held, peers } = this.#state
    const writers = [...held].map(([origin, { version, bytes }]) => ({ origin, version, bytes }))
    const rows = [...peers].map(([node, { told }]) => {
      let ahead = 0
      let behind = 0
      for (const [origin, { version }] of told)
        ahead += Math.max(0, version - (held.get(origin)?.version ?? 0))
      for (const [origin, { version }] of held)
        behind += Math.max(0, version - (told.get(origin)?.version ?? 0))
      return { node, ahead, behind }
    })
    const lag_ms = this.#missing_since === undefined ? 0 : this.#ports.clock.monotonic() - this.#missing_since
    return { life: self.life, lag_ms, writers, peers: rows }
  }

  end(): void {
    this.#ended = true
    this.#tick()
  }

  #give(input: SyncInput): void {
    if (this.#ended) return
    const { clock, random, isMember } = this.#ports
    const context = { now: clock.monotonic(), entropy: random.uint32(), mayWrite: isMember }
    const { state, effects } = sync(this.#state, input, context)
    this.#state = state
    this.#noteMissing(context.now)
    this.#perform(effects)
    if (input.type === 'tick') this.#compactIfDue()
  }

  #noteMissing(now: Monotonic): void {
    const since = this.#missing_since
    if (isMissing(this.#state)) this.#missing_since ??= now
    else if (since !== undefined) {
      this.#missing_since = undefined
      this.#ports.caughtUp(now - since)
    }
  }

  #perform(effects: readonly SyncEffect[]): void {
    for (const effect of effects) this.#performOne(effect)
  }

  #performOne(effect: SyncEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.to, effect.message)
        return
      case 'schedule':
        this.#tick()
        this.#tick = this.#ports.clock.after(effect.delay_ms, () => this.#give({ type: 'tick' }))
        return
      case 'store':
        void this.#store(effect)
        return
      case 'read':
        void this.#read(effect)
        return
      case 'replay':
        void this.#replay(effect)
        return
      case 'outlived':
        void this.#nextLife()
        return
      case 'fault':
        this.#ports.fault(effect.node, effect.fault, effect.origin)
        return
      default:
        assertNever(effect)
    }
  }

  #send(to: NodeId, message: SyncMessage): void {
    this.#ports.send(to, encodeSync(this.#state.self.node, message))
  }

  async #store({ number, origin, batches }: Extract<SyncEffect, { type: 'store' }>): Promise<void> {
    try {
      const stored = await this.#replica.store(origin, batches)
      this.#give({ type: 'stored', number, ...stored })
    } catch {
      this.#give({ type: 'store-failed', number })
    }
  }

  async #read({
    peer,
    number,
    origin,
    above,
    edition,
  }: Extract<SyncEffect, { type: 'read' }>): Promise<void> {
    try {
      const batches = await this.#replica.answer(origin, above, edition)
      this.#give({ type: 'read', peer, number, batches })
    } catch (thrown) {
      // Whoever asked waits in vain and asks another; when the database is gone for good, this machine ends with it.
      if (errorShape(thrown).code === 'overloaded') this.#give({ type: 'read', peer, number, batches: [] })
    }
  }

  async #replay({ origin, above }: Extract<SyncEffect, { type: 'replay' }>): Promise<void> {
    try {
      this.#give({ type: 'replayed', origin, parked: await this.#replica.replay(origin, above) })
    } catch {
      // It stays parked, and is read again at the next start.
    }
  }

  async #nextLife(): Promise<void> {
    this.#ports.outlived()
    const peers = [...this.#state.peers.keys()]
    try {
      const contents = await this.#replica.nextLife()
      if (this.#ended) return
      this.#begin(contents)
      for (const peer of peers) this.linked(peer)
    } catch {
      // What comes back of the own log says it once more.
    }
  }

  #compactIfDue(): void {
    const own = this.#state.held.get(originKey(this.#state.self))
    if (own === undefined || this.#compacting || own.bytes < 2 * this.#compacted_bytes) return
    if (!isSettled(this.#state)) return
    this.#compacting = true
    const settled = new Map([...this.#state.held].map(([origin, { version }]) => [origin, version]))
    this.#replica.compact(settled).then(
      (compaction) => {
        this.#compacting = false
        // What is short is looked at again when it has doubled.
        if (compaction !== 'moved-on') this.#compacted_bytes = own.bytes
        this.#compacted = compaction === 'compacted'
      },
      () => {
        this.#compacting = false
      },
    )
  }
}

function isMissing({ held, peers }: SyncState): boolean {
  for (const { told } of peers.values())
    for (const [origin, { version }] of told) if (version > (held.get(origin)?.version ?? 0)) return true
  return false
}
