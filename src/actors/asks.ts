/**
 * Asks under way on this node. Each ends exactly once: answered, failed, out of time, or given up by who asked.
 */
import {
  assert,
  CancelledError,
  type Clock,
  type LoqaError,
  OverloadedError,
  TimeoutError,
} from '../host/index.ts'
import type { Ref } from './address.ts'
import { type Cell, type OpenAsk, Origin, type Settle, Work } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { Message, ReplyTo, Target } from './effects.ts'
import { type Deadline, DeadlineWheel } from './wheel.ts'

/** Asks of one node at a time: each holds about 300 bytes, and a node that waits for more than this is stuck. */
export const MAX_OPEN_ASKS = 65_536

/** Who asks: an actor, by the name it gave the ask, or somebody outside, who may stand for somebody on another node. */
export type Asker =
  | { readonly cell: Cell; readonly name: string }
  | {
      readonly settle: Settle
      readonly afar?: {
        readonly sender: Ref | undefined
        /** It is asked here already and its question is elsewhere; default: into the mailbox of its target. */
        readonly into?: (origin: Origin) => LoqaError | undefined
      }
    }

export class Ask extends Work implements OpenAsk, Deadline<Ask> {
  readonly replyTo: ReplyTo
  /** Infinite until the stretch in which it was asked is over: its wait begins with the next look at the clock. */
  deadline = Number.POSITIVE_INFINITY
  readonly wait_ms: number
  readonly target: Target
  readonly cell: Cell | undefined
  readonly settle: Settle | undefined
  /** What the asked actor sees of it. */
  readonly origin: Origin
  open = true
  away = false
  before: Ask | undefined = undefined
  after: Ask | undefined = undefined
  slot = -1
  readonly #asks: Asks

  constructor(asks: Asks, id: number, asker: Asker, target: Target, wait_ms: number) {
    super('name' in asker ? asker.name : '')
    this.#asks = asks
    this.cell = 'cell' in asker ? asker.cell : undefined
    this.settle = 'settle' in asker ? asker.settle : undefined
    const sender = this.cell?.ref ?? ('afar' in asker ? asker.afar?.sender : undefined)
    this.replyTo = { actor: sender, id, life: asks.life }
    this.wait_ms = wait_ms
    this.target = target
    this.origin = new Origin(sender, this)
  }

  /** How long the asker still waits, ms. */
  remaining(now: number): number {
    return Math.max(0, Math.min(this.wait_ms, this.deadline - now))
  }

  protected override release(): void {
    this.#asks.forget(this)
  }
}

export class Asks {
  /** Which node's, and which of its lives, these are; undefined on a node that is alone. */
  readonly life: string | undefined
  readonly #delivery: Delivery
  readonly #wheel: DeadlineWheel<Ask>
  readonly #open: (Ask | undefined)[] = new Array<Ask | undefined>(MAX_OPEN_ASKS).fill(undefined)
  /** Asked since the clock was last read; most are answered before it is read again and never meet the wheel. */
  readonly #fresh: Ask[] = []
  #lastId = 0
  #count = 0

  constructor(clock: Clock, delivery: Delivery, boot: number) {
    this.life = boot === 0 ? undefined : boot.toString(36)
    this.#delivery = delivery
    this.#wheel = new DeadlineWheel<Ask>(clock, (ask) => {
      this.fail(ask, new TimeoutError(`Asking ${nameOf(ask.target)}`, ask.wait_ms))
    })
  }

  /** Puts the question into the target's mailbox. A refusal is told to the asker like any other failure. */
  ask(asker: Asker, target: Target, message: Message, wait_ms: number): Ask {
    assert(wait_ms >= 0 && wait_ms < Number.POSITIVE_INFINITY, 'an ask waits for a stated time')
    const full = this.#count >= MAX_OPEN_ASKS
    const ask = new Ask(this, full ? -1 : this.#freeId(), asker, target, wait_ms)
    const refused = full
      ? new OverloadedError('This node', `${MAX_OPEN_ASKS} open asks`)
      : 'afar' in asker
        ? this.#fromAfar(asker, target, message, ask.origin)
        : this.#delivery.ask(target, message, ask.origin)
    if (refused !== undefined) {
      ask.open = false
      this.#tellFailure(ask, refused)
      return ask
    }
    this.#open[ask.replyTo.id % MAX_OPEN_ASKS] = ask
    this.#count += 1
    this.#fresh.push(ask)
    return ask
  }

  #fromAfar(
    { afar }: Extract<Asker, { settle: Settle }>,
    target: Target,
    message: Message,
    origin: Origin,
  ): LoqaError | undefined {
    return afar?.into === undefined ? this.#delivery.askHere(target, message, origin) : afar.into(origin)
  }

  /** The clock was read: what was asked since the last time waits from now. Called often, and at the latest when the runtime idles. */
  beginWaits(now: number): void {
    // Emptying an array is a call into V8's runtime, also when it is empty.
    if (this.#fresh.length === 0) return
    for (const ask of this.#fresh) {
      if (!ask.open) continue
      ask.deadline = now + ask.wait_ms
      this.#wheel.add(ask)
    }
    this.#fresh.length = 0
  }

  /** The open ask an answer is for. */
  find(replyTo: ReplyTo): Ask | undefined {
    const ask = this.#open[replyTo.id % MAX_OPEN_ASKS]
    const known = ask?.replyTo
    return known?.id === replyTo.id && known.life === replyTo.life ? ask : undefined
  }

  /** The open ask of that number. */
  numbered(id: number): Ask | undefined {
    const ask = this.#open[id % MAX_OPEN_ASKS]
    return ask?.replyTo.id === id ? ask : undefined
  }

  answer(ask: Ask, message: Message, by: Origin): void {
    this.forget(ask)
    if (ask.cell === undefined) {
      ask.settle?.answered(message)
      return
    }
    ask.finished = true
    const answer = { type: 'answer', id: ask.name, message } as const
    this.#delivery.control(ask.cell, answer, new Origin(by.sender, undefined, ask))
  }

  /** Ends an ask without an answer. Nothing happens when it is over already. */
  fail(ask: OpenAsk, error: LoqaError): void {
    const open = this.find(ask.replyTo)
    if (open === undefined) return
    this.forget(open)
    this.#tellFailure(open, error)
  }

  cancel(ask: Ask, cause: unknown): void {
    this.fail(ask, new CancelledError(`Asking ${nameOf(ask.target)}`, cause))
  }

  /** Takes it off the books; nobody is told. */
  forget(ask: Ask): void {
    if (!ask.open) return
    ask.open = false
    this.#open[ask.replyTo.id % MAX_OPEN_ASKS] = undefined
    this.#count -= 1
    this.#wheel.remove(ask)
    if (ask.away) this.#delivery.remote?.giveUp(ask.replyTo.id)
  }

  /** Lets go of the timer. */
  close(): void {
    this.#wheel.close()
  }

  #tellFailure(ask: Ask, error: LoqaError): void {
    if (ask.cell === undefined) {
      ask.settle?.failed(error)
      return
    }
    ask.finished = true
    const failure = { type: 'ask-failed', id: ask.name, error: error.toJSON() } as const
    this.#delivery.control(ask.cell, failure, new Origin(undefined, undefined, ask))
  }

  /** Ids rise for ever, the table is indexed modulo its size: an old `ReplyTo` never fits a later ask. */
  #freeId(): number {
    do this.#lastId += 1
    while (this.#open[this.#lastId % MAX_OPEN_ASKS] !== undefined)
    return this.#lastId
  }
}

const nameOf = (target: Target): string => (typeof target === 'string' ? target : target.address)
