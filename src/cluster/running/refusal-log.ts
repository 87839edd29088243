/** Which refusals go into the audit log: whoever knocks all day long writes one line a minute. */
import type { Clock, NodeId } from '../../host/index.ts'

const SPAN_MS = 60_000
/** Peers and reasons remembered; beyond it all is forgotten, and said again. */
const MOST = 256

export class RefusalLog {
  readonly #clock: Clock
  readonly #said = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  isNews(peer: NodeId, code: string): boolean {
    const now = this.#clock.monotonic()
    const key = `${peer} ${code}`
    const before = this.#said.get(key)
    if (before !== undefined && now - before < SPAN_MS) return false
    if (this.#said.size >= MOST) this.#said.clear()
    this.#said.set(key, now)
    return true
  }
}
