/** Collections that all nodes of a test see at once: what a store is to those that only keep something in it. */
import type { Entry, EntryChange } from '../../src/actors/index.ts'
import type { Store } from '../../src/store/index.ts'

type Follower = Parameters<Store['follow']>[1]

export class SharedStore implements Pick<Store, 'list' | 'apply' | 'follow'> {
  readonly #collections = new Map<string, Map<string, string>>()
  readonly #followers = new Map<string, Set<Follower>>()

  async list(collection: string, prefix = ''): Promise<readonly Entry[]> {
    return [...(this.#collections.get(collection) ?? [])]
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value: JSON.parse(value) as unknown }))
  }

  async apply(collection: string, changes: readonly EntryChange[]): Promise<void> {
    const entries = this.#collections.get(collection) ?? new Map<string, string>()
    this.#collections.set(collection, entries)
    for (const change of changes) {
      if (change.change === 'put') entries.set(change.key, JSON.stringify(change.value))
      else entries.delete(change.key)
    }
    for (const { hear } of this.#followers.get(collection) ?? [])
      setImmediate(() => hear({ whole: false, changes }))
  }

  follow(collection: string, follower: Follower): () => void {
    const followers = this.#followers.get(collection) ?? new Set()
    this.#followers.set(collection, followers.add(follower))
    return () => void followers.delete(follower)
  }
}
