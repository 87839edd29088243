/**
 * A household's replication in virtual time, from a seed: the very machine of `src/store/sync` and the very admission of batches, over a
 * small model of cr-sqlite, with messages lost, late, twice and out of order, links cut, processes that end with what they had not written
 * yet, disks that are slow or full. Replication must live with all of that although the real stream loses nothing while it lasts.
 */
import { type Cancel, monotonic, type NodeId, nodeId } from '../../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom } from '../../../src/host/simulated/index.ts'
import {
  beginSync,
  type ChangeRow,
  decodeSync,
  isSettled,
  type OriginKey,
  originKey,
  type PeerFault,
  type SyncEffect,
  type SyncInput,
  type SyncMessage,
  type SyncState,
  sync,
} from '../../../src/store/sync/index.ts'
import type { Operation } from '../../store/sync/replica.ts'
import { NEXT_SCHEMA, SCHEMA } from '../../store/sync/signing.ts'
import { Links } from '../cluster/links.ts'
import { SimulatedStore } from './disk.ts'

export interface Weather {
  /** Share of messages lost, and of those delivered twice; 0 to 1. */
  loss: number
  duplicate: number
  /** Least delay one way, and the mean of what exponentially distributed waiting adds. */
  delay_ms: number
  jitter_ms: number
  /** Mean time a transaction takes to be durable. */
  sync_ms: number
}

export const FAIR: Weather = { loss: 0, duplicate: 0, delay_ms: 0.3, jitter_ms: 0.4, sync_ms: 3 }

/** Cut links are noticed, and dialled again, this often. */
const DIAL_MS = 500

export interface SimulatedNode {
  readonly index: number
  readonly id: NodeId
  disk: SimulatedStore
  /** Undefined while its process does not run. */
  state: SyncState | undefined
  /** Starts so far: what an earlier process began never ends. */
  starts: number
  tick: Cancel | undefined
  /** Work for the disk, done one after the other. */
  readonly work: (() => void)[]
  working: boolean
  full: boolean
  liar: boolean
}

/** A write that was acknowledged: it must be found everywhere in the end, or what overwrote it. */
interface Acknowledged {
  readonly origin: OriginKey
  readonly version: number
  readonly rows: readonly ChangeRow[]
}

export class World {
  readonly clock = new SimulatedClock()
  readonly random: SimulatedRandom
  readonly nodes: SimulatedNode[]
  readonly links: Links
  weather: Weather = { ...FAIR }
  calmed = false
  /** What happened how often: a test asserts that its knob did something. */
  readonly counts: Record<string, number> = {}
  acknowledged: Acknowledged[] = []
  /** Who was named by honest nodes, and for what. */
  readonly named: { readonly node: NodeId; readonly fault: PeerFault }[] = []
  /** Nodes that believe to be old copies of themselves. */
  readonly outlived: NodeId[] = []
  /** Looks at a message before it is sent, and may replace it. */
  tamper: ((from: SimulatedNode, message: SyncMessage) => SyncMessage) | undefined
  observe: ((node: SimulatedNode, before: SyncState, input: SyncInput, after: SyncState) => void) | undefined
  readonly #byId = new Map<NodeId, SimulatedNode>()
  readonly mayWrite = (id: NodeId): boolean => this.#byId.has(id)

  constructor(seed: number, nodes: number) {
    this.random = new SimulatedRandom(seed)
    this.links = new Links(nodes)
    this.nodes = Array.from({ length: nodes }, (_, index) => {
      const id = nodeId(`n${index}`)
      const node: SimulatedNode = {
        index,
        id,
        disk: new SimulatedStore({ node: id, life: 0 }, SCHEMA),
        state: undefined,
        starts: 0,
        tick: undefined,
        work: [],
        working: false,
        full: false,
        liar: false,
      }
      this.#byId.set(id, node)
      return node
    })
    this.#dial()
  }

  get now(): number {
    return this.clock.monotonic()
  }

  count(what: string, add = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + add
  }

  start(node: SimulatedNode): void {
    if (node.state !== undefined) return
    node.starts += 1
    const { disk } = node
    const { state, effects } = beginSync({
      self: disk.self,
      schema: disk.schema.version,
      now: monotonic(this.now),
      held: disk.extents(),
      parked: new Map(disk.parked),
    })
    node.state = state
    this.#perform(node, effects)
  }

