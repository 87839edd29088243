/**
 * What one class of one link still has to send: frames in order, packed into slices that are sent at once. Bounded: at the
 * bound a frame is refused and nothing of it kept.
 */
import { assert } from '../../host/index.ts'
import { FRAME_HEADER_BYTES, FULL_BYTES, MAX_FRAME } from './bounds.ts'
import type { StreamClass } from './mesh.ts'

export class Outbox {
  readonly #full: number
  readonly #longest: number
  #frames: (Uint8Array | undefined)[] = []
  #first = 0
  /** Bytes of the first frame, header included, that were taken already. */
  #taken = 0
  #bytes = 0
  #refused = false

  constructor(streamClass: StreamClass) {
    this.#full = FULL_BYTES[streamClass]
    this.#longest = MAX_FRAME[streamClass]
  }

  /** Bytes waiting, headers included. */
  get bytes(): number {
    return this.#bytes
  }

  offer(frame: Uint8Array): boolean {
    assert(frame.length <= this.#longest, 'a frame is at most as long as its class allows')
    const bytes = frame.length + FRAME_HEADER_BYTES
    if (this.#bytes + bytes > this.#full) {
      this.#refused = true
      return false
    }
    this.#frames.push(frame)
    this.#bytes += bytes
    return true
  }

  /** True once after a refusal, when half of the room is free again: so that a drain is worth waking somebody for. */
  drained(): boolean {
    if (!this.#refused || this.#bytes > this.#full / 2) return false
    this.#refused = false
    return true
  }

  /** The next bytes of the stream, copied into `room` (not empty). Returns what was filled; undefined when nothing waits. */
  take(room: Uint8Array): Uint8Array | undefined {
    if (this.#bytes === 0) return undefined
    const slice = room.subarray(0, Math.min(room.length, this.#bytes))
    let at = 0
    while (at < slice.length) at = this.#pack(slice, at)
    this.#bytes -= slice.length
    if (this.#first === this.#frames.length || this.#first > 4_096) {
      this.#frames = this.#frames.slice(this.#first)
      this.#first = 0
    }
    return slice
  }

  /** Copies what fits of the first frame; the next one is first when it is done. Returns where to go on. */
  #pack(slice: Uint8Array, from: number): number {
    const frame = this.#frames[this.#first]!
    let at = from
    while (this.#taken < FRAME_HEADER_BYTES && at < slice.length) {
      slice[at] = frame.length >>> (24 - 8 * this.#taken)
      at += 1
      this.#taken += 1
    }
    const start = this.#taken - FRAME_HEADER_BYTES
    if (this.#taken >= FRAME_HEADER_BYTES) {
      const end = Math.min(frame.length, start + slice.length - at)
      slice.set(start === 0 && end === frame.length ? frame : frame.subarray(start, end), at)
      at += end - start
      this.#taken += end - start
      if (end === frame.length) {
        this.#frames[this.#first] = undefined
        this.#first += 1
        this.#taken = 0
      }
    }
    return at
  }
}
