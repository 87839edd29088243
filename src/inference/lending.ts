/**
 * Engines of several nodes behind one `infer` port. A run goes to the best lender of the moment; when that one vanishes, breaks
 * or stays silent for longer than it should, the next best does the run again, within the run's own deadline, and whoever
 * asked notices nothing but the delay (`carried-run.ts`). One that is only late is helped by an idle one (`hedging.ts`). With one
 * lender this port adds nothing and hides nothing.
 */
import { keyOf, type Outcome, type OutsideEffect, type Ref } from '../actors/index.ts'
import {
  type Cancel,
  type Clock,
  type ErrorShape,
  type Monotonic,
  type RequestId,
  requestId,
} from '../host/index.ts'
import {
  again,
  type CarriedRun,
  carry,
  fed,
  finished,
  heard,
  isEngineAtFault,
  isResult,
  isWaitedFor,
  mayCarryOn,
} from './carried-run.ts'
import type { EngineEvent, EngineInput, EngineRequest } from './engine.ts'
import { notOffered } from './errors.ts'
import { type Allowance, earned, FULL, hedgeAfter, spent } from './hedging.ts'
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
  /** What 95 of 100 such runs take there, the way included, ms; undefined: not known. */
  readonly expected_ms: number | undefined
  /** It could do one more without anybody else waiting for it. */
  readonly idle: boolean
}

/** Why a run is where it is: it was the best place, or it was the first to answer of two. */
export type Chosen = 'best' | 'hedge'

export interface LendingOptions {
  readonly clock: Clock
  /** Who could do it now, best first. Called when a run begins and when it must go elsewhere. `underway`: runs of this port there. */
  readonly lenders: (to: string, underway: (name: string, model: string) => number) => readonly Lender[]
  /** A run of that actor is done there. */
  readonly lent?: (to: string, lender: Lender, actor: Ref, chosen: Chosen) => void
  /** It was taken from one and given to another. */
  readonly moved?: (to: string, from: Lender, next: Lender, why: string) => void
  /** From having all it needs to the first result, ms; what was left in the meantime counts with the time until then. */
  readonly waited?: (to: string, lender: Lender, wait_ms: number) => void
  /** Whether somebody stands and waits for what that actor asks. */
  readonly hedged?: (to: string, actor: Ref) => boolean
  /** A second lender was begun with, or was not needed in the end. */
  readonly hedge?: (to: string, second: Lender, event: 'begun' | 'won' | 'lost') => void
}

/** One lender at work on a run. */
interface Attempt {
  readonly lender: Lender
  /** What the run is called there: two attempts of one run may be with one port. */
  readonly id: RequestId
  readonly listen: Deliver
  /** Since when it has all it needs, until its first result. */
  since: Monotonic | undefined
}

interface Loan {
  readonly to: string
  readonly id: RequestId
  readonly actor: Ref
  readonly deliver: Deliver
  readonly deadline: Monotonic | undefined
  readonly tried: Set<string>
  run: CarriedRun
  /** The first result was delivered. */
  answered: boolean
  /** Whose results count. */
  first: Attempt | undefined
  /** Of two the later one; what it says counts when it is the first to have a result. */
  second: Attempt | undefined
  /** Stops the wait for a silent lender. */
  patience: Cancel | undefined
  /** And that for a late one. */
  lateness: Cancel | undefined
}

export function createLending(options: LendingOptions): InferPort {
  return new Lending(options)
}

class Lending implements InferPort {
  readonly #options: LendingOptions
  readonly #actors = new Map<string, Map<RequestId, Loan>>()
  /** Attempts under way, by lender and model. */
  readonly #underway = new Map<string, number>()
  #allowance: Allowance = FULL

  constructor(options: LendingOptions) {
    this.#options = options
  }

  request(effect: Infer, deliver: Deliver, actor: Ref): void {
    if (effect.op === 'open') {
      this.#open(effect, deliver, actor)
      return
    }
    const loan = this.#find(effect.id, actor)
    if (loan?.first === undefined) return
    if (effect.op === 'feed') loan.run = fed(loan.run, effect.body as EngineInput)
    if (effect.op === 'finish') loan.run = finished(loan.run)
    const { first, second } = loan
    for (const { lender, id, listen } of second === undefined ? [first] : [first, second]) {
      lender.port.request({ ...effect, id }, listen, actor)
    }
    if (effect.op === 'finish') this.#beginWaiting(loan)
  }

