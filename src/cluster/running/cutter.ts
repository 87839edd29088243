/**
 * Cuts a stream of bytes into frames of `u32 length | bytes`; holds at most one unfinished frame, of at most the limit. Chunks
 * are joined when a frame is whole, so that one sent byte by byte costs no more than one sent at once.
 */
const LENGTH_BYTES = 4

export class Cutter {
  readonly #most_bytes: number
  #chunks: Uint8Array[] = []
  #held = 0
  /** Bytes to hold before it is worth looking: the length, then the whole frame. */
  #wanted = LENGTH_BYTES
  #broken = false

  constructor(most_bytes: number) {
    this.#most_bytes = most_bytes
  }

  /** After `oversized` nothing more is read: where the next frame begins is not known. */
  push(bytes: Uint8Array): (Uint8Array | 'oversized')[] {
    const frames: (Uint8Array | 'oversized')[] = []
    if (this.#broken) return frames
    this.#chunks.push(bytes)
    this.#held += bytes.length
    while (this.#held >= this.#wanted) {
      const joined = Buffer.concat(this.#chunks)
      const length = joined.readUInt32BE(0)
      if (length > this.#most_bytes || length < 1) {
        this.#broken = true
        this.#chunks = []
        frames.push('oversized')
        return frames
      }
      this.#wanted = LENGTH_BYTES + length
      this.#chunks = [joined]
      if (this.#held < this.#wanted) break
      frames.push(new Uint8Array(joined.subarray(LENGTH_BYTES, this.#wanted)))
      this.#chunks = [joined.subarray(this.#wanted)]
      this.#held -= this.#wanted
      this.#wanted = LENGTH_BYTES
    }
    return frames
  }
}
