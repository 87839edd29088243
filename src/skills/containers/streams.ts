/**
 * What a container says, out of the one connection to it: pieces of its standard output and error, each behind eight bytes: which of
 * both, three zeros, the length as `u32`, big endian (Docker's API, "attach to a container"). Pure.
 */

export interface Piece {
  readonly of: 'output' | 'error'
  readonly bytes: Uint8Array
}

const HEAD_BYTES = 8
const OUTPUT = 1
const ERROR = 2

/** Whoever is at the other end is no engine. */
export class StreamError extends Error {}

export class StreamSplitter {
  #head = new Uint8Array(HEAD_BYTES)
  #headLength = 0
  #of: Piece['of'] = 'output'
  /** Bytes of a piece that are still to come: they are handed on as they come, and never held. */
  #left = 0

  /** Errors: `StreamError`; the stream is of no use afterwards. */
  push(chunk: Uint8Array): Piece[] {
    const pieces: Piece[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(at, at + this.#left)
        pieces.push({ of: this.#of, bytes })
        this.#left -= bytes.length
        at += bytes.length
        continue
      }
      const part = chunk.subarray(at, at + HEAD_BYTES - this.#headLength)
      this.#head.set(part, this.#headLength)
      this.#headLength += part.length
      at += part.length
      if (this.#headLength === HEAD_BYTES) this.#begin()
    }
    return pieces
  }

  #begin(): void {
    const [which, ...zeros] = this.#head.subarray(0, 4)
    if ((which !== OUTPUT && which !== ERROR) || zeros.some((byte) => byte !== 0)) {
      throw new StreamError('a piece is of nothing that is known')
    }
    this.#of = which === OUTPUT ? 'output' : 'error'
    this.#left = new DataView(this.#head.buffer).getUint32(4)
    this.#headLength = 0
  }
}
