/**
 * Who follows which collection: each is told all of it first, then what entries are now whenever some of them changed durably, whoever
 * wrote them. What is told is read after the change, so the last word about an entry is what the table holds.
 */
import type { EntryChange, Followed } from '../actors/index.ts'
import type { LoqaError } from '../host/index.ts'
import type { ChangeRow, Replica } from './crdt/index.ts'
import { changedKeys, entriesFrom, listOf, those } from './entries.ts'

/** Of more changes at once all of the collection is read again. */
const MAX_KEYS = 256

export interface Follower {
  readonly hear: (followed: Followed) => void
  /** The last word: nothing more comes. */
  readonly failed: (error: LoqaError) => void
}

export class Followers {
  readonly #by = new Map<string, Set<Follower>>()

  /** Returns how to stop. */
  add(collection: string, follower: Follower, replica: Replica): () => void {
    let live = true
    const stop = (): void => {
      live = false
      this.#by.get(collection)?.delete(follower)
    }
    replica.read(listOf(collection, '')).then(
      (rows) => {
        if (!live) return
        const followers = this.#by.get(collection) ?? new Set()
        this.#by.set(collection, followers.add(follower))
        follower.hear({ whole: true, changes: puts(rows) })
      },
      (error: LoqaError) => {
        if (live) follower.failed(error)
      },
    )
    return stop
  }

  /** Rows of the table that are durable. */
  changed(rows: readonly ChangeRow[], replica: Replica): void {
    for (const [collection, keys] of changedKeys(rows)) {
      if ((this.#by.get(collection)?.size ?? 0) > 0) void this.#tell(collection, [...keys], replica)
    }
  }

  async #tell(collection: string, keys: readonly string[], replica: Replica): Promise<void> {
    const whole = keys.length > MAX_KEYS
    let followed: Followed
    try {
      const rows = await replica.read(whole ? listOf(collection, '') : those(collection, keys))
      const found = puts(rows)
      const there = new Set(found.map(({ key }) => key))
      const gone = whole ? [] : keys.filter((key) => !there.has(key))
      followed = { whole, changes: [...found, ...gone.map((key) => ({ change: 'delete', key }) as const)] }
    } catch (thrown) {
      // Whoever missed a change begins anew.
      this.fail(thrown as LoqaError, collection)
      return
    }
    for (const { hear } of this.#by.get(collection) ?? []) hear(followed)
  }

  /** Everybody's last word, or that of the followers of one collection. */
  fail(error: LoqaError, collection?: string): void {
    for (const name of collection === undefined ? [...this.#by.keys()] : [collection]) {
      const followers = this.#by.get(name) ?? []
      this.#by.delete(name)
      for (const { failed } of followers) failed(error)
    }
  }
}

const puts = (rows: Parameters<typeof entriesFrom>[0]): readonly EntryChange[] =>
  entriesFrom(rows).map(({ key, value }) => ({ change: 'put', key, value }))
