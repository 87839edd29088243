/**
 * Bytes that must never be seen: a key in memory. Whatever prints, logs, clones or serialises a `Secret` gets a
 * placeholder; the only way to the bytes is `expose`, a word that is easy to search for.
 */
const PLACEHOLDER = '[secret]'

export class Secret {
  readonly #bytes: Uint8Array

  /** Takes a copy: the caller may overwrite its own. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes)
  }

  /** The bytes themselves: for the cipher or the key file, nothing else. Not to be kept. */
  expose(): Uint8Array {
    return this.#bytes
  }

  toString(): string {
    return PLACEHOLDER
  }

  toJSON(): string {
    return PLACEHOLDER
  }

  get [Symbol.toStringTag](): string {
    return 'Secret'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return PLACEHOLDER
  }
}
