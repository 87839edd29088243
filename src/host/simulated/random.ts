/**
 * Reproducible randomness: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018),
 * its state filled from the seed by splitmix32. Not for secrets.
 */
import type { Random } from '../host.ts'

const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits))

export class SimulatedRandom implements Random {
  readonly #state = new Uint32Array(4)

  constructor(seed: number) {
    let z = seed >>> 0
    for (let i = 0; i < 4; i += 1) {
      z = (z + 0x9e3779b9) >>> 0
      let word = z
      word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
      this.#state[i] = word ^ (word >>> 16)
    }
  }

  uint32(): number {
    const s = this.#state
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0
    const shifted = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= shifted
    s[3] = rotate(s[3]!, 11)
    return result
  }

  float(): number {
    return this.uint32() / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    // Not `Uint8Array.from`: tests that throw a hundred thousand frames draw gigabytes, and it takes thirteen times as long.
    for (let i = 0; i < count; i += 1) bytes[i] = this.uint32()
    return bytes
  }

  /** Uniform integer in [0, below). */
  below(limit: number): number {
    return Math.floor(this.float() * limit)
  }

  /** An independent source, so that one part's draws never shift another's. */
  fork(): SimulatedRandom {
    return new SimulatedRandom(this.uint32())
  }
}
