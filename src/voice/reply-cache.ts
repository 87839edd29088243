/** Speech that was rendered before, by what was said: least recently heard goes first, bounded by bytes. */
export class ReplyCache {
  readonly #most_bytes: number
  /** In order of use, the oldest first. */
  readonly #entries = new Map<string, Int16Array>()
  #bytes = 0

  constructor(most_bytes: number) {
    this.#most_bytes = most_bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** 16 kHz mono s16; belongs to the cache, copy before changing. */
  get(key: string): Int16Array | undefined {
    const samples = this.#entries.get(key)
    if (samples === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, samples)
    return samples
  }

  /** A reply larger than a quarter of the cache is not kept: it would push out many that are said every day. */
  set(key: string, samples: Int16Array): void {
    this.#remove(key)
    if (samples.byteLength > this.#most_bytes / 4) return
    this.#entries.set(key, samples)
    this.#bytes += samples.byteLength
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#most_bytes) return
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    const samples = this.#entries.get(key)
    if (samples === undefined) return
    this.#entries.delete(key)
    this.#bytes -= samples.byteLength
  }
}
