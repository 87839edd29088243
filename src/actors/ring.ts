/**
 * A first-in first-out queue of pairs in one flat array: no allocation per entry, capacity doubled when needed. It has
 * no bound of its own; its owner asks `length` before pushing. Starts with no memory, for the many actors that idle.
 */
const FIRST_PAIRS = 8
const NONE: unknown[] = []

export class PairRing<First, Second> {
  #slots: unknown[] = NONE
  /** Pairs the array holds, minus one; −1 while there is no array. */
  #mask = -1
  #head = 0
  length = 0
  push(first: First, second: Second): void {
    if (this.length > this.#mask) this.#grow()
    const at = ((this.#head + this.length) & this.#mask) << 1
    this.#slots[at] = first
    this.#slots[at + 1] = second
    this.length += 1
  }

  /** Puts a pair in front of all others. */
  unshift(first: First, second: Second): void {
    if (this.length > this.#mask) this.#grow()
    this.#head = (this.#head - 1) & this.#mask
    const at = this.#head << 1
    this.#slots[at] = first
    this.#slots[at + 1] = second
    this.length += 1
  }

  /** The second half of the oldest pair: to be read before `shift`, which returns the first. */
  get second(): Second | undefined {
    return this.length === 0 ? undefined : (this.#slots[(this.#head << 1) + 1] as Second)
  }

  /** Takes the oldest pair; its first half is returned. */
  shift(): First | undefined {
    if (this.length === 0) return undefined
    const slots = this.#slots
    const at = this.#head << 1
    const first = slots[at] as First
    // What was taken must not be kept alive by the queue.
    slots[at] = undefined
    slots[at + 1] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.length -= 1
    return first
  }

  /** Forgets everything, and the memory with it. */
  clear(): void {
    this.#slots = NONE
    this.#mask = -1
    this.#head = 0
    this.length = 0
  }

  #grow(): void {
    const held = this.#mask + 1
    const pairs = Math.max(FIRST_PAIRS, held * 2)
    const slots = new Array<unknown>(pairs * 2).fill(undefined)
    for (let i = 0; i < this.length; i += 1) {
      const from = ((this.#head + i) & this.#mask) << 1
      slots[i << 1] = this.#slots[from]
      slots[(i << 1) + 1] = this.#slots[from + 1]
    }
    this.#slots = slots
    this.#mask = pairs - 1
    this.#head = 0
  }
}
