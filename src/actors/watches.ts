/** Death watch: who wants to know when an actor is gone for good. */
import type { Ref } from './address.ts'
import { type Cell, FROM_OUTSIDE } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { ExitReason, SystemMessage, Target } from './effects.ts'

export class Watches {
  readonly #delivery: Delivery

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  /** Watching twice is watching once. Whoever is not there is reported gone at once. */
  watch(watcher: Cell, target: Target): void {
    const cell = this.#delivery.find(target)
    if (cell === undefined) {
      const ref: Ref = typeof target === 'string' ? { address: target, incarnation: 0 } : target
      this.#tell(watcher, ref, { kind: 'unknown-actor' })
      return
    }
    cell.watchers ??= new Set()
    cell.watchers.add(watcher)
    watcher.watching ??= new Set()
    watcher.watching.add(cell)
  }

  unwatch(watcher: Cell, target: Target): void {
    const cell = this.#delivery.find(target)
    if (cell === undefined) return
    cell.watchers?.delete(watcher)
    watcher.watching?.delete(cell)
  }

  /** This life of the watcher is over. */
  forgetWatcher(watcher: Cell): void {
    for (const cell of watcher.watching ?? []) cell.watchers?.delete(watcher)
    watcher.watching = undefined
  }

  gone(cell: Cell, reason: ExitReason): void {
    for (const watcher of cell.watchers ?? []) {
      watcher.watching?.delete(cell)
      this.#tell(watcher, cell.ref, reason)
    }
    cell.watchers = undefined
  }

  #tell(watcher: Cell, ref: Ref, reason: ExitReason): void {
    const terminated: SystemMessage = { type: 'terminated', ref, reason }
    this.#delivery.control(watcher, terminated, FROM_OUTSIDE)
  }
}
