/**
 * The doors onto the machine. With the adapters of outside libraries this is the only place where the product reads a
 * clock, draws randomness, opens a socket or touches a file.
 */
import { randomBytes } from 'node:crypto'
// The global of that name is looked up through a getter at each use, which costs more than the clock.
import { performance } from 'node:perf_hooks'
import type { Clock, Host, Random } from './host.ts'
import { monotonic, wall } from './host.ts'
import { realDisk } from './real-disk.ts'
import { realNetwork } from './real-network.ts'

/** The longest delay setTimeout keeps; longer ones are taken in steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const realClock: Clock = {
  monotonic: () => monotonic(performance.now()),
  wall: () => wall(Date.now()),
  after(delay_ms, run) {
    let timer: NodeJS.Timeout
    const arm = (left_ms: number): void => {
      const step = Math.min(left_ms, LONGEST_TIMER_MS)
      timer = setTimeout(() => (left_ms > step ? arm(left_ms - step) : run()), step)
    }
    arm(Math.max(0, delay_ms))
    return () => clearTimeout(timer)
  },
  soon: (run) => {
    setImmediate(run)
  },
}

/** A pool keeps the cost of a system call away from the many small draws. */
const POOL_BYTES = 4096

class RealRandom implements Random {
  #pool = new DataView(new ArrayBuffer(0))
  #offset = 0

  uint32(): number {
    if (this.#offset + 4 > this.#pool.byteLength) {
      const bytes = randomBytes(POOL_BYTES)
      this.#pool = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#offset = 0
    }
    const value = this.#pool.getUint32(this.#offset)
    this.#offset += 4
    return value
  }

  float(): number {
    return this.uint32() / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count))
  }
}

export function realHost(): Host {
  return { clock: realClock, random: new RealRandom(), network: realNetwork, disk: realDisk }
}
