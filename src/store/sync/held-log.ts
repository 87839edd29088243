/** One writer's log as it is held: the headers of its batches in memory, so that what arrives next costs no more in a long log than in a short one. */
import { answerFrom, extentOf, type LogEntry, type LogExtent, wayThrough } from './log.ts'

const EMPTY: LogExtent = { version: 0, edition: 0, bytes: 0 }

export class HeldLog {
  /** The way from 0, in order. */
  #way: readonly LogEntry[] = []
  #extent = EMPTY

  get extent(): LogExtent {
    return this.#extent
  }

  /** The latest edition there is, and where what it compacted ends. */
  get latest(): Pick<LogEntry, 'edition' | 'base'> {
    let latest = { edition: 0, base: 0 }
    for (const entry of this.#way) if (entry.edition > latest.edition) latest = entry
    return latest
  }

  /** Returns what is superfluous with it, itself perhaps. */
  add(entry: LogEntry): readonly LogEntry[] {
    const last = this.#way.at(-1)
    // Nothing else covers what lies above all that is held.
    if (
      last !== undefined &&
      entry.from === last.to &&
      entry.base === last.base &&
      entry.from >= entry.base
    ) {
      ;(this.#way as LogEntry[]).push(entry)
      const { bytes, edition } = this.#extent
      this.#extent = { version: entry.to, edition, bytes: bytes + entry.size }
      return []
    }
    const all = [...this.#way, entry]
    this.#way = wayThrough(all, 0)
    this.#extent = extentOf(this.#way)
    const kept = new Set(this.#way)
    return all.filter((one) => !kept.has(one))
  }

  answer(above: number, edition: number): readonly LogEntry[] {
    return answerFrom(this.#way, above, edition)
  }

  /** Those that lead beyond a version. */
  beyond(version: number): readonly LogEntry[] {
    return this.#way.filter(({ to }) => to > version)
  }
}
