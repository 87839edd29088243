/** Repeatable randomness for the corpus and the evaluation sets: the same seed gives the same sentences. */

export interface Seeded {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, count). */
  below(count: number): number
  /** One of the values; throws on an empty list. */
  one<T>(values: readonly T[]): T
  /** True with the given probability. */
  chance(probability: number): boolean
}

/** Mulberry32 by Tommy Ettinger: 32 bits of state, good enough to draw sentences. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  function below(count: number): number {
    return Math.floor(next() * count)
  }

  function one<T>(values: readonly T[]): T {
    const value = values[below(values.length)]
    if (value === undefined) throw new Error('nothing to choose from')
    return value
  }

  return { next, below, one, chance: (probability) => next() < probability }
}

/** FNV-1a, 32 bits: decides for good on which side of train | test a sentence falls. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
