/**
 * What a behaviour sees during one call. One object serves all calls of a runtime, which is why it is valid only
 * during the call and must not be spread: time and randomness are read when asked for, and cost nothing when not.
 */
import { type Clock, InvariantError, type Monotonic, type Random, type Wall } from '../host/index.ts'
import type { Ref } from './address.ts'
import type { Context } from './behavior.ts'
import { type Cell, FROM_OUTSIDE, type Origin } from './cell.ts'
import type { ReplyTo } from './effects.ts'

export class CallContext implements Context {
  readonly #clock: Clock
  readonly #random: Random
  #cell: Cell | undefined = undefined
  #origin: Origin = FROM_OUTSIDE
  /** Something below was read in this call. */
  #drawn = false
  // The same within one call, however often it is read.
  #now: Monotonic | undefined = undefined
  #wall: Wall | undefined = undefined
  #entropy: number | undefined = undefined

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  enter(cell: Cell, origin: Origin): void {
    // Comparing is cheaper than storing, and mostly they are those of the message before.
    if (this.#cell !== cell) this.#cell = cell
    if (this.#origin !== origin) this.#origin = origin
    if (!this.#drawn) return
    this.#drawn = false
    this.#now = undefined
    this.#wall = undefined
    this.#entropy = undefined
  }

  get self(): Ref {
    if (this.#cell === undefined) throw new InvariantError('a context is valid only during the call')
    return this.#cell.ref
  }

  get now(): Monotonic {
    this.#drawn = true
    this.#now ??= this.#clock.monotonic()
    return this.#now
  }

  get wall(): Wall {
    this.#drawn = true
    this.#wall ??= this.#clock.wall()
    return this.#wall
  }

  get entropy(): number {
    this.#drawn = true
    this.#entropy ??= this.#random.uint32()
    return this.#entropy
  }

  get replyTo(): ReplyTo | undefined {
    return this.#origin.ask?.replyTo
  }

  get deadline_ms(): number | undefined {
    return this.#origin.ask?.remaining(this.now)
  }

  get sender(): Ref | undefined {
    return this.#origin.sender
  }
}
