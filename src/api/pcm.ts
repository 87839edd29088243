/** Whole samples out of binary messages of any length. Pure. */

const EMPTY = new Uint8Array(0)

/** What to hand on, and the byte that waits for its other half. */
export interface WholeSamples {
  readonly samples: Uint8Array
  readonly carry: Uint8Array
}

/** `samples` has an even number of bytes; a last odd byte becomes the `carry` of the next call. */
export function wholeSamples(carry: Uint8Array, bytes: Uint8Array): WholeSamples {
  const joined = carry.length === 0 ? bytes : concat(carry, bytes)
  const even = joined.length - (joined.length % 2)
  return { samples: joined.subarray(0, even), carry: even === joined.length ? EMPTY : joined.slice(even) }
}

export const noCarry: Uint8Array = EMPTY

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length)
  joined.set(head)
  joined.set(tail, head.length)
  return joined
}
