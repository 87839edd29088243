/** Packets counted per second, per address and in all, before they are taken apart. Fixed spans, so two halves may meet. */
import type { Monotonic } from '../../host/index.ts'
import { MAX_SOURCES, PACKETS_IN_ALL, PACKETS_PER_SOURCE } from './bounds.ts'

const SPAN_MS = 1_000

/** Changed in place: a flood is no time to copy maps. */
export class PacketQuota {
  #since = Number.NEGATIVE_INFINITY
  #all = 0
  readonly #sources = new Map<string, number>()

  /** Whether a packet from `source` may be read now. Who sends too many takes no room from the others. */
  admit(source: string, now: Monotonic): boolean {
    if (now - this.#since >= SPAN_MS) {
      this.#since = now
      this.#all = 0
      this.#sources.clear()
    }
    const own = this.#sources.get(source) ?? 0
    if (own >= PACKETS_PER_SOURCE || this.#all >= PACKETS_IN_ALL) return false
    // Beyond MAX_SOURCES nobody new is heard in this second: that many addresses are no home.
    if (own === 0 && this.#sources.size >= MAX_SOURCES) return false
    this.#sources.set(source, own + 1)
    this.#all += 1
    return true
  }
}
