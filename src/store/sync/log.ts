/**
 * One writer's log: which of its batches are kept, and which are handed on. Batches of several editions may cover the same transactions;
 * the latest edition is the shortest, and what it covers makes the earlier ones superfluous.
 */
import type { Header } from './batch-bytes.ts'
import { MAX_ANSWER_BATCHES, MAX_ANSWER_BYTES } from './bounds.ts'

/** A kept batch: what its header says, and its size. */
export interface LogEntry extends Pick<Header, 'edition' | 'base' | 'from' | 'to'> {
  /** Bytes. */
  readonly size: number
}

/**
 * The way through the log from a version upwards, without a gap: at each point the latest edition that covers it, and of that the batch
 * that leads farthest. Whatever is not on the way from 0 may be forgotten.
 */
export function wayThrough<Entry extends LogEntry>(
  entries: readonly Entry[],
  above: number,
  edition = 0,
): Entry[] {
  const way: Entry[] = []
  const sorted = entries.filter((entry) => entry.edition >= edition).sort((a, b) => a.from - b.from)
  const open: Entry[] = []
  let next = 0
  for (let at = above; ; ) {
    for (; next < sorted.length && sorted[next]!.from <= at; next += 1) open.push(sorted[next]!)
    let best: Entry | undefined
    for (let i = open.length - 1; i >= 0; i -= 1) {
      const entry = open[i]!
      if (entry.to <= at) open.splice(i, 1)
      else if (best === undefined || isBetter(entry, best)) best = entry
    }
    if (best === undefined) return way
    way.push(best)
    at = best.to
  }
}

const isBetter = (a: LogEntry, b: LogEntry): boolean =>
  a.edition > b.edition || (a.edition === b.edition && a.to > b.to)

/** What an answer to a pull holds: at least one batch if there is any. */
export function answerFrom<Entry extends LogEntry>(
  entries: readonly Entry[],
  above: number,
  edition: number,
): readonly Entry[] {
  let bytes = 0
  const way = wayThrough(entries, above, edition)
  const fitting = way.findIndex(({ size }, i) => {
    bytes += size
    return i >= MAX_ANSWER_BATCHES || (i > 0 && bytes > MAX_ANSWER_BYTES)
  })
  return fitting === -1 ? way : way.slice(0, fitting)
}

export interface LogExtent {
  /** Held without a gap up to here. */
  readonly version: number
  /** The earliest edition among what is held of the compacted part; 0 when nothing of it is. */
  readonly edition: number
  readonly bytes: number
}

/** What a log that consists of its way from 0 amounts to. */
export function extentOf(way: readonly LogEntry[]): LogExtent {
  const base = way.reduce((most, entry) => Math.max(most, entry.base), 0)
  const compacted = way.filter(({ from }) => from < base)
  return {
    version: way.at(-1)?.to ?? 0,
    edition: compacted.length === 0 ? 0 : Math.min(...compacted.map(({ edition }) => edition)),
    bytes: way.reduce((sum, { size }) => sum + size, 0),
  }
}
