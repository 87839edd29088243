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
    const watched = cell.own()
    watched.watchers ??= new Set()
    watched.watchers.add(watcher)
    const own = watcher.own()
    own.watching ??= new Set()
    own.watching.add(cell)
  }

  unwatch(watcher: Cell, target: Target): void {
    const cell = this.#delivery.find(target)
    if (cell === undefined) return
    cell.extras.watchers?.delete(watcher)
    watcher.extras.watching?.delete(cell)
  }

  /** This life of the watcher is over. */
  forgetWatcher(watcher: Cell): void {
    const { watching } = watcher.extras
    if (watching === undefined) return
    for (const cell of watching) cell.extras.watchers?.delete(watcher)
    watching.clear()
  }

  gone(cell: Cell, reason: ExitReason): void {
    const { watchers } = cell.extras
    if (watchers === undefined) return
    for (const watcher of watchers) {
      watcher.extras.watching?.delete(cell)
      this.#tell(watcher, cell.ref, reason)
    }
    watchers.clear()
  }

  #tell(watcher: Cell, ref: Ref, reason: ExitReason): void {
    const terminated: SystemMessage = { type: 'terminated', ref, reason }
    this.#delivery.control(watcher, terminated, FROM_OUTSIDE)
  }
}
