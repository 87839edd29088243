/**
 * The last figures of one engine, for its capability row and for the choice where the next run goes: enough to have a 95th percentile,
 * few enough to follow change. Pure but for its own memory.
 *
 * F1  Where much is done only the last half minute counts, so that an engine that was just relieved, or is just being overrun, shows.
 * F2  Where little is done the last few count, so that one that is always slow is not taken for fast after every pause.
 * F3  What is too old counts nowhere: an engine that was slow once is tried again.
 */

const KEPT = 128
/** F1: about six turns of each conversation that goes on. */
const LATELY_MS = 30_000
/** F2 */
const FEW = 8
/** F3 */
const TOO_OLD_MS = 600_000

interface Figure {
  readonly value: number
  /** ms of a monotonic clock. */
  readonly at: number
}

export class Recent {
  readonly #figures: Figure[] = []

  add(value: number, now: number): void {
    if (this.#figures.length === KEPT) this.#figures.shift()
    this.#figures.push({ value, at: now })
  }

  /** Null when there is none. One single outlier of three to twenty is left out. */
  p95(now: number): number | null {
    return this.#quantile(0.95, now)
  }

  median(now: number): number | null {
    return this.#quantile(0.5, now)
  }

  /** How many figures count now. */
  count(now: number): number {
    return this.#counting(now).length
  }

  #quantile(quantile: number, now: number): number | null {
    const sorted = this.#counting(now)
      .map(({ value }) => value)
      .sort((a, b) => a - b)
    // Of two that differ nobody knows which one is the outlier.
    if (sorted.length <= 2) return sorted.at(-1) ?? null
    return sorted[Math.floor((sorted.length - 1) * quantile)] ?? null
  }

  #counting(now: number): readonly Figure[] {
    const lately = this.#figures.filter(({ at }) => now - at <= LATELY_MS)
    if (lately.length >= FEW) return lately
    return this.#figures.slice(-FEW).filter(({ at }) => now - at <= TOO_OLD_MS)
  }
}
