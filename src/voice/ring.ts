/**
 * A bounded queue that forgets its oldest: what audio waits in. Old sound is worth nothing to a live conversation,
 * so at the bound the oldest goes, and is counted.
 */
import { assert } from '../host/index.ts'

export class Ring<Item> {
  readonly #slots: (Item | undefined)[]
  #first = 0
  #length = 0
  #dropped = 0

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, 'a ring holds at least one item')
    this.#slots = new Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** How many items were forgotten so far. */
  get dropped(): number {
    return this.#dropped
  }

  push(item: Item): void {
    const capacity = this.#slots.length
    if (this.#length === capacity) {
      this.#slots[this.#first] = item
      this.#first = (this.#first + 1) % capacity
      this.#dropped += 1
      return
    }
    this.#slots[(this.#first + this.#length) % capacity] = item
    this.#length += 1
  }

  /** The oldest item, taken out; undefined when empty. */
  shift(): Item | undefined {
    if (this.#length === 0) return undefined
    const item = this.#slots[this.#first]
    this.#slots[this.#first] = undefined
    this.#first = (this.#first + 1) % this.#slots.length
    this.#length -= 1
    return item
  }

  /** Empties the ring without counting a loss. */
  clear(): void {
    this.#slots.fill(undefined)
    this.#first = 0
    this.#length = 0
  }
}
