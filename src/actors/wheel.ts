/**
 * Many deadlines, few timers: entries hang in slots of `TICK_MS` each and one timer of the clock waits for the earliest
 * slot that holds any. Adding and removing cost the same whatever the number; a deadline fires never early and at most one
 * tick late (later when the thread was busy). Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.
 */
import type { Cancel, Clock } from '../host/index.ts'

/** Fine enough for deadlines of hundreds of ms; coarse enough that a burst of asks shares its timers. */
const TICK_MS = 8
const SLOTS = 512

/** What hangs in the wheel links itself: no allocation beside it. */
export interface Deadline<Self> {
  /** Monotonic ms. */
  readonly deadline: number
  before: Self | undefined
  after: Self | undefined
  /** −1 while it hangs nowhere. */
  slot: number
}

export class DeadlineWheel<Entry extends Deadline<Entry>> {
  readonly #slots: (Entry | undefined)[] = new Array<Entry | undefined>(SLOTS).fill(undefined)
  readonly #clock: Clock
  /** Told of every entry whose time has come, after it was removed. Must not remove others. */
  readonly #expire: (entry: Entry) => void
  #count = 0
  /** Tick the timer waits for, and its cancel. */
  #armed = Number.POSITIVE_INFINITY
  #cancel: Cancel | undefined = undefined

  constructor(clock: Clock, expire: (entry: Entry) => void) {
    this.#clock = clock
    this.#expire = expire
  }

  add(entry: Entry): void {
    // The first tick after the deadline, whatever the rounding: due then means due in the slot.
    const tick = Math.floor(entry.deadline / TICK_MS) + 1
    const slot = tick & (SLOTS - 1)
    const first = this.#slots[slot]
    entry.slot = slot
    entry.after = first
    if (first !== undefined) first.before = entry
    this.#slots[slot] = entry
    this.#count += 1
    if (tick < this.#armed) this.#arm(tick)
  }

  remove(entry: Entry): void {
    if (entry.slot < 0) return
    if (entry.before !== undefined) entry.before.after = entry.after
    else this.#slots[entry.slot] = entry.after
    if (entry.after !== undefined) entry.after.before = entry.before
    entry.before = undefined
    entry.after = undefined
    entry.slot = -1
    this.#count -= 1
  }

  /** Lets go of the timer; nothing fires afterwards until something is added. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#armed = Number.POSITIVE_INFINITY
  }

  #arm(tick: number): void {
    this.#cancel?.()
    this.#armed = tick
    const wait_ms = Math.max(0, tick * TICK_MS - this.#clock.monotonic())
    this.#cancel = this.#clock.after(wait_ms, () => this.#turn(tick))
  }

  #turn(tick: number): void {
    this.#cancel = undefined
    this.#armed = Number.POSITIVE_INFINITY
    const now = this.#clock.monotonic()
    // Timers of the machine may fire a fraction of a millisecond before their time.
    if (now < tick * TICK_MS) {
      this.#arm(tick)
      return
    }
    // A busy thread may be several ticks late: all slots up to now are due, each at most once around.
    const last = Math.min(Math.floor(now / TICK_MS), tick + SLOTS - 1)
    for (let due = tick; due <= last; due += 1) this.#expireSlot(due & (SLOTS - 1), now)
    if (this.#count > 0) this.#armNext(last)
  }

  #expireSlot(slot: number, now: number): void {
    let entry = this.#slots[slot]
    while (entry !== undefined) {
      const following: Entry | undefined = entry.after
      // Those of a later turn of the wheel share the slot and stay.
      if (entry.deadline <= now) {
        this.remove(entry)
        this.#expire(entry)
      }
      entry = following
    }
  }

  #armNext(after: number): void {
    for (let tick = after + 1; tick <= after + SLOTS; tick += 1) {
      if (this.#slots[tick & (SLOTS - 1)] !== undefined) {
        this.#arm(tick)
        return
      }
    }
  }
}
