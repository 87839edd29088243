/**
 * What every other node added when it came, seen from here: said in the log once, and shown by `loqa nodes` while it is there. What counts
 * as added is decided by `cluster/placement/capacity.ts`.
 */
import {
  bestWithout,
  type ClusterListener,
  type Engine,
  type Gain,
  gainOf,
  gainText,
  type OfferedKind,
  sessionsOf,
} from '../cluster/index.ts'
import type { Cancel, Clock, NodeId } from '../host/index.ts'
import type { Log, Metrics } from '../observe/index.ts'

/** Engines of one node are ready one after the other, and measure themselves; then what it adds is said in one line, ms. */
const SETTLE_MS = 1_500
/** So many times it is waited for an engine that is ready and has not measured itself. */
const SETTLINGS = 3

export interface AddedCapacityParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly offers: () => readonly Engine[]
  readonly nameOf: (node: NodeId) => string
  readonly log: Log
}

interface Added {
  /** What the others took when it came. */
  readonly before: ReadonlyMap<OfferedKind, number | null>
  /** As it was said; undefined while its engines settle. */
  gain: Gain | undefined
  settling: Cancel
}

export class AddedCapacity {
  readonly #parts: AddedCapacityParts
  readonly #added = new Map<NodeId, Added>()

  constructor(parts: AddedCapacityParts) {
    this.#parts = parts
  }

  readonly listener: ClusterListener = {
    sheet: (node) => this.#offersOf(node),
    member: ({ id, status }) => {
      if (status === 'dead' || status === 'left') this.#gone(id)
    },
  }

  stop(): void {
    for (const { settling } of this.#added.values()) settling()
    this.#added.clear()
  }

  /** What it added, as fast as it is now; null: nothing, or not known yet. */
  of(
    id: string,
  ): { readonly sessions: number; readonly faster: Gain['faster']; readonly text: string } | null {
    const node = id as NodeId
    const added = this.#added.get(node)
    if (added?.gain === undefined) return null
    const offered = this.#parts.offers()
    const gain = offered.some((offer) => offer.node === node) ? this.#gain(node, added, offered) : added.gain
    const text = gainText(gain)
    return text === undefined ? null : { ...gain, text }
  }

  /** Of what the household can do, for whoever scrapes. */
  report(metrics: Pick<Metrics, 'set'>): void {
    const offered = this.#parts.offers()
    metrics.set('loqa_capacity_sessions', sessionsOf(offered))
    for (const { node, tag, running, seen_ms, p95_ms, lag_ms } of offered) {
      metrics.set('loqa_engine_running', running, { tag, node })
      const took = seen_ms ?? p95_ms
      if (took !== null) metrics.set('loqa_engine_p95_ms', took, { tag, node })
      if (lag_ms !== undefined) metrics.set('loqa_engine_lag_ms', lag_ms, { tag, node })
    }
  }

  #offersOf(node: NodeId): void {
    const { self, offers, clock } = this.#parts
    if (node === self || this.#added.has(node)) return
    const offered = offers()
    if (!offered.some((offer) => offer.node === node)) return
    const settling = clock.after(SETTLE_MS, () => this.#settled(node, SETTLINGS))
    this.#added.set(node, { before: bestWithout(node, offered), gain: undefined, settling })
  }

  #settled(node: NodeId, left: number): void {
    const added = this.#added.get(node)
    if (added === undefined) return
    const { offers, log, nameOf, clock } = this.#parts
    const offered = offers()
    if (left > 0 && offered.some((offer) => offer.node === node && offer.p95_ms === null)) {
      added.settling = clock.after(SETTLE_MS, () => this.#settled(node, left - 1))
      return
    }
    const gain = this.#gain(node, added, offered)
    added.gain = gain
    const adds = gainText(gain)
    if (adds !== undefined) log.info('A node adds capacity', { peer: node, name: nameOf(node), adds })
  }

  #gain = (node: NodeId, { before }: Added, offered: readonly Engine[]): Gain =>
    gainOf(node, offered, (kind) => before.get(kind) ?? null)

  #gone(node: NodeId): void {
    const added = this.#added.get(node)
    if (added === undefined) return
    added.settling()
    this.#added.delete(node)
    const { log, nameOf } = this.#parts
    const took = added.gain === undefined ? undefined : gainText(added.gain)
    if (took !== undefined)
      log.info('What a node added is gone', { peer: node, name: nameOf(node), added: took })
  }
}
