/** The transport's cutter as strangers get it: the frames of a chunk at once, and an empty or oversized one ends the stream. */
import { FrameCutter, FrameTooLongError } from '../transport/frames.ts'

export class Cutter {
  readonly #frames: FrameCutter
  #broken = false

  constructor(most_bytes: number) {
    this.#frames = new FrameCutter(most_bytes)
  }

  /** After `oversized` nothing more is read: where the next frame begins is not known. */
  push(bytes: Uint8Array): (Uint8Array | 'oversized')[] {
    const frames: (Uint8Array | 'oversized')[] = []
    if (this.#broken) return frames
    this.#frames.push(bytes)
    while (!this.#broken) {
      const frame = this.#next()
      if (frame === undefined) break
      this.#broken = frame === 'oversized'
      frames.push(frame)
    }
    return frames
  }

  /** No message is empty: whoever announces one speaks another language. */
  #next(): Uint8Array | 'oversized' | undefined {
    try {
      const frame = this.#frames.next()
      return frame?.length === 0 ? 'oversized' : frame
    } catch (thrown) {
      if (thrown instanceof FrameTooLongError) return 'oversized'
      throw thrown
    }
  }
}