  cancel(id: RequestId, actor: Ref): void {
    const loan = this.#find(id, actor)
    if (loan === undefined) return
    const { first, second } = loan
    this.#forget(loan)
    for (const attempt of [first, second]) attempt?.lender.port.cancel(attempt.id, actor)
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
      answered: false,
      first: undefined,
      second: undefined,
      patience: undefined,
      lateness: undefined,
    }
    const loans = this.#actors.get(keyOf(actor)) ?? new Map<RequestId, Loan>()
    loans.set(effect.id, loan)
    this.#actors.set(keyOf(actor), loans)
    this.#allowance = earned(this.#allowance)
    const lender = this.#next(loan)
    if (lender === undefined) this.#end(loan, notOffered(effect.to))
    else this.#begin(loan, lender)
  }

  /** The best lender not tried yet that may take the run as it stands. */
  #next(loan: Loan, suits: (lender: Lender) => boolean = () => true): Lender | undefined {
    const before = loan.first?.lender
    return this.#options
      .lenders(loan.to, (name, model) => this.#underway.get(`${name} ${model}`) ?? 0)
      .find(
        (lender) =>
          !loan.tried.has(lender.name) &&
          (before === undefined || mayCarryOn(loan.run, before.model, lender.model)) &&
          suits(lender),
      )
  }

  /** Opens the run and feeds all it was fed so far. */
  #begin(loan: Loan, lender: Lender): void {
    if (loan.first !== undefined) this.#leave(loan, loan.first)
    loan.lateness?.()
    loan.lateness = undefined
    loan.run = again(loan.run)
    this.#options.lent?.(loan.to, lender, loan.actor, 'best')
    const attempt = this.#attempt(loan, lender, loan.id)
    loan.first = attempt
    this.#hand(loan, attempt)
    // It may have failed at once, and the run be elsewhere by now.
    if (loan.first === attempt) this.#beginWaiting(loan)
  }

  #attempt(loan: Loan, lender: Lender, id: RequestId): Attempt {
    loan.tried.add(lender.name)
    const attempt: Attempt = {
      lender,
      id,
      listen: (outcome) => {
        if (this.#find(loan.id, loan.actor) === loan) this.#outcome(loan, attempt, outcome)
      },
      since: undefined,
    }
    const key = `${lender.name} ${lender.model}`
    this.#underway.set(key, (this.#underway.get(key) ?? 0) + 1)
    return attempt
  }

  #hand(loan: Loan, { lender, id, listen }: Attempt): void {
    const { to, actor } = loan
    const { inputs = [], finished: complete, request } = loan.run
    lender.port.request(openRun(id, to, request, this.#left(loan)), listen, actor)
    for (const input of inputs) lender.port.request(feedRun(id, to, input), listen, actor)
    if (complete) lender.port.request(finishRun(id, to), listen, actor)
  }

  #outcome(loan: Loan, attempt: Attempt, outcome: Outcome): void {
    if (attempt === loan.first) this.#heard(loan, attempt, outcome)
    else if (attempt === loan.second) this.#heardSecond(loan, attempt, outcome)
  }

  #heard(loan: Loan, attempt: Attempt, outcome: Outcome): void {
    loan.patience?.()
    loan.patience = undefined
    if (outcome.event === 'failed') {
      this.#failed(loan, outcome.error)
      return
    }
    const event = outcome.body as EngineEvent
    if (isResult(event)) {
      this.#noteWait(loan, attempt)
      loan.answered = true
      if (loan.second !== undefined) this.#dropSecond(loan, loan.second)
    }
    const { run, news } = heard(loan.run, event)
    loan.run = run
    if (outcome.event === 'done') this.#forget(loan)
    else this.#beginWaiting(loan)
    if (news !== undefined) loan.deliver({ ...outcome, id: loan.id, body: news })
  }

  /** It counts from its first result on; what it only supposes is the business of the first. */
  #heardSecond(loan: Loan, attempt: Attempt, outcome: Outcome): void {
    if (outcome.event === 'failed') {
      this.#options.hedge?.(loan.to, attempt.lender, 'lost')
      this.#leave(loan, attempt)
    } else if (isResult(outcome.body as EngineEvent)) {
      const { first } = loan
      // It would have taken longer still.
      if (first !== undefined) this.#noteWait(loan, first)
      this.#promote(loan, attempt)
      first?.lender.port.cancel(first.id, loan.actor)
      this.#heard(loan, attempt, outcome)
    }
  }

  #promote(loan: Loan, second: Attempt): void {
    const { first, to, actor } = loan
    if (first !== undefined) this.#leave(loan, first)
    loan.second = undefined
    loan.first = second
    this.#options.hedge?.(to, second.lender, 'won')
    this.#options.lent?.(to, second.lender, actor, 'hedge')
  }

  #dropSecond(loan: Loan, second: Attempt): void {
    this.#options.hedge?.(loan.to, second.lender, 'lost')
    this.#leave(loan, second)
    second.lender.port.cancel(second.id, loan.actor)
  }

  #failed(loan: Loan, error: ErrorShape): void {
    const { first, second } = loan
    if (first === undefined || !isEngineAtFault(error)) {
      if (second !== undefined) this.#dropSecond(loan, second)
      this.#end(loan, error)
      return
    }
    if (second !== undefined) {
      this.#options.moved?.(loan.to, first.lender, second.lender, error.code)
      this.#promote(loan, second)
      this.#beginWaiting(loan)
      return
    }
    const next = this.#next(loan)
    if (next === undefined) {
      this.#end(loan, error)
      return
    }
    this.#options.moved?.(loan.to, first.lender, next, error.code)
    this.#begin(loan, next)
  }

  #beginWaiting(loan: Loan): void {
    const { first } = loan
    if (first === undefined || !isWaitedFor(loan.run)) return
    if (!loan.answered) first.since ??= this.#options.clock.monotonic()
    this.#waitForLate(loan, first)
    const { lender } = first
    if (lender.patience_ms === undefined) return
    loan.patience?.()
    loan.patience = this.#options.clock.after(lender.patience_ms, () => {
      if (this.#find(loan.id, loan.actor) !== loan || loan.first !== first) return
      const { second } = loan
      const next = second === undefined ? this.#next(loan) : second.lender
      // Nobody else could: then it is waited for until the deadline of the run.
      if (next === undefined) return
      this.#options.moved?.(loan.to, lender, next, 'silent')
      lender.port.cancel(first.id, loan.actor)
      this.#noteWait(loan, first)
      if (second === undefined) this.#begin(loan, next)
      else {
        this.#promote(loan, second)
        this.#beginWaiting(loan)
      }
    })
  }

  /** Another one begins beside it, when it is late and there is one with nothing better to do. */
  #waitForLate(loan: Loan, first: Attempt): void {
    const { hedged, clock } = this.#options
    const { expected_ms } = first.lender
    if (loan.lateness !== undefined || expected_ms === undefined || loan.answered) return
    if (hedged?.(loan.to, loan.actor) !== true) return
    loan.lateness = clock.after(hedgeAfter(expected_ms), () => {
      if (this.#find(loan.id, loan.actor) !== loan || loan.first !== first) return
      if (loan.second !== undefined || loan.answered) return
      const next = this.#next(loan, ({ idle }) => idle)
      const allowance = spent(this.#allowance)
      if (next === undefined || allowance === undefined) return
      this.#allowance = allowance
      this.#options.hedge?.(loan.to, next, 'begun')
      const second = this.#attempt(loan, next, requestId(`${loan.id} again`))
      loan.second = second
      second.since = clock.monotonic()
      this.#hand(loan, second)
    })
  }

  #noteWait({ to }: Loan, attempt: Attempt): void {
    if (attempt.since === undefined) return
    this.#options.waited?.(to, attempt.lender, this.#options.clock.monotonic() - attempt.since)
    attempt.since = undefined
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

  /** That attempt is over. */
  #leave(loan: Loan, attempt: Attempt): void {
    if (loan.first === attempt) loan.first = undefined
    else if (loan.second === attempt) loan.second = undefined
    else return
    const key = `${attempt.lender.name} ${attempt.lender.model}`
    const left = (this.#underway.get(key) ?? 0) - 1
    if (left > 0) this.#underway.set(key, left)
    else this.#underway.delete(key)
  }

  #forget(loan: Loan): void {
    loan.patience?.()
    loan.patience = undefined
    loan.lateness?.()
    loan.lateness = undefined
    for (const attempt of [loan.first, loan.second]) if (attempt !== undefined) this.#leave(loan, attempt)
    const name = keyOf(loan.actor)
    const loans = this.#actors.get(name)
    if (loans?.get(loan.id) !== loan) return
    loans.delete(loan.id)
    if (loans.size === 0) this.#actors.delete(name)
  }
}
