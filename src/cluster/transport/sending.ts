/** The sending half of one stream: takes slices from its outbox as fast as libp2p has room, and not faster. */
import type { Stream } from '@libp2p/interface'
import { SENT_PER_TICK, SLICE_BYTES } from './bounds.ts'
import type { StreamClass } from './mesh.ts'
import { Outbox } from './outbox.ts'

/**
 * Where slices are packed, shared by all links: libp2p has encrypted a slice, and is done with its bytes, when it takes it with
 * `true`. Memory that is fresh costs more than what is done with it.
 */
let room = Buffer.allocUnsafeSlow(SLICE_BYTES)

export class Sending {
  readonly outbox: Outbox
  readonly #stream: Stream
  readonly #per_tick: number
  /** libp2p takes whatever it is given, without a bound: after its `false` nothing more until it has drained. */
  #full = false

  constructor(streamClass: StreamClass, stream: Stream, wake: () => void) {
    this.outbox = new Outbox(streamClass)
    this.#stream = stream
    this.#per_tick = SENT_PER_TICK[streamClass]
    stream.addEventListener('drain', () => {
      this.#full = false
      if (this.outbox.bytes > 0) wake()
    })
  }

  /** Bytes of this class that have not left the process. */
  get waiting(): number {
    return this.outbox.bytes + this.#stream.writeBufferLength
  }

  /** Sends this tick's part. True when more could be sent next tick. Errors: those of a stream that is closed. */
  pump(): boolean {
    let left = this.#per_tick
    while (!this.#full && left > 0) {
      const slice = this.outbox.take(room)
      if (slice === undefined) return false
      left -= slice.length
      if (this.#stream.send(slice)) continue
      room = Buffer.allocUnsafeSlow(SLICE_BYTES)
      this.#full = true
    }
    return !this.#full && this.outbox.bytes > 0
  }
}
