/**
 * What happens on the node, for pages and scripts that watch (`WS /api/v1/events`). Turns are told by whoever carried
 * them; the status is compared at an interval and told when something in it changed.
 */
import type { Cancel, Clock } from '../host/index.ts'
import type { StatusView } from './status-shapes.ts'
import type { NodeView } from './view.ts'
import type { TurnView } from './voice-shapes.ts'

export type NodeEvent =
  | { readonly type: 'status'; readonly status: StatusView }
  | { readonly type: 'turn'; readonly turn: TurnView }

/** Often enough that a page feels live; comparing costs well under a millisecond. */
const STATUS_INTERVAL_MS = 1_000

export class EventFeed {
  readonly #view: NodeView
  readonly #clock: Clock
  readonly #watchers = new Set<(event: NodeEvent) => void>()
  #cancel: Cancel | undefined
  #last = ''

  constructor(view: NodeView, clock: Clock) {
    this.#view = view
    this.#clock = clock
  }

  /** The watcher first gets the present status, then every change. The answer ends it. */
  watch(watcher: (event: NodeEvent) => void): () => void {
    const status = this.#view.status()
    if (this.#watchers.size === 0) {
      this.#last = essence(status)
      this.#schedule()
    }
    this.#watchers.add(watcher)
    watcher({ type: 'status', status })
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.#cancel?.()
    }
  }

  turn(turn: TurnView): void {
    this.#tell({ type: 'turn', turn })
  }

  #tell(event: NodeEvent): void {
    for (const watcher of this.#watchers) watcher(event)
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(STATUS_INTERVAL_MS, () => {
      const status = this.#view.status()
      const now = essence(status)
      if (now !== this.#last) {
        this.#last = now
        this.#tell({ type: 'status', status })
      }
      this.#schedule()
    })
  }
}

/** The status without what changes all the time by itself. */
const essence = (status: StatusView): string =>
  JSON.stringify({
    ...status,
    node: { ...status.node, uptime_s: 0 },
    capabilities: status.capabilities.map((capability) => ({ ...capability, rss_mb: null })),
  })
