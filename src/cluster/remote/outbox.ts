/**
 * What waits to go to one peer over one link. Rows of a tick are packed into one frame; while the link takes frames nothing waits
 * longer than that. When it is full, rows wait one by one, in order, within a bound.
 *
 * O1  Rows leave in the order in which they were taken. O2  At the bound a row is refused, except what is owed (answers, ends),
 * which may use as much again. O3  At the bound an audio row takes the place of the oldest audio rows that wait: late audio is
 * worth less than fresh. O4  A row that was taken leaves, unless it is such audio or the link is lost.
 */
import { encodeValue, UnwritableError } from '../../host/index.ts'
import { MAX_FRAME, MAX_OWED_BYTES, MAX_WAITING_BYTES, PACKED_BYTES } from './bounds.ts'
import { LAYOUT } from './wire.ts'

/** `data` may be refused at the bound, `audio` displaces older audio, `owed` may go beyond the bound. */
export type Weight = 'data' | 'audio' | 'owed'

export type Refusal =
  /** At the bound. */
  | 'full'
  /** It cannot be written down, or is larger than a frame. */
  | 'unsendable'

interface Waiting {
  readonly bytes: Uint8Array
  readonly weight: Weight
  /** For who must be told when it is displaced. */
  readonly told: unknown
}

/** Shared: a row is written here before it is known where it goes. */
const scratch = Buffer.allocUnsafe(MAX_FRAME)

export class Outbox {
  /** False: the link is full and took nothing. */
  readonly #send: (frame: Uint8Array) => boolean
  readonly #displaced: (told: unknown) => void
  readonly #frame = Buffer.allocUnsafe(PACKED_BYTES)
  #at = 1
  /** Frames and rows that wait for the link to drain; while any does, rows do not go to `#frame`. */
  #stuck: Uint8Array | undefined
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #audio = 0

  constructor(send: (frame: Uint8Array) => boolean, displaced: (told: unknown) => void) {
    this.#send = send
    this.#displaced = displaced
    this.#frame[0] = LAYOUT
  }

  /** Bytes in this outbox, the link's own not counted. */
  get bytes(): number {
    return this.#waitingBytes + (this.#stuck?.length ?? 0) + this.#at - 1
  }

  get isEmpty(): boolean {
    return this.bytes === 0
  }

  /** At the bound for data. */
  get isFull(): boolean {
    return this.#waitingBytes >= MAX_WAITING_BYTES
  }

  /** `told` is handed to `displaced` if it comes to that. */
  put(row: readonly unknown[], weight: Weight, told?: unknown): Refusal | undefined {
    try {
      if (this.#stuck !== undefined) return this.#wait(row, weight, told)
      let end = encodeValue(row, this.#frame, this.#at, PACKED_BYTES)
      if (end < 0) {
        this.flush()
        if (this.#stuck !== undefined) return this.#wait(row, weight, told)
        end = encodeValue(row, this.#frame, this.#at, PACKED_BYTES)
      }
      if (end > 0) this.#at = end
      else return this.#alone(row)
    } catch (thrown) {
      if (!(thrown instanceof UnwritableError)) throw thrown
      return 'unsendable'
    }
    return undefined
  }

  /** Hands over what was packed. */
  flush(): void {
    if (this.#at === 1 || this.#stuck !== undefined) return
    const frame = new Uint8Array(this.#frame.subarray(0, this.#at))
    this.#at = 1
    if (!this.#send(frame)) this.#stuck = frame
  }

  /** The link has room again. */
  drained(): void {
    if (this.#stuck === undefined || !this.#send(this.#stuck)) return
    this.#stuck = undefined
    const rows = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#audio = 0
    let taken = 0
    while (taken < rows.length && this.#pack(rows[taken]!.bytes)) taken += 1
    if (this.#stuck === undefined) this.flush()
    for (let i = taken; i < rows.length; i += 1) this.#queue(rows[i]!)
  }

  /** Larger than what is packed: a frame of its own. */
  #alone(row: readonly unknown[]): Refusal | undefined {
    const end = encodeValue(row, scratch, 1, MAX_FRAME)
    if (end < 0) return 'unsendable'
    scratch[0] = LAYOUT
    const frame = new Uint8Array(scratch.subarray(0, end))
    if (!this.#send(frame)) this.#stuck = frame
    return undefined
  }

  #wait(row: readonly unknown[], weight: Weight, told: unknown): Refusal | undefined {
    const end = encodeValue(row, scratch, 0, MAX_FRAME - 1)
    if (end < 0) return 'unsendable'
    const most = weight === 'owed' ? MAX_OWED_BYTES : MAX_WAITING_BYTES
    if (weight === 'audio') this.#displace(most - end)
    if (this.#waitingBytes + end > most) return 'full'
    const bytes = new Uint8Array(scratch.subarray(0, end))
    this.#queue({ bytes, weight, told })
    return undefined
  }

  #queue(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#waitingBytes += waiting.bytes.length
    if (waiting.weight === 'audio') this.#audio += 1
  }

  /** Makes room by giving up the oldest audio, as far as there is any. */
  #displace(most: number): void {
    if (this.#waitingBytes <= most || this.#audio === 0) return
    this.#waiting = this.#waiting.filter((waiting) => {
      if (this.#waitingBytes <= most || waiting.weight !== 'audio') return true
      this.#waitingBytes -= waiting.bytes.length
      this.#audio -= 1
      this.#displaced(waiting.told)
      return false
    })
  }

  /** False: the link is full again, and this row still waits. */
  #pack(bytes: Uint8Array): boolean {
    if (this.#at + bytes.length > PACKED_BYTES) this.flush()
    if (this.#stuck !== undefined) return false
    if (bytes.length + 1 <= PACKED_BYTES) {
      this.#frame.set(bytes, this.#at)
      this.#at += bytes.length
      return true
    }
    const frame = new Uint8Array(bytes.length + 1)
    frame[0] = LAYOUT
    frame.set(bytes, 1)
    if (!this.#send(frame)) this.#stuck = frame
    return true
  }
}
