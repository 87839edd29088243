/**
 * Frames in a stream of bytes: `u32 length (big endian) | bytes`. A length is judged before a byte of its frame is kept.
 *
 * F1 What was packed comes out of the cutter byte for byte, however the stream was cut on its way.
 * F2 Never more is held than one frame and the chunk that was pushed last; a length above the limit ends the stream.
 */
import { LoqaError } from '../../host/index.ts'
import { FRAME_HEADER_BYTES } from './bounds.ts'

/** The stream cannot be cut any further: whoever sent this speaks another language, or means harm. */
export class FrameTooLongError extends LoqaError {
  constructor(length: number, limit: number) {
    super('frame-too-long', `A frame of ${length} bytes was announced where at most ${limit} are taken`)
  }
}

export class FrameCutter {
  readonly #limit: number
  #chunk: Uint8Array = new Uint8Array(0)
  #at = 0
  /** A frame, header included, of which a part came in earlier chunks. */
  #partial: Uint8Array | undefined
  #held = 0

  constructor(limit_bytes: number) {
    this.#limit = limit_bytes
  }

  /** Bytes pushed and not yet taken as frames. */
  get waiting(): number {
    return this.#held + this.#chunk.length - this.#at
  }

  /** The next bytes of the stream. All frames must have been taken before, which keeps F2; the cutter keeps views. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) this.#chunk = Buffer.concat([this.#chunk.subarray(this.#at), chunk])
    else this.#chunk = chunk
    this.#at = 0
  }

  /** The next whole frame, a view of what was pushed; undefined when more bytes are needed. Errors: `FrameTooLongError`. */
  next(): Uint8Array | undefined {
    return this.#partial === undefined ? this.#nextInChunk() : this.#nextOfPartial(this.#partial)
  }

  #nextInChunk(): Uint8Array | undefined {
    const chunk = this.#chunk
    const left = chunk.length - this.#at
    if (left === 0) return undefined
    if (left < FRAME_HEADER_BYTES) {
      this.#partial = new Uint8Array(FRAME_HEADER_BYTES)
      return this.#nextOfPartial(this.#partial)
    }
    const end = this.#at + FRAME_HEADER_BYTES + this.#lengthAt(chunk, this.#at)
    if (end <= chunk.length) {
      const frame = chunk.subarray(this.#at + FRAME_HEADER_BYTES, end)
      this.#at = end
      return frame
    }
    this.#partial = Buffer.allocUnsafe(end - this.#at)
    return this.#nextOfPartial(this.#partial)
  }

  #nextOfPartial(partial: Uint8Array): Uint8Array | undefined {
    this.#fill(partial)
    if (this.#held < partial.length) return undefined
    if (partial.length > FRAME_HEADER_BYTES) return this.#whole(partial)
    const length = this.#lengthAt(partial, 0)
    if (length === 0) return this.#whole(partial)
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length)
    frame.set(partial)
    this.#partial = frame
    return this.#nextOfPartial(frame)
  }

  #whole(partial: Uint8Array): Uint8Array {
    this.#partial = undefined
    this.#held = 0
    return partial.subarray(FRAME_HEADER_BYTES)
  }

  #fill(partial: Uint8Array): void {
    const end = Math.min(this.#chunk.length, this.#at + partial.length - this.#held)
    partial.set(this.#chunk.subarray(this.#at, end), this.#held)
    this.#held += end - this.#at
    this.#at = end
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length =
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    if (length > this.#limit) throw new FrameTooLongError(length, this.#limit)
    return length
  }
}
