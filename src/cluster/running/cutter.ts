/** Cuts a stream of bytes into frames of `u32 length | bytes`; holds at most one unfinished frame, of at most the limit. */
export class Cutter {
  readonly #most_bytes: number
  #held: Buffer = Buffer.alloc(0)
  #broken = false

  constructor(most_bytes: number) {
    this.#most_bytes = most_bytes
  }

  /** After `oversized` nothing more is read: where the next frame begins is not known. */
  push(bytes: Uint8Array): (Uint8Array | 'oversized')[] {
    const frames: (Uint8Array | 'oversized')[] = []
    if (this.#broken) return frames
    this.#held = Buffer.concat([this.#held, bytes])
    while (this.#held.length >= 4) {
      const length = this.#held.readUInt32BE(0)
      if (length > this.#most_bytes || length < 1) {
        this.#broken = true
        this.#held = Buffer.alloc(0)
        frames.push('oversized')
        break
      }
      if (this.#held.length < 4 + length) break
      frames.push(new Uint8Array(this.#held.subarray(4, 4 + length)))
      this.#held = this.#held.subarray(4 + length)
    }
    return frames
  }
}
