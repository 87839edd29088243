/**
 * What the store of a household does, in memory: every node has all entries, the later write of an entry wins whole, what was deleted
 * stays deleted. An entry carries a counter that grows past all it has seen, and who wrote it.
 */
import type { EntryChange } from '../../../src/actors/index.ts'

export interface Version {
  readonly key: string
  /** Undefined: deleted. */
  readonly value: unknown
  readonly count: number
  readonly by: string
}

const later = (a: Version, b: Version | undefined): boolean =>
  b === undefined || a.count > b.count || (a.count === b.count && a.by > b.by)

export class Replica {
  readonly #versions = new Map<string, Version>()
  readonly #self: string

  constructor(self: string) {
    this.#self = self
  }

  all(): readonly Version[] {
    return [...this.#versions.values()]
  }

  /** What is there now, as the first chunk of following brings it. */
  entries(): EntryChange[] {
    return this.all()
      .filter(({ value }) => value !== undefined)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, value }) => ({ change: 'put', key, value }))
  }

  has(key: string): boolean {
    return this.#versions.get(key)?.value !== undefined
  }

  knows(version: Version): boolean {
    return !later(version, this.#versions.get(version.key))
  }

  /** Own writes; gives what is to be told to the others. */
  write(changes: readonly EntryChange[]): readonly Version[] {
    return changes.map((change) => {
      const { key } = change
      const version: Version = {
        key,
        value: change.change === 'put' ? change.value : undefined,
        count: (this.#versions.get(key)?.count ?? 0) + 1,
        by: this.#self,
      }
      this.#versions.set(key, version)
      return version
    })
  }

  /** Writes of others; gives what they changed here. */
  merge(versions: readonly Version[]): EntryChange[] {
    return versions
      .filter((version) => {
        if (!later(version, this.#versions.get(version.key))) return false
        this.#versions.set(version.key, version)
        return true
      })
      .map(({ key, value }) =>
        value === undefined ? { change: 'delete', key } : { change: 'put', key, value },
      )
  }

  /** Equal on nodes that hold the same. */
  digest(): string {
    const rows = this.all().map(({ key, value, count, by }) =>
      JSON.stringify([key, value ?? null, count, by]),
    )
    return rows.sort().join('\n')
  }
}
