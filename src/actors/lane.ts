/**
 * A first-in first-out queue of pairs, kept in short arrays that are linked, filled, emptied and dropped. It has no bound of
 * its own; its owner asks `length` before adding. Starts with no memory, for the many actors that idle.
 *
 * Not one ring: a ring soon is old to the garbage collector, which then has to be told of every young message put into
 * it. Arrays that live as briefly as the messages in them spare that, a tenth of all that a message costs.
 *
 * Two loops move nearly all messages: `interpreter.ts` fills a lane, `turn.ts` empties one. They work on the arrays
 * themselves and tell the lane at the end of a run, which saves a sixth of what a message costs; the fields are open for them alone.
 */

/** Where an array's pairs end and its link to the next array stands: 16 pairs, so that one costs little even when few come. */
export const END = 32
const NONE: unknown[] = new Array<unknown>(END + 1)

export class Lane<First, Second> {
  /** The arrays with the oldest and the newest pair; the same while few wait. A pair takes two places. */
  head: unknown[] = NONE
  tail: unknown[] = NONE
  /** Where the oldest pair stands in `head`, and where the next one goes in `tail`; `END` when that array is done with. */
  read = 0
  write = END
  length = 0

  push(first: First, second: Second): void {
    if (this.write === END) this.lengthen()
    const at = this.write
    const pairs = this.tail
    pairs[at] = first
    pairs[at + 1] = second
    this.write = at + 2
    this.length += 1
  }

  /** Puts a pair in front of all others. */
  unshift(first: First, second: Second): void {
    if (this.length === 0) {
      this.push(first, second)
      return
    }
    if (this.read === 0) {
      const pairs = new Array<unknown>(END + 1)
      pairs[END] = this.head
      this.head = pairs
      this.read = END
    }
    this.read -= 2
    this.head[this.read] = first
    this.head[this.read + 1] = second
    this.length += 1
  }

  /** The second half of the oldest pair: to be read before `shift`, which returns the first. */
  get second(): Second | undefined {
    if (this.length === 0) return undefined
    return this.oldest[this.read + 1] as Second
  }

  /** Takes the oldest pair; its first half is returned. */
  shift(): First | undefined {
    if (this.length === 0) return undefined
    const pairs = this.oldest
    const at = this.read
    const first = pairs[at] as First
    // What was taken must not be kept alive by the queue.
    pairs[at] = undefined
    pairs[at + 1] = undefined
    this.taken(at + 2)
    return first
  }

  /** All pairs, oldest first; they stay. */
  each(visit: (first: First, second: Second) => void): void {
    let pairs = this.head
    let at = this.read
    for (let left = this.length; left > 0; left -= 1) {
      if (at === END) {
        pairs = pairs[END] as unknown[]
        at = 0
      }
      visit(pairs[at] as First, pairs[at + 1] as Second)
      at += 2
    }
  }

  /** Forgets everything, and the memory with it. */
  clear(): void {
    this.head = NONE
    this.tail = NONE
    this.read = 0
    this.write = END
    this.length = 0
  }

  /** The array with the oldest pair, which stands at `read`. There must be one. */
  get oldest(): unknown[] {
    if (this.read === END) {
      this.head = this.head[END] as unknown[]
      this.read = 0
    }
    return this.head
  }

  /** Pairs of `oldest` up to `at` were taken and their places emptied. */
  taken(at: number): void {
    this.length -= (at - this.read) >> 1
    this.read = at
  }

  /** Places of `tail` up to `at` were filled with pairs. */
  filled(at: number): void {
    this.length += (at - this.write) >> 1
    this.write = at
  }

  /** Makes room for more when `write` is `END`. */
  lengthen(): void {
    const pairs = new Array<unknown>(END + 1)
    if (this.length === 0) {
      this.head = pairs
      this.read = 0
    } else {
      this.tail[END] = pairs
    }
    this.tail = pairs
    this.write = 0
  }
}
