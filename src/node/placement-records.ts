/** Keeps the claims of placed actors in the household's store, and hears of them from there (`cluster/placement/records.ts`). */
import type { Followed } from '../actors/index.ts'
import { PLACEMENTS, type Placement, type Placements, recordChanges, recordFrom } from '../cluster/index.ts'
import { type Cancel, type Clock, errorShape, type NodeId } from '../host/index.ts'
import type { Store } from '../store/index.ts'
import { following } from './following.ts'

/** What changes meanwhile is written together: a conversation that begins and ends at once is never written. */
const GROUP_MS = 250
/** When the store cannot be written. */
const AGAIN_MS = 2_000
/** Of one transaction: a bound of the store. */
const MOST_CHANGES = 256

export interface PlacementRecordsParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly store: Pick<Store, 'apply' | 'follow'>
  readonly map: { placements(): Placements; recorded(entries: readonly Placement[]): void }
  /** Whether a disk may know of it. */
  readonly isKept: (address: string) => boolean
  readonly log: (message: string, values: Readonly<Record<string, unknown>>) => void
}

export class PlacementRecords {
  readonly #parts: PlacementRecordsParts
  /** As the store has them: epochs by node, by address. */
  readonly #records = new Map<string, Map<NodeId, number>>()
  readonly #dirty = new Set<string>()
  #timer: Cancel | undefined
  #writing = false
  #following: Cancel = () => undefined
  #closed = false

  constructor(parts: PlacementRecordsParts) {
    this.#parts = parts
  }

  /** Once the map is connected. */
  start(): void {
    this.#following = following(this.#parts, PLACEMENTS, (followed) => this.#hear(followed))
  }

  /** The map says something new about these. */
  changed(addresses: readonly string[]): void {
    for (const address of addresses) this.#dirty.add(address)
    if (this.#dirty.size > 0) this.#later(GROUP_MS)
  }

  stop(): void {
    this.#closed = true
    this.#timer?.()
    this.#following()
  }

  #hear({ whole, changes }: Followed): void {
    if (whole) this.#records.clear()
    const heard: Placement[] = []
    for (const change of changes) {
      // Its value says nothing of whose a deleted one was: its key does.
      const named = recordFrom(change.key, change.change === 'put' ? change.value : { epoch: 1 })
      if (named === undefined) continue
      if (change.change === 'put') {
        this.#of(named.address).set(named.node, named.epoch)
        heard.push(named)
      } else this.#records.get(named.address)?.delete(named.node)
    }
    if (heard.length > 0) this.#parts.map.recorded(heard)
    // Those it outranks are its to delete.
    this.changed(heard.map(({ address }) => address))
  }

  #of(address: string): Map<NodeId, number> {
    const records = this.#records.get(address) ?? new Map<NodeId, number>()
    this.#records.set(address, records)
    return records
  }

  #later(delay_ms: number): void {
    if (this.#closed || this.#timer !== undefined || this.#writing) return
    this.#timer = this.#parts.clock.after(delay_ms, () => {
      this.#timer = undefined
      void this.#write()
    })
  }

  async #write(): Promise<void> {
    const { self, store, map, isKept, log } = this.#parts
    const { entries } = map.placements()
    const written: string[] = []
    const changes = []
    for (const address of this.#dirty) {
      if (changes.length >= MOST_CHANGES / 2) break
      written.push(address)
      this.#dirty.delete(address)
      const records = this.#records.get(address) ?? new Map<NodeId, number>()
      const owner = entries.get(address)
      changes.push(...recordChanges(address, records, { self, owner, kept: isKept(address) }))
    }
    let wait_ms = GROUP_MS
    if (changes.length > 0) {
      this.#writing = true
      try {
        await store.apply(PLACEMENTS, changes.slice(0, MOST_CHANGES))
      } catch (thrown) {
        const { code, message } = errorShape(thrown)
        log('Where actors live could not be written down', { code, message })
        for (const address of written) this.#dirty.add(address)
        wait_ms = AGAIN_MS
      } finally {
        this.#writing = false
      }
    }
    if (this.#dirty.size > 0) this.#later(wait_ms)
  }
}
