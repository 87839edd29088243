/**
 * A run on sound that comes while it is worked on: in slices, so that its neighbours and the pipe get a turn. Each engine says what a
 * step is, and what is told when there is nothing left to do.
 */
import type { EngineInput, EngineStream } from '../engine.ts'

/** Work of one run before others get a turn. */
const TURN_MS = 8

export abstract class SoundRun implements EngineStream {
  /** What was not worked on yet. */
  protected readonly pending: Float32Array[] = []
  /** Time spent working, ms. */
  protected compute_ms = 0
  readonly #giveBack: () => void
  #phase: 'open' | 'finishing' | 'ended' = 'open'
  #waiting = false

  /** `giveBack`: what it worked with is free again. */
  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
  }

  /** The next piece of work; false when there is none. `finishing`: nothing more comes. */
  protected abstract step(finishing: boolean): boolean

  /** All there is was worked on, more may come. */
  protected caughtUp(): void {}

  /** All was worked on, and nothing more comes. */
  protected abstract ended(): void

  feed(input: EngineInput): void {
    if (this.#phase !== 'open' || input.type !== 'audio' || input.samples.length === 0) return
    this.pending.push(input.samples)
    if (!this.#waiting) this.#work()
  }

  finish(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'finishing'
    if (!this.#waiting) this.#work()
  }

  cancel(): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.pending.length = 0
    this.#giveBack()
  }

  #work(): void {
    this.#waiting = false
    if (this.#phase === 'ended') return
    const finishing = this.#phase === 'finishing'
    const start = performance.now()
    while (this.step(finishing)) {
      if (performance.now() - start < TURN_MS) continue
      this.#waiting = true
      break
    }
    this.compute_ms += performance.now() - start
    if (this.#waiting) setImmediate(() => this.#work())
    else if (finishing) this.#end()
    else this.caughtUp()
  }

  #end(): void {
    this.#phase = 'ended'
    this.ended()
    this.#giveBack()
  }
}
