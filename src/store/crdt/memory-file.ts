/** A file that ends with its process: SQLite's rollback journal, which nobody needs after a crash. */
export class MemoryFile {
  #bytes = new Uint8Array()
  #size = 0

  size(): number {
    return this.#size
  }

  /** Fills `bytes`, with zeros behind the end. Returns whether all of it was there. */
  read(bytes: Uint8Array, offset: number): boolean {
    const held = this.#bytes.subarray(
      Math.min(offset, this.#size),
      Math.min(offset + bytes.length, this.#size),
    )
    bytes.set(held)
    bytes.fill(0, held.length)
    return held.length === bytes.length
  }

  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, offset)
    this.#size = Math.max(this.#size, end)
  }

  truncate(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size)
    this.#size = Math.min(this.#size, size)
  }
}
