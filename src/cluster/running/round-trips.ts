/** How long a word to each peer and back takes: a smoothed average, as TCP keeps one (RFC 6298), measured now and then. */
import type { Cancel, Clock, Monotonic, NodeId } from '../../host/index.ts'
import { PING_MS, RTT_SHARE } from './bounds.ts'

export class RoundTrips {
  readonly #clock: Clock
  readonly #ping: (peer: NodeId, number: number) => void
  readonly #average = new Map<NodeId, number>()
  /** The measurement under way, by peer. */
  readonly #asked = new Map<
    NodeId,
    { readonly number: number; readonly at: Monotonic; readonly next: Cancel }
  >()
  #number = 0

  constructor(clock: Clock, ping: (peer: NodeId, number: number) => void) {
    this.#clock = clock
    this.#ping = ping
  }

  /** Milliseconds; undefined until the first answer. */
  of(peer: NodeId): number | undefined {
    return this.#average.get(peer)
  }

  start(peer: NodeId): void {
    this.stop(peer)
    this.#ask(peer)
  }

  stop(peer: NodeId): void {
    this.#asked.get(peer)?.next()
    this.#asked.delete(peer)
    this.#average.delete(peer)
  }

  answered(peer: NodeId, number: number): void {
    const asked = this.#asked.get(peer)
    if (asked?.number !== number) return
    const took = this.#clock.monotonic() - asked.at
    const before = this.#average.get(peer)
    this.#average.set(peer, before === undefined ? took : before + RTT_SHARE * (took - before))
  }

  #ask(peer: NodeId): void {
    this.#number += 1
    const number = this.#number
    const next = this.#clock.after(PING_MS, () => this.#ask(peer))
    this.#asked.set(peer, { number, at: this.#clock.monotonic(), next })
    this.#ping(peer, number)
  }
}
