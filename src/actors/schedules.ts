/** Messages an actor sends itself later. */
import type { Cancel, Clock } from '../host/index.ts'
import { type Cell, Origin, Work } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { Message } from './effects.ts'

export class Schedule extends Work {
  readonly origin: Origin
  readonly message: Message
  /** Monotonic. */
  readonly due: number
  readonly cancel: Cancel

  constructor(
    name: string,
    message: Message,
    due: number,
    cell: Cell,
    start: (schedule: Schedule) => Cancel,
  ) {
    super(name)
    this.message = message
    this.due = due
    this.origin = new Origin(cell.ref, undefined, this)
    this.cancel = start(this)
  }

  protected override release(): void {
    this.cancel()
  }
}

export class Schedules {
  readonly #clock: Clock
  readonly #delivery: Delivery

  constructor(clock: Clock, delivery: Delivery) {
    this.#clock = clock
    this.#delivery = delivery
  }

  /** Replaces what the actor knows by that name. A delay below zero or not finite fails the actor. */
  schedule(cell: Cell, name: string, delay_ms: number, message: Message): void {
    cell.works ??= new Map()
    cell.works.get(name)?.close()
    const due = this.#clock.monotonic() + delay_ms
    const schedule = new Schedule(name, message, due, cell, (self) =>
      this.#clock.after(delay_ms, () => {
        self.finished = true
        this.#delivery.control(cell, message, self.origin)
      }),
    )
    cell.works.set(name, schedule)
  }
}
