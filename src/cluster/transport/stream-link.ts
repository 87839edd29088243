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
  /** Everything is being sent, then the connection closes. */
  | { readonly name: 'closing' }
  | { readonly name: 'closed'; readonly why: string }

export class StreamLink implements Link {
  readonly peer: NodeId
  readonly place: Place
  readonly dialled: boolean
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #sending: Readonly<Record<StreamClass, Sending>>
  readonly #receiving: Readonly<Record<StreamClass, Receiving>>
  #phase: Phase = { name: 'open' }
  #flushing = false
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
      stream.addEventListener('close', ({ error }) => this.#fell(error))
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

  #wake(): void {
    if (this.#flushing) return
    this.#flushing = true
    this.#clock.soon(() => this.#flush())
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
    if (this.#phase.name === 'closing') this.#closeWhenSent()
  }

  #closeWhenSent(): void {
    if (STREAM_CLASSES.some((streamClass) => this.#sending[streamClass].outbox.bytes > 0)) return
    this.#connection.close().then(
      () => this.#closed('closed'),
      () => this.abort('closed'),
    )
  }

  /** The other side sends no more in one stream. When all three ended it has closed; one alone is no way to go on. */
  #otherEnded(): void {
    this.#ended += 1
    if (this.#ended < STREAM_CLASSES.length) this.#linger('the other side ended one of its streams')
    else this.#fell(undefined)
  }

  #linger(why: string): void {
    this.#lingering ??= this.#clock.after(LINGER_MS, () => this.abort(why))
  }

  #fell(error: Error | undefined): void {
    if (this.#phase.name === 'closed') return
    if (error !== undefined) {
      this.abort(error.message)
      return
    }
    for (const streamClass of STREAM_CLASSES) this.#receiving[streamClass].finish()
    this.abort(this.#phase.name === 'closing' ? 'closed' : 'the other side closed')
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
