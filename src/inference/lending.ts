/**
 * Engines of several nodes behind one `infer` port. A run goes to the best lender of the moment; when that one vanishes, breaks
 * or stays silent for longer than it should, the next best does the run again, within the run's own deadline, and whoever
 * asked notices nothing but the delay (`carried-run.ts`). With one lender this port adds nothing and hides nothing.
 */
import { keyOf, type Outcome, type OutsideEffect, type Ref } from '../actors/index.ts'
import type { Cancel, Clock, ErrorShape, Monotonic, RequestId } from '../host/index.ts'
import {
  again,
  type CarriedRun,
  carry,
  fed,
  finished,
  heard,
  isEngineAtFault,
  isWaitedFor,
  mayCarryOn,
} from './carried-run.ts'
import type { EngineEvent, EngineInput, EngineRequest } from './engine.ts'
import { notOffered } from './errors.ts'
import { feedRun, finishRun, openRun } from './messages.ts'
import type { InferPort } from './port.ts'

type Deliver = (outcome: Outcome) => void
type Infer = OutsideEffect<'infer'>

/** Somebody with an engine: this node, or another. */
export interface Lender {
  /** Names it in logs and makes sure that no run is tried twice with the same one. */
  readonly name: string
  /** The model its engine runs. */
  readonly model: string
  readonly port: InferPort
  /** How long it may be silent once it has all it needs, ms; undefined: it is here, and tells by itself when it is lost. */
  readonly patience_ms: number | undefined
}

export interface LendingOptions {
  readonly clock: Clock
  /** Who could do it now, best first. Called when a run begins and when it must go elsewhere. */
  readonly lenders: (to: string) => readonly Lender[]
  /** A run of that actor began there. */
  readonly lent?: (to: string, lender: Lender, actor: Ref) => void
  /** It was taken from one and given to another. */
  readonly moved?: (to: string, from: Lender, next: Lender, why: string) => void
}

interface Loan {
  readonly to: string
  readonly id: RequestId
  readonly actor: Ref
  readonly deliver: Deliver
  readonly deadline: Monotonic | undefined
  readonly tried: Set<string>
  run: CarriedRun
  lender: Lender | undefined
  /** What the lender at work says; nothing once the run is elsewhere. */
  listen: Deliver
  /** Stops the wait for a silent lender. */
  patience: Cancel | undefined
}

export function createLending(options: LendingOptions): InferPort {
  return new Lending(options)
}

class Lending implements InferPort {
  readonly #options: LendingOptions
  readonly #actors = new Map<string, Map<RequestId, Loan>>()

  constructor(options: LendingOptions) {
    this.#options = options
  }

  request(effect: Infer, deliver: Deliver, actor: Ref): void {
    if (effect.op === 'open') {
      this.#open(effect, deliver, actor)
      return
    }
    const loan = this.#find(effect.id, actor)
    if (loan?.lender === undefined) return
    if (effect.op === 'feed') loan.run = fed(loan.run, effect.body as EngineInput)
    if (effect.op === 'finish') loan.run = finished(loan.run)
    loan.lender.port.request(effect, loan.listen, actor)
    if (effect.op === 'finish') this.#beginWaiting(loan)
  }

  cancel(id: RequestId, actor: Ref): void {
    const loan = this.#find(id, actor)
    if (loan === undefined) return
    const { lender } = loan
    this.#forget(loan)
    lender?.port.cancel(id, actor)
  }