  /** The process ends at once, with what was not durable yet. */
  crash(node: SimulatedNode): void {
    if (node.state === undefined) return
    node.state = undefined
    node.tick?.()
    this.count('crashes')
    this.count('unsynced work lost', node.work.length + (node.working ? 1 : 0))
    node.work.length = 0
    node.working = false
    for (const peer of this.nodes) if (peer !== node) this.disconnect(peer, node)
  }

  give(node: SimulatedNode, input: SyncInput): void {
    const before = node.state
    if (before === undefined) return
    const context = { now: monotonic(this.now), entropy: this.random.uint32(), mayWrite: this.mayWrite }
    const { state, effects } = sync(before, input, context)
    node.state = state
    this.observe?.(node, before, input, state)
    this.#perform(node, effects)
  }

  #perform(node: SimulatedNode, effects: readonly SyncEffect[]): void {
    for (const effect of effects) this.#performOne(node, effect)
  }

  #performOne(node: SimulatedNode, effect: SyncEffect): void {
    const { disk } = node
    switch (effect.type) {
      case 'send':
        this.send(node, this.#byId.get(effect.to)!, effect.message)
        return
      case 'schedule':
        node.tick?.()
        node.tick = this.clock.after(effect.delay_ms, () => this.give(node, { type: 'tick' }))
        return
      case 'store':
        this.later(node, () => this.#store(node, effect))
        return
      case 'read': {
        const { peer, number, origin, above, edition } = effect
        // Reading takes no turn behind the writes, but it takes its time.
        const { starts } = node
        this.clock.after(this.#exponential(2), () => {
          if (node.starts !== starts) return
          this.give(node, { type: 'read', peer, number, batches: disk.answer(origin, above, edition) })
        })
        return
      }
      case 'replay':
        this.later(node, () => {
          this.count('replays')
          const parked = node.disk.replay(effect.origin, effect.above)
          return () => this.give(node, { type: 'replayed', origin: effect.origin, parked })
        })
        return
      case 'outlived':
        if (!node.liar) this.outlived.push(node.id)
        return
      case 'fault':
        if (!node.liar) this.named.push(effect)
        this.count(`named: ${effect.fault}`)
        return
    }
  }

  #store(
    node: SimulatedNode,
    { number, origin, batches }: Extract<SyncEffect, { type: 'store' }>,
  ): () => void {
    if (node.full) {
      this.count('full')
      return () => this.give(node, { type: 'store-failed', number })
    }
    const stored = node.disk.store(origin, batches, this.mayWrite)
    if (stored.parked) this.count('parked')
    return () => this.give(node, { type: 'stored', number, ...stored })
  }

  /** Work for the disk: durable after a while, told a little later; a crash may come before either. */
  later(node: SimulatedNode, run: () => () => void): void {
    if (node.state === undefined) return
    const { starts } = node
    const next = (): void => {
      const first = node.work.shift()
      node.working = first !== undefined
      if (first !== undefined)
        this.clock.after(this.#exponential(this.weather.sync_ms), () => {
          if (node.starts === starts && node.state !== undefined) first()
        })
    }
    node.work.push(() => {
      const tell = run()
      this.clock.after(this.#exponential(this.weather.sync_ms / 3), () => {
        if (node.starts !== starts || node.state === undefined) {
          this.count('durable and never told')
          return
        }
        tell()
        next()
      })
    })
    if (!node.working) next()
  }

  /** One transaction of a node; acknowledged when it is durable. */
  write(node: SimulatedNode, operations: readonly Operation[]): void {
    if (node.state === undefined) return
    this.later(node, () => {
      if (node.full) {
        this.count('full')
        return () => {}
      }
      const { disk } = node
      const rows = disk.write(operations)
      if (rows.length === 0) return () => {}
      const origin = originKey(disk.self)
      const extent = disk.extent(origin)
      return () => {
        this.count('writes')
        this.acknowledged.push({ origin, version: extent.version, rows })
        this.give(node, { type: 'own-log', extent })
      }
    })
  }

  /** Compacts the own log as soon as the peers hold all that this node holds; after a while it is given up. */
  compact(node: SimulatedNode, tries = 60): void {
    if (node.state === undefined || tries === 0) return
    if (node.full || !isSettled(node.state)) {
      this.clock.after(100, () => this.compact(node, tries - 1))
      return
    }
    this.later(node, () => {
      if (!node.disk.compact()) return () => {}
      this.count('compactions')
      const extent = node.disk.extent(originKey(node.disk.self))
      return () => this.give(node, { type: 'own-log', extent })
    })
  }

  /** A disk is gone: what it alone held was acknowledged, and cannot be found any more. */
  forgetLost(lost: SimulatedStore): void {
    const own = originKey(lost.self)
    const best = Math.max(...this.nodes.map(({ disk }) => disk.extent(own).version))
    const before = this.acknowledged.length
    this.acknowledged = this.acknowledged.filter(({ origin, version }) => origin !== own || version <= best)
    this.count('writes lost with a disk', before - this.acknowledged.length)
  }

  upgrade(node: SimulatedNode): void {
    if (node.disk.schema === NEXT_SCHEMA) return
    const change = (): (() => void) => {
      node.disk.schema = NEXT_SCHEMA
      this.count('upgrades')
      return () => this.give(node, { type: 'schema', version: NEXT_SCHEMA.version })
    }
    if (node.state === undefined) change()
    else this.later(node, change)
  }

  send(from: SimulatedNode, to: SimulatedNode, message: SyncMessage): void {
    const { links, weather, random } = this
    const session = links.session(from.index, to.index)
    if (session === 0) return
    const sent = this.tamper?.(from, message) ?? message
    if (weather.loss > 0 && random.float() < weather.loss) {
      this.count('lost')
      return
    }
    this.#carry(from, to, session, sent, this.#delay())
    if (weather.duplicate > 0 && random.float() < weather.duplicate) {
      this.count('duplicated')
      this.#carry(from, to, session, sent, this.#delay() + random.float() * 2_000)
    }
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.random.float()) * mean
  }

  #delay(): number {
    return this.weather.delay_ms + this.#exponential(this.weather.jitter_ms)
  }

  readonly #lastArrival = new Map<string, number>()

  #carry(
    from: SimulatedNode,
    to: SimulatedNode,
    session: number,
    message: SyncMessage,
    delay_ms: number,
  ): void {
    const held_ms = this.links.heldFor(from.index, to.index, this.now)
    if (held_ms > 0) this.count('held')
    const arrives = this.now + held_ms + delay_ms
    const link = `${from.index}>${to.index}`
    if (arrives < (this.#lastArrival.get(link) ?? 0)) this.count('overtaken')
    this.#lastArrival.set(link, Math.max(arrives, this.#lastArrival.get(link) ?? 0))
    this.clock.after(held_ms + delay_ms, () => {
      if (this.links.isCut(from.index, to.index)) this.count('cut')
      else if (this.links.session(to.index, from.index) === session) this.arrive(from, to, message)
    })
  }

  /** A value as it comes off the wire. */
  arrive(from: SimulatedNode, to: SimulatedNode, value: unknown): void {
    const decoded = decodeSync(value)
    if (decoded.ok) {
      this.give(to, { type: 'message', from: from.id, message: decoded.message })
      return
    }
    this.count(`refused: ${decoded.why}`)
    this.give(to, { type: 'undecodable', from: from.id })
  }

  disconnect(node: SimulatedNode, peer: SimulatedNode): void {
    const { links } = this
    for (const [end, other] of [
      [node, peer],
      [peer, node],
    ] as const) {
      if (links.session(end.index, other.index) === 0) continue
      links.close(end.index, other.index)
      this.give(end, { type: 'peer-down', peer: other.id })
    }
  }

  /** Streams over a cut link end, and begin when the way is free, as membership and dialling see to. */
  #dial(): void {
    this.clock.after(DIAL_MS, () => {
      this.#dial()
      for (const a of this.nodes) {
        for (const b of this.nodes) {
          if (a.index >= b.index || a.state === undefined || b.state === undefined) continue
          const cut = this.links.isCut(a.index, b.index) && this.links.isCut(b.index, a.index)
          const connected = this.links.isConnected(a.index, b.index)
          if (cut && connected && this.random.below(4) === 0) this.disconnect(a, b)
          if (cut || connected || this.links.isCut(a.index, b.index) || this.links.isCut(b.index, a.index))
            continue
          this.links.connect(a.index, b.index)
          this.give(a, { type: 'peer-up', peer: b.id })
          this.give(b, { type: 'peer-up', peer: a.id })
        }
      }
    })
  }
}
