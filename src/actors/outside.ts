/**
 * Work carried out outside the actor system: engines, skills, satellites, the store. A port gets the effect and a way to
 * tell what comes of it; what it tells reaches the asking actor only while that life of it wants to hear.
 */
import { type ErrorShape, errorShape, LoqaError, OverloadedError } from '../host/index.ts'
import type { Ref } from './address.ts'
import { type Cell, Origin, Work } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { Outcome, OutsidePort } from './effects.ts'
import { MAX_CONTROL } from './mailbox.ts'

/** Carries out one op. `deliver` may be called at once or later, any number of chunks, then `done` or `failed`. */
export type Port = (effect: OutsidePort, deliver: (outcome: Outcome) => void, actor: Ref) => void

export interface Outside {
  readonly infer?: Port
  readonly invoke?: Port
  readonly play?: Port
  readonly read?: Port
  readonly write?: Port
  /** The actor gave this work up, by a `cancel` effect or because it failed or stopped. */
  readonly cancel?: (id: string, actor: Ref, port: OutsidePort['type']) => void
  /** An actor that used a port ended for good: nothing of it is needed any more. */
  readonly actorGone?: (actor: Ref) => void
}

class OutsideWork extends Work {
  readonly port: OutsidePort['type']
  readonly origin: Origin
  readonly #giveUp: (work: OutsideWork) => void

  constructor(name: string, port: OutsidePort['type'], giveUp: (work: OutsideWork) => void) {
    super(name)
    this.port = port
    this.origin = new Origin(undefined, undefined, this)
    this.#giveUp = giveUp
  }

  protected override release(): void {
    this.#giveUp(this)
  }
}

export class OutsidePorts {
  readonly #outside: Outside
  readonly #delivery: Delivery
  /** Outside work of a stopping actor ended: it may be able to end now. */
  readonly #settled: (cell: Cell) => void

  constructor(outside: Outside, delivery: Delivery, settled: (cell: Cell) => void) {
    this.#outside = outside
    this.#delivery = delivery
    this.#settled = settled
  }

  carryOut(cell: Cell, effect: OutsidePort): void {
    cell.works ??= new Map()
    cell.usedOutside = true
    const known = cell.works.get(effect.id)
    // Further ops of the same work belong to one conversation with the port; anything else by that name is replaced.
    const continued = known instanceof OutsideWork && !known.finished && known.port === effect.type
    if (!continued) known?.close()
    const work = continued ? known : this.#begin(cell, effect)
    cell.works.set(effect.id, work)
    const deliver = (outcome: Outcome): void => this.#deliver(cell, work, outcome)
    try {
      const port = this.#outside[effect.type] ?? missing
      port(effect, deliver, cell.ref)
    } catch (thrown) {
      deliver(failed(effect, errorShape(thrown)))
    }
  }

  gone(cell: Cell): void {
    if (cell.usedOutside) this.#outside.actorGone?.(cell.ref)
  }

  /** Whether anything it asked of the outside is still under way: its last writes, when it stops. */
  busy(cell: Cell): boolean {
    if (cell.works === undefined) return false
    for (const work of cell.works.values()) {
      if (work instanceof OutsideWork && !work.finished && !work.void) return true
    }
    return false
  }

  #begin(cell: Cell, effect: OutsidePort): OutsideWork {
    return new OutsideWork(effect.id, effect.type, (work) =>
      this.#outside.cancel?.(work.name, cell.ref, work.port),
    )
  }

  #deliver(cell: Cell, work: OutsideWork, outcome: Outcome): void {
    if (work.void || work.finished) return
    if (outcome.event === 'chunk' && cell.mailbox.controlIsFull) {
      this.#outside.cancel?.(work.name, cell.ref, work.port)
      const error = new OverloadedError(cell.address, `${MAX_CONTROL} waiting chunks`).toJSON()
      this.#deliver(cell, work, { type: 'outcome', id: outcome.id, event: 'failed', error })
      return
    }
    work.finished = outcome.event !== 'chunk'
    if (cell.phase !== 'stopping') this.#delivery.control(cell, outcome, work.origin)
    else if (work.finished) this.#settled(cell)
  }
}

const failed = (effect: OutsidePort, error: ErrorShape): Outcome => ({
  type: 'outcome',
  id: effect.id,
  event: 'failed',
  error,
})

const missing = (effect: OutsidePort, deliver: (outcome: Outcome) => void): void =>
  deliver(failed(effect, new LoqaError('unavailable', `This node has no port for ${effect.type}`).toJSON()))
