/**
 * Keeps engines in memory as they are needed: looks now and then, and when a node comes or goes, at what the household offers, and
 * lets an engine rest or wakes it. Which and when is decided by `cluster/placement/warmth.ts`.
 */
import { type ClusterListener, type Offer, warmings } from '../cluster/index.ts'
import type { Cancel, Clock, NodeId } from '../host/index.ts'
import type { Pool } from '../inference/index.ts'
import type { Log, Metrics } from '../observe/index.ts'

/** A spare that is lost is replaced this soon, or as soon as membership says so; sheets are told again every two seconds. */
const LOOK_EVERY_MS = 5_000

export interface WarmthParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly pool: Pick<Pool, 'kept' | 'rest' | 'wake'>
  readonly offers: () => readonly Offer[]
  /** How long what was asked keeps an engine in memory, ms; 0: for ever. */
  readonly keep_ms: number
  readonly log: Pick<Log, 'info'>
  readonly metrics: Pick<Metrics, 'add'>
}

export class Warmth {
  readonly #parts: WarmthParts
  #next: Cancel = () => undefined

  constructor(parts: WarmthParts) {
    this.#parts = parts
  }

  readonly listener: ClusterListener = {
    member: ({ status }) => {
      if (status !== 'alive' && this.#parts.keep_ms > 0) this.#look()
    },
  }

  start(): void {
    if (this.#parts.keep_ms === 0) return
    this.#next = this.#parts.clock.after(LOOK_EVERY_MS, () => {
      this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#next()
  }

  #look(): void {
    const { self, pool, offers, keep_ms, log, metrics } = this.#parts
    for (const { name, do: what, why } of warmings(pool.kept(), { self, offered: offers(), keep_ms })) {
      log.info(what === 'rest' ? 'An engine rests' : 'An engine wakes', { engine: name, why })
      metrics.add('loqa_engine_warmth_total', 1, { engine: name, event: what })
      pool[what](name)
    }
  }
}
