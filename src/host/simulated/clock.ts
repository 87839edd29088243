/**
 * Virtual time: a queue of scheduled work, run in order of (time, order of scheduling). Nothing happens by itself;
 * a test calls `advance`, `runUntilIdle` or `step`. Wall time may be skewed and jumped without touching durations.
 */

import { assert } from '../errors.ts'
import type { Cancel, Clock, Monotonic, Wall } from '../host.ts'
import { monotonic, wall } from '../host.ts'

interface Entry {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class SimulatedClock implements Clock {
  #now = 0
  #order = 0
  #wallOffset: number
  /** Binary heap, earliest first. */
  readonly #heap: Entry[] = []

  /** `wall_start` is the wall time at virtual zero. */
  constructor(wall_start = Date.UTC(2026, 0, 1)) {
    this.#wallOffset = wall_start
  }

  monotonic(): Monotonic {
    return monotonic(this.#now)
  }

  wall(): Wall {
    return wall(this.#now + this.#wallOffset)
  }

  after(delay_ms: number, run: () => void): Cancel {
    assert(delay_ms >= 0, 'a delay is not negative')
    const entry: Entry = { at: this.#now + delay_ms, order: this.#order++, run }
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }

  soon(run: () => void): void {
    this.after(0, run)
  }

  /** The wall clock jumps by `ms`, as when a person or NTP sets it. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms
  }

  /** Work still scheduled, cancelled entries not counted. */
  get pending(): number {
    return this.#heap.reduce((count, entry) => count + (entry.run ? 1 : 0), 0)
  }

  /** Runs the earliest work, moving time to it. False when there is none, or none until `limit`. */
  step(limit = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.at > limit) return false
      this.#pop()
      if (first.run === undefined) continue
      const run = first.run
      first.run = undefined
      this.#now = Math.max(this.#now, first.at)
      run()
      return true
    }
  }

  /** Moves time on by `ms`, running all that falls due. */
  advance(ms: number): void {
    const end = this.#now + ms
    while (this.step(end));
    this.#now = end
  }

  /** Runs until nothing is scheduled. Throws after `most` steps: something reschedules itself for ever. */
  runUntilIdle(most = 1_000_000): number {
    let steps = 0
    while (this.step()) {
      steps += 1
      assert(steps < most, `still busy after ${most} steps`)
    }
    return steps
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1
      if (!before(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}
