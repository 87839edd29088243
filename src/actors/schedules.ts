/** Messages an actor sends itself later. */
import type { Cancel, Clock } from '../host/index.ts'
import { type Cell, Origin, Work } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { Message } from './effects.ts'

class Schedule extends Work {
  readonly origin: Origin
  readonly cancel: Cancel

  constructor(name: string, cell: Cell, start: (schedule: Schedule) => Cancel) {
    super(name)
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
    const schedule = new Schedule(name, cell, (self) =>
      this.#clock.after(delay_ms, () => {
        self.finished = true
        this.#delivery.control(cell, message, self.origin)
      }),
    )
    cell.works.set(name, schedule)
  }
}
