/**
 * Actors with something to do, first come first served. A drain gives each its turn until the time budget is used, then
 * yields through the clock so that I/O is never starved.
 *
 * Reading the clock costs as much as handling several messages, so it is read once per stretch of messages. A stretch grows
 * while messages are quick and shrinks to one when they are slow, which bounds how late the yield can be. When a stretch
 * took too long, the actor is named if it was the only one; otherwise all of the stretch are suspects, and their next
 * messages are timed one by one, which names the guilty one exactly if it does it again soon. Not for ever: on a busy machine
 * the whole process is held up now and then, which looks the same and would make every actor slow in the end.
 */
import type { Clock } from '../host/index.ts'
import type { Cell } from './cell.ts'

/** What one turn of I/O waits at most, plus one handler. Half of a frame's jitter budget at four sessions. */
const BUDGET_MS = 1
const LONGEST_STRETCH = 256
/** A stretch that took less than this may be twice as long next time. */
const QUICK_MS = BUDGET_MS / 4
/** A handler longer than this is reported: it delays every conversation of the node audibly. */
export const SLOW_MS = 50
/** Messages of a suspect that are timed one by one: minutes of a conversation, a millisecond of what a busy actor costs more. */
export const TIMED_MESSAGES = 1_000

/** Gives an actor its turn: handles at most `most` of its messages, returns how many. */
export type TakeTurn = (cell: Cell, most: number) => number
/** A stretch over `SLOW_MS`. The culprit is certain when `handled` is 1: the last message of the only cell. */
export type SlowStretch = (cells: readonly Cell[], handled: number, took_ms: number) => void

export interface ReadyQueueParts {
  readonly clock: Clock
  readonly takeTurn: TakeTurn
  readonly slow: SlowStretch
  /** The clock was just read. */
  readonly clockRead: (now: number) => void
  /** Which of the ready ones is next, in a simulation that tries other orders; undefined: the first. */
  readonly choose: ((count: number) => number) | undefined
  /** After every drain. */
  readonly drained: (() => void) | undefined
}

export class ReadyQueue {
  readonly #clock: Clock
  readonly #takeTurn: TakeTurn
  readonly #slow: SlowStretch
  readonly #clockRead: (now: number) => void
  readonly #choose: ReadyQueueParts['choose']
  readonly #drained: ReadyQueueParts['drained']

  #cells: (Cell | undefined)[] = new Array<Cell | undefined>(64).fill(undefined)
  #head = 0
  #length = 0
  #draining = false
  #armed = false

  #stretch = 1
  #handled = 0
  #stretchStart = 0
  /** Actors that had a turn in this stretch: the first `#seenCount`. Emptying an array is a call into V8's runtime. */
  readonly #seen: (Cell | undefined)[] = new Array<Cell | undefined>(LONGEST_STRETCH).fill(undefined)
  #seenCount = 0

  constructor(parts: ReadyQueueParts) {
    this.#clock = parts.clock
    this.#takeTurn = parts.takeTurn
    this.#slow = parts.slow
    this.#clockRead = parts.clockRead
    this.#choose = parts.choose
    this.#drained = parts.drained
  }

  get length(): number {
    return this.#length
  }

  add(cell: Cell): void {
    if (cell.queued) return
    cell.queued = true
    if (this.#length === this.#cells.length) this.#grow()
    this.#cells[(this.#head + this.#length) & (this.#cells.length - 1)] = cell
    this.#length += 1
    if (!this.#armed && !this.#draining) this.#arm()
  }

  #arm(): void {
    this.#armed = true
    this.#clock.soon(this.#drain)
  }

  readonly #drain = (): void => {
    this.#armed = false
    this.#draining = true
    const start: number = this.#clock.monotonic()
    let now = start
    this.#beginStretch(start)
    try {
      while (this.#length > 0 && now - start < BUDGET_MS) {
        const cell = this.#take()
        const timed = cell.suspicion > 0
        if (timed) {
          cell.suspicion -= 1
          this.#endStretch()
          this.#stretch = 1
        }
        this.#seen[this.#seenCount] = cell
        this.#seenCount += 1
        this.#handled += Math.max(1, this.#takeTurn(cell, this.#stretch - this.#handled))
        // Still `queued` during its turn, so that what it tells itself does not queue it twice.
        cell.queued = false
        if (cell.wantsTurn) this.add(cell)
        if (this.#handled >= this.#stretch || timed) now = this.#endStretch()
      }
      this.#endStretch()
    } finally {
      this.#draining = false
      // An actor that ended is not kept alive by having had a turn.
      this.#seen.fill(undefined)
      if (this.#length > 0) this.#arm()
    }
    this.#drained?.()
  }

  #beginStretch(now: number): void {
    this.#stretchStart = now
    this.#handled = 0
    this.#seenCount = 0
  }

  /** Reads the clock, judges the stretch and begins the next. Returns the time. */
  #endStretch(): number {
    const now = this.#clock.monotonic()
    const took = now - this.#stretchStart
    if (took >= SLOW_MS && this.#seenCount > 0) {
      this.#slow(this.#seen.slice(0, this.#seenCount) as Cell[], this.#handled, took)
    }
    if (took > BUDGET_MS) this.#stretch = 1
    else if (took < QUICK_MS && this.#handled >= this.#stretch && this.#stretch < LONGEST_STRETCH) {
      this.#stretch *= 2
    }
    this.#clockRead(now)
    this.#beginStretch(now)
    return now
  }

  #take(): Cell {
    const mask = this.#cells.length - 1
    if (this.#choose !== undefined && this.#length > 1) {
      const chosen = (this.#head + this.#choose(this.#length)) & mask
      const first = this.#cells[this.#head]
      this.#cells[this.#head] = this.#cells[chosen]
      this.#cells[chosen] = first
    }
    const cell = this.#cells[this.#head]!
    this.#cells[this.#head] = undefined
    this.#head = (this.#head + 1) & mask
    this.#length -= 1
    return cell
  }

  #grow(): void {
    const cells = new Array<Cell | undefined>(this.#cells.length * 2).fill(undefined)
    for (let i = 0; i < this.#length; i += 1) {
      cells[i] = this.#cells[(this.#head + i) & (this.#cells.length - 1)]
    }
    this.#cells = cells
    this.#head = 0
  }
}
