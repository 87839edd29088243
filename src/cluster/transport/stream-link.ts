/** A link made of three streams of one libp2p connection. */
import type { Connection, Stream } from '@libp2p/interface'
import { type Cancel, type Clock, errorShape, type NodeId } from '../../host/index.ts'
import { LINGER_MS } from './bounds.ts'
import type { Rate } from './bucket.ts'
import { type Link, type Place, STREAM_CLASSES, type StreamClass } from './mesh.ts'
import { type Receive, Receiving } from './receiving.ts'
import { Sending } from './sending.ts'

export interface LinkParts {
  readonly peer: NodeId
  readonly place: Place
  readonly dialled: boolean
  readonly connection: Connection
  readonly streams: Readonly<Record<StreamClass, Stream>>
  readonly clock: Clock
  readonly rates: Readonly<Record<StreamClass, Rate>>
}

type Phase =
  | { readonly name: 'open' }
  /** What waits is being sent. */
  | { readonly name: 'closing' }
  /** All was handed to libp2p, and the ends of the streams after it. */
  | { readonly name: 'ending' }
  /** The streams have ended here; the other side closes when it has read them. */
  | { readonly name: 'ended' }
  | { readonly name: 'closed'; readonly why: string }

export class StreamLink implements Link {
  readonly peer: NodeId
  readonly place: Place
  readonly dialled: boolean
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #streams: Readonly<Record<StreamClass, Stream>>
  readonly #sending: Readonly<Record<StreamClass, Sending>>
  readonly #receiving: Readonly<Record<StreamClass, Receiving>>
  #phase: Phase = { name: 'open' }
  /** Something is to be sent, and will be. */
  #flushing = false
  /** Something was sent in this tick. */
  #flushed = false
  #lingering: Cancel | undefined
  /** Streams the other side has sent all of. */
  #ended = 0
  #drain: ((streamClass: StreamClass) => void) | undefined
  #onClose: ((why: string) => void)[] = []

  constructor({ peer, place, dialled, connection, streams, clock, rates }: LinkParts) {
    this.peer = peer
    this.place = place
    this.dialled = dialled
    this.#connection = connection
    this.#clock = clock
    this.#streams = streams
    const each = <T>(make: (streamClass: StreamClass) => T): Record<StreamClass, T> => ({
      control: make('control'),
      data: make('data'),
      bulk: make('bulk'),
    })
    this.#sending = each((streamClass) => new Sending(streamClass, streams[streamClass], () => this.#wake()))
    const fault = (why: string): void => this.abort(why)
    this.#receiving = each(
      (streamClass) =>
        new Receiving(streamClass, streams[streamClass], { clock, rate: rates[streamClass], fault }),
    )
    for (const streamClass of STREAM_CLASSES) {
      const stream = streams[streamClass]
      stream.addEventListener('remoteCloseWrite', () => this.#otherEnded())
      stream.addEventListener('close', ({ error }) => {
        // Without an error it has ended both ways, and the others may not have.
        if (error !== undefined) this.#fell(error)
      })
    }
    connection.addEventListener('close', ({ error }) => this.#fell(error))
    if (connection.status !== 'open') clock.soon(() => this.#fell(undefined))
  }

  send(streamClass: StreamClass, frame: Uint8Array): boolean {
    if (this.#phase.name !== 'open' || !this.#sending[streamClass].outbox.offer(frame)) return false
    this.#wake()
    return true
  }

  waiting(streamClass: StreamClass): number {
    return this.#sending[streamClass].waiting
  }

  onDrain(run: (streamClass: StreamClass) => void): void {
    this.#drain = run
  }

  onFrame(receive: Receive): void {
    for (const streamClass of STREAM_CLASSES) this.#receiving[streamClass].start(receive)
  }

  onClose(run: (why: string) => void): void {
    if (this.#phase.name !== 'closed') this.#onClose.push(run)
    else {
      const { why } = this.#phase
      this.#clock.soon(() => run(why))
    }
  }

  close(): void {
    if (this.#phase.name !== 'open') return
    this.#phase = { name: 'closing' }
    this.#linger('closed')
    this.#wake()
  }

  abort(why: string): void {
    if (this.#phase.name === 'closed') return
    this.#closed(why)
    this.#connection.abort(new Error(why))
  }

  /**
   * The first frames of a tick leave as soon as whoever sends them has returned, which saves an ask a turn of the loop; what is
   * sent later in it leaves together at its end.
   */
  #wake(): void {
    if (this.#flushing) return
    this.#flushing = true
    if (this.#flushed) return
    this.#flushed = true
    queueMicrotask(() => this.#flush())
    this.#clock.soon(() => {
      this.#flushed = false
      if (this.#flushing) this.#flush()
    })
  }

  /** Everything of this tick, the classes in the order of their urgency. */
  #flush(): void {
    this.#flushing = false
    if (this.#phase.name === 'closed') return
    let more = false
    try {
      for (const streamClass of STREAM_CLASSES) more = this.#sending[streamClass].pump() || more
    } catch (error) {
      this.abort(error instanceof Error ? error.message : errorShape(error).message)
      return
    }
    if (more) this.#wake()
    for (const streamClass of STREAM_CLASSES) {
      if (this.#sending[streamClass].outbox.drained()) this.#drain?.(streamClass)
    }
    if (this.#phase.name === 'closing') this.#endWhenSent()
  }

  /**
   * Ends the streams and leaves the connection to the other side, which closes it when it has read everything: libp2p closes a
   * connection without waiting for what its encryption still holds.
   */
  #endWhenSent(): void {
    if (STREAM_CLASSES.some((streamClass) => this.#sending[streamClass].outbox.bytes > 0)) return
    this.#phase = { name: 'ending' }
    const ended = STREAM_CLASSES.map((streamClass) => this.#streams[streamClass].close())
    Promise.all(ended).then(
      () => {
        this.#phase = this.#phase.name === 'ending' ? { name: 'ended' } : this.#phase
        if (this.#ended === STREAM_CLASSES.length) this.#fell(undefined)
      },
      () => this.abort('closed'),
    )
  }

  /** The other side sends no more in one stream. When all three ended it has closed; one alone is no way to go on. */
  #otherEnded(): void {
    this.#ended += 1
    if (this.#ended < STREAM_CLASSES.length) this.#linger('the other side ended one of its streams')
    // Both close at once: what this side has waiting is sent before.
    else if (this.#phase.name === 'open' || this.#phase.name === 'ended') this.#fell(undefined)
  }

  #linger(why: string): void {
    this.#lingering ??= this.#clock.after(LINGER_MS, () => this.abort(why))
  }

  #fell(error: Error | undefined): void {
    if (this.#phase.name === 'closed') return
    if (this.#phase.name !== 'open') {
      if (error === undefined) this.#finish()
      this.abort('closed')
    } else if (error === undefined) {
      this.#finish()
      this.abort('the other side closed')
    } else this.abort(error.message)
  }

  #finish(): void {
    for (const streamClass of STREAM_CLASSES) this.#receiving[streamClass].finish()
  }

  #closed(why: string): void {
    if (this.#phase.name === 'closed') return
    this.#phase = { name: 'closed', why }
    this.#lingering?.()
    for (const streamClass of STREAM_CLASSES) this.#receiving[streamClass].end()
    const listeners = this.#onClose
    this.#onClose = []
    for (const run of listeners) run(why)
  }
}
