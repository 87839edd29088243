/** Death watch: who wants to know when an actor is gone for good, here and on other nodes. */
import type { NodeId } from '../host/index.ts'
import { keyOf, type Ref } from './address.ts'
import { type Cell, FROM_OUTSIDE, type Gone } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { ExitReason, SystemMessage, Target } from './effects.ts'

/** What actors of this node watch on another: asked for once there, whatever the number of watchers. */
interface WatchAfar {
  readonly node: NodeId
  readonly target: Target
  readonly watchers: Set<Cell>
}

export class Watches {
  readonly #delivery: Delivery
  readonly #afar = new Map<string, WatchAfar>()

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  /** Watching twice is watching once. Whoever is not there is reported gone at once. */
  watch(watcher: Cell, target: Target): void {
    const cell = this.#delivery.find(target)
    if (cell === undefined) {
      const node = this.#delivery.remote?.locate(target)
      if (node === undefined) this.#tell(watcher, unknown(target), { kind: 'unknown-actor' })
      else this.#watchAfar(watcher, target, node)
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
    this.#leaveAfar(watcher, keyOf(target))
    const cell = this.#delivery.find(target)
    if (cell === undefined) return
    cell.extras.watchers?.delete(watcher)
    watcher.extras.watching?.delete(cell)
  }

  /** For somebody who is no actor of this node. Returns how to call it off. */
  listen(target: Target, gone: Gone): () => void {
    const cell = this.#delivery.find(target)
    if (cell === undefined) {
      gone(unknown(target), { kind: 'unknown-actor' })
      return () => undefined
    }
    const watched = cell.own()
    watched.watchers ??= new Set()
    watched.watchers.add(gone)
    return () => cell.extras.watchers?.delete(gone)
  }

  /** This life of the watcher is over. */
  forgetWatcher(watcher: Cell): void {
    const { watching, watchingAfar } = watcher.extras
    for (const key of watchingAfar ?? []) this.#leaveAfar(watcher, key)
    if (watching === undefined) return
    for (const cell of watching) cell.extras.watchers?.delete(watcher)
    watching.clear()
  }

  gone(cell: Cell, reason: ExitReason): void {
    const { watchers } = cell.extras
    if (watchers === undefined) return
    for (const watcher of watchers) {
      if (typeof watcher === 'function') {
        watcher(cell.ref, reason)
        continue
      }
      watcher.extras.watching?.delete(cell)
      this.#tell(watcher, cell.ref, reason)
    }
    watchers.clear()
  }

  /** It left this node: who watched it here does so there. */
  moved(cell: Cell, watchers: ReadonlySet<Cell | Gone> | undefined, to: NodeId): void {
    const target = plain(cell.ref)
    for (const watcher of watchers ?? []) {
      if (typeof watcher === 'function') {
        watcher(target, { kind: 'moved', to })
        continue
      }
      watcher.extras.watching?.delete(cell)
      this.#watchAfar(watcher, target, to)
    }
  }

  /** What is watched on another node moved on, perhaps to this one. */
  movedAfar(target: Target, to: NodeId): void {
    const key = keyOf(target)
    const watch = this.#afar.get(key)
    if (watch === undefined) return
    this.#afar.delete(key)
    for (const watcher of watch.watchers) {
      watcher.extras.watchingAfar?.delete(key)
      if (this.#delivery.find(target) !== undefined) this.watch(watcher, target)
      else this.#watchAfar(watcher, target, to)
    }
  }

  /** All that an actor watches. */
  targetsOf(watcher: Cell): readonly Target[] {
    const { watching, watchingAfar } = watcher.extras
    const here = [...(watching ?? [])].map(({ ref }) => plain(ref))
    const afar = [...(watchingAfar ?? [])].flatMap((key) => this.#afar.get(key)?.target ?? [])
    return [...here, ...afar.map((each) => (typeof each === 'string' ? each : plain(each)))]
  }

  /** An actor of another node is. */
  goneAfar(target: Target, ref: Ref, reason: ExitReason): void {
    const key = keyOf(target)
    const watch = this.#afar.get(key)
    if (watch === undefined) return
    this.#afar.delete(key)
    for (const watcher of watch.watchers) {
      watcher.extras.watchingAfar?.delete(key)
      this.#tell(watcher, ref, reason)
    }
  }

  #watchAfar(watcher: Cell, target: Target, node: NodeId): void {
    const key = keyOf(target)
    const own = watcher.own()
    own.watchingAfar ??= new Set()
    own.watchingAfar.add(key)
    const known = this.#afar.get(key)
    if (known !== undefined) {
      known.watchers.add(watcher)
      return
    }
    this.#afar.set(key, { node, target, watchers: new Set([watcher]) })
    this.#delivery.remote?.watch(node, target)
  }

  #leaveAfar(watcher: Cell, key: string): void {
    const watch = this.#afar.get(key)
    if (watch?.watchers.delete(watcher) !== true) return
    watcher.extras.watchingAfar?.delete(key)
    if (watch.watchers.size > 0) return
    this.#afar.delete(key)
    this.#delivery.remote?.unwatch(watch.node, watch.target)
  }

  #tell(watcher: Cell, ref: Ref, reason: ExitReason): void {
    const terminated: SystemMessage = { type: 'terminated', ref, reason }
    this.#delivery.control(watcher, terminated, FROM_OUTSIDE)
  }
}

const plain = ({ address, incarnation }: Ref): Ref => ({ address, incarnation })

const unknown = (target: Target): Ref =>
  typeof target === 'string' ? { address: target, incarnation: 0 } : target
