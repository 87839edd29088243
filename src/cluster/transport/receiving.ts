/**
 * The receiving half of one stream: cuts frames and hands them over, at most so many per tick and at most as fast as the
 * peer's bucket allows. What is too much is left in the stream, which is paused, so that the sender is held by its window.
 */
import type { Stream } from '@libp2p/interface'
import { type Cancel, type Clock, errorShape } from '../../host/index.ts'
import { FRAMES_PER_TICK, MAX_FRAME, TAKEN_PER_TICK } from './bounds.ts'
import { Bucket, type Rate } from './bucket.ts'
import { FrameCutter } from './frames.ts'
import type { StreamClass } from './mesh.ts'
import { tellHalfWindows } from './tuning.ts'

export type Receive = (streamClass: StreamClass, frame: Uint8Array) => void

export class Receiving {
  readonly #streamClass: StreamClass
  readonly #stream: Stream
  readonly #clock: Clock
  readonly #cutter: FrameCutter
  readonly #bucket: Bucket
  readonly #fault: (why: string) => void
  #receive: Receive | undefined
  #frames_left = 0
  #bytes_left = 0
  /** A tick's allowance was given and is not settled yet. */
  #ticking = false
  #held: Cancel | undefined
  #resuming = false
  #ended = false

  /** Takes over a stream nobody listens to yet, and pauses it until `start`. */
  constructor(
    streamClass: StreamClass,
    stream: Stream,
    options: { clock: Clock; rate: Rate; fault: (why: string) => void },
  ) {
    this.#streamClass = streamClass
    this.#stream = stream
    this.#clock = options.clock
    this.#cutter = new FrameCutter(MAX_FRAME[streamClass])
    this.#bucket = new Bucket(options.rate, options.clock.monotonic())
    this.#fault = options.fault
    if (isReadable(stream)) stream.pause()
    tellHalfWindows(stream)
    stream.addEventListener('message', ({ data }) => {
      if (this.#ended) return
      // Piece by piece: one array of them all would be a copy.
      for (const piece of data instanceof Uint8Array ? [data] : data) {
        if (this.#ended) return
        this.#cutter.push(piece)
        if (this.#held === undefined) this.#deliver()
      }
    })
  }

  start(receive: Receive): void {
    this.#receive = receive
    this.#resume()
  }

  /** The other side has ended in order: hands over all that came, which is at most a window. */
  finish(): void {
    if (this.#receive === undefined || this.#ended) return
    this.#held?.()
    this.#held = undefined
    this.#ticking = true
    this.#frames_left = Number.POSITIVE_INFINITY
    this.#bytes_left = Number.POSITIVE_INFINITY
    this.#deliver()
    this.#resume()
    this.end()
  }

  end(): void {
    this.#ended = true
    this.#held?.()
  }

  #deliver(): void {
    const receive = this.#receive
    if (receive === undefined || !this.#allowed()) return
    try {
      for (;;) {
        if (this.#frames_left <= 0 || this.#bytes_left <= 0) {
          this.#hold(0)
          return
        }
        const frame = this.#cutter.next()
        if (frame === undefined) return
        this.#frames_left -= 1
        this.#bytes_left -= frame.length
        receive(this.#streamClass, frame)
        if (this.#ended) return
      }
    } catch (error) {
      this.end()
      this.#fault(errorShape(error).message)
    }
  }

  /** Gives the tick its allowance, unless the peer has used up what it may send. */
  #allowed(): boolean {
    if (this.#ticking) return true
    const wait_ms = this.#bucket.wait_ms(this.#clock.monotonic())
    if (wait_ms > 0) {
      this.#hold(wait_ms)
      return false
    }
    this.#ticking = true
    this.#frames_left = FRAMES_PER_TICK
    this.#bytes_left = TAKEN_PER_TICK
    this.#clock.soon(() => this.#settle())
    return true
  }

  #settle(): void {
    this.#bucket.spend(FRAMES_PER_TICK - this.#frames_left, TAKEN_PER_TICK - this.#bytes_left)
    this.#ticking = false
  }

  #hold(wait_ms: number): void {
    // Paused inside of its own resume, a stream of yamux goes on opening its window: there it is paused afterwards.
    if (!this.#resuming && isReadable(this.#stream)) this.#stream.pause()
    const go = (): void => {
      this.#held = undefined
      if (this.#ended) return
      this.#deliver()
      if (this.#held === undefined) this.#resume()
    }
    if (wait_ms > 0) this.#held = this.#clock.after(wait_ms, go)
    else {
      let live = true
      this.#held = () => {
        live = false
      }
      this.#clock.soon(() => {
        if (live) go()
      })
    }
  }

  #resume(): void {
    if (!isReadable(this.#stream)) return
    this.#resuming = true
    try {
      this.#stream.resume()
    } finally {
      this.#resuming = false
    }
    if (this.#held !== undefined && isReadable(this.#stream)) this.#stream.pause()
  }
}

/** Streams throw when they are paused or resumed after their end. */
const isReadable = (stream: Stream): boolean =>
  stream.readStatus === 'readable' || stream.readStatus === 'paused'
