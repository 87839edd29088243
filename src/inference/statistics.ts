/** The last waits of one engine, for its capability row: enough to have a 95th percentile, few enough to follow change. */

const KEPT = 128

export class RecentWaits {
  readonly #waits_ms: number[] = []
  #next = 0

  add(wait_ms: number): void {
    this.#waits_ms[this.#next] = wait_ms
    this.#next = (this.#next + 1) % KEPT
  }

  /** Milliseconds; null before the first. */
  p95(): number | null {
    if (this.#waits_ms.length === 0) return null
    const sorted = this.#waits_ms.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))]!
  }
}
