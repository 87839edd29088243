/**
 * Token buckets per source address. Pure but for its own table; time is passed in. R1 a source gets at most
 * `burst + per_minute · minutes` requests; R2 one source never uses up another's; R3 the table holds at most
 * `MAX_SOURCES`, the longest idle is forgotten first.
 */

const MAX_SOURCES = 4_096

interface Bucket {
  tokens: number
  filled_at: number
}

export class RateLimiter {
  readonly #per_ms: number
  readonly #burst: number
  /** In order of last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(per_minute: number, burst: number) {
    this.#per_ms = per_minute / 60_000
    this.#burst = burst
  }

  /** Milliseconds to wait before the next request would pass; 0 when this one does. `now`: monotonic ms. */
  take(source: string, now: number): number {
    const bucket = this.#buckets.get(source) ?? { tokens: this.#burst, filled_at: now }
    this.#buckets.delete(source)
    this.#buckets.set(source, bucket)
    if (this.#buckets.size > MAX_SOURCES) this.#buckets.delete(this.#buckets.keys().next().value!)

    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.filled_at) * this.#per_ms)
    bucket.filled_at = now
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#per_ms
    bucket.tokens -= 1
    return 0
  }
}