  actorGone(actor: Ref): void {
    for (const id of [...(this.#actors.get(keyOf(actor))?.keys() ?? [])]) this.cancel(id, actor)
  }

  #open(effect: Infer, deliver: Deliver, actor: Ref): void {
    // An id used again stands for the new run only.
    this.cancel(effect.id, actor)
    const { clock } = this.#options
    const deadline =
      effect.deadline_ms === undefined ? undefined : ((clock.monotonic() + effect.deadline_ms) as Monotonic)
    const loan: Loan = {
      to: effect.to,
      id: effect.id,
      actor,
      deliver,
      deadline,
      tried: new Set(),
      run: carry(effect.body as EngineRequest),
      lender: undefined,
      listen: () => undefined,
      patience: undefined,
    }
    const loans = this.#actors.get(keyOf(actor)) ?? new Map<RequestId, Loan>()
    loans.set(effect.id, loan)
    this.#actors.set(keyOf(actor), loans)
    const lender = this.#next(loan)
    if (lender === undefined) this.#end(loan, notOffered(effect.to))
    else this.#begin(loan, lender)
  }

  /** The best lender not tried yet that may take the run as it stands. */
  #next(loan: Loan): Lender | undefined {
    const before = loan.lender
    return this.#options
      .lenders(loan.to)
      .find(
        ({ name, model }) =>
          !loan.tried.has(name) && (before === undefined || mayCarryOn(loan.run, before.model, model)),
      )
  }

  /** Opens the run and feeds all it was fed so far. */
  #begin(loan: Loan, lender: Lender): void {
    const { id, to, actor } = loan
    loan.tried.add(lender.name)
    loan.lender = lender
    loan.run = again(loan.run)
    this.#options.lent?.(to, lender, actor)
    const listen: Deliver = (outcome) => {
      if (this.#find(id, actor) === loan && loan.lender === lender) this.#heard(loan, outcome)
    }
    loan.listen = listen
    const { inputs = [], finished: complete, request } = loan.run
    lender.port.request(openRun(id, to, request, this.#left(loan)), listen, actor)
    for (const input of inputs) lender.port.request(feedRun(id, to, input), listen, actor)
    if (complete) lender.port.request(finishRun(id, to), listen, actor)
    // It may have failed at once, and the run be elsewhere by now.
    if (loan.lender === lender) this.#beginWaiting(loan)
  }

  #heard(loan: Loan, outcome: Outcome): void {
    loan.patience?.()
    loan.patience = undefined
    if (outcome.event === 'failed') {
      this.#failed(loan, outcome.error)
      return
    }
    const { run, news } = heard(loan.run, outcome.body as EngineEvent)
    loan.run = run
    if (outcome.event === 'done') this.#forget(loan)
    else this.#beginWaiting(loan)
    if (news !== undefined) loan.deliver({ ...outcome, body: news })
  }

  #failed(loan: Loan, error: ErrorShape): void {
    const from = loan.lender
    const next = from !== undefined && isEngineAtFault(error) ? this.#next(loan) : undefined
    if (from === undefined || next === undefined) {
      this.#end(loan, error)
      return
    }
    this.#options.moved?.(loan.to, from, next, error.code)
    this.#begin(loan, next)
  }

  #beginWaiting(loan: Loan): void {
    const { lender } = loan
    if (lender?.patience_ms === undefined || !isWaitedFor(loan.run)) return
    loan.patience?.()
    loan.patience = this.#options.clock.after(lender.patience_ms, () => {
      if (this.#find(loan.id, loan.actor) !== loan || loan.lender !== lender) return
      const next = this.#next(loan)
      // Nobody else could: then it is waited for until the deadline of the run.
      if (next === undefined) return
      this.#options.moved?.(loan.to, lender, next, 'silent')
      lender.port.cancel(loan.id, loan.actor)
      this.#begin(loan, next)
    })
  }

  #left({ deadline }: Loan): number | undefined {
    return deadline === undefined ? undefined : Math.max(1, deadline - this.#options.clock.monotonic())
  }

  #end(loan: Loan, error: ErrorShape): void {
    this.#forget(loan)
    loan.deliver({ type: 'outcome', id: loan.id, event: 'failed', error })
  }

  #find(id: RequestId, actor: Ref): Loan | undefined {
    return this.#actors.get(keyOf(actor))?.get(id)
  }

  #forget(loan: Loan): void {
    loan.patience?.()
    loan.patience = undefined
    const name = keyOf(loan.actor)
    const loans = this.#actors.get(name)
    if (loans?.get(loan.id) !== loan) return
    loans.delete(loan.id)
    if (loans.size === 0) this.#actors.delete(name)
  }
}
