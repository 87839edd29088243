/**
 * What the store of a household does, in memory: every node has all entries; of two versions of an entry the one of its later life counts
 * (it is born, deleted, born again), in the same life the one that was written more often, of equals the greater value.
 */
import type { EntryChange } from '../../../src/actors/index.ts'

export interface Version {
  readonly key: string
  /** Undefined: deleted. */
  readonly value: unknown
  /** Odd while it lives. */
  readonly life: number
  /** In this life. */
  readonly count: number
}

function later(a: Version, b: Version | undefined): boolean {
  if (b === undefined) return true
  if (a.life !== b.life) return a.life > b.life
  if (a.count !== b.count) return a.count > b.count
  return (JSON.stringify(a.value) ?? '') > (JSON.stringify(b.value) ?? '')
}

function nextOf(change: EntryChange, known: Version | undefined): Version {
  const { key } = change
  const { life = 0, count = 0 } = known ?? {}
  const lives = life % 2 === 1
  if (change.change === 'delete') return { key, value: undefined, life: lives ? life + 1 : life, count: 0 }
  if (lives && !change.renews) return { key, value: change.value, life, count: count + 1 }
  return { key, value: change.value, life: lives ? life + 2 : life + 1, count: 1 }
}

export class Replica {
  readonly #versions = new Map<string, Version>()

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
      const version = nextOf(change, this.#versions.get(change.key))
      this.#versions.set(change.key, version)
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
    const rows = this.all().map(({ key, value, life, count }) =>
      JSON.stringify([key, value ?? null, life, count]),
    )
    return rows.sort().join('\n')
  }
}
