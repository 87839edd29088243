/**
 * Carries out effects, in order, after the state is stored. The only place that knows all of them.
 */
import { assert, assertNever, type Clock, type LoqaError } from '../host/index.ts'
import type { Asks } from './asks.ts'
import { NO_EFFECTS } from './behavior.ts'
import type { Cell, Origin } from './cell.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Delivery } from './delivery.ts'
import type { Effect, Message, Target } from './effects.ts'
import { END } from './lane.ts'
import type { Observe, Trace } from './observation.ts'
import type { OutsidePorts } from './outside.ts'
import type { Schedules } from './schedules.ts'
import type { Topics } from './topics.ts'
import type { Watches } from './watches.ts'

/** The effects that change the tree; `lifecycle.ts` carries them out. */
export interface Tree {
  spawnChild(parent: Cell, effect: Extract<Effect, { type: 'spawn' }>): void
  stop(by: Cell, effect: Extract<Effect, { type: 'stop' }>): void
}

export interface InterpreterParts {
  readonly clock: Clock
  readonly delivery: Delivery
  readonly asks: Asks
  readonly schedules: Schedules
  readonly outside: OutsidePorts
  readonly topics: Topics
  readonly watches: Watches
  readonly dead: DeadLetters
  readonly observe: Observe
  readonly trace: Trace | undefined
}

export class Interpreter {
  readonly #parts: InterpreterParts
  readonly #delivery: Delivery
  readonly #asks: Asks
  readonly #trace: Trace | undefined
  readonly #tree: Tree
  /** Whether the effects carried out last put their message aside. */
  putAside = false

  constructor(parts: InterpreterParts, tree: Tree) {
    this.#parts = parts
    this.#delivery = parts.delivery
    this.#asks = parts.asks
    this.#trace = parts.trace
    this.#tree = tree
  }

  /** `message` and `origin` are those being handled. Throws on an effect that cannot be carried out: the actor fails. */
  carryOut(cell: Cell, effects: readonly Effect[], message: Message | undefined, origin: Origin): void {
    this.putAside = false
    // That array is frozen, which V8 counts as another kind: kept out of the loop, the loop knows one kind only.
    if (effects === NO_EFFECTS) return
    const delivery = this.#delivery
    const trace = this.#trace
    const from = cell.origin
    const count = effects.length
    for (let i = 0; i < count; i += 1) {
      const effect = effects[i]!
      if (trace !== undefined) trace({ what: 'effect', actor: cell.ref, effect })
      if (effect.type !== 'send') this.#one(cell, effect, message, origin)
      else if (i + 1 < count && goesTo(effects[i + 1]!, effect.to)) i = this.#sendRun(cell, effects, i) - 1
      else delivery.tell(effect.to, effect.message, from)
    }
  }

  /** Sends next to each other that go to the same receiver: into its mailbox in one go while there is room. Returns where it ends. */
  #sendRun(cell: Cell, effects: readonly Effect[], begin: number): number {
    const trace = this.#trace
    const from = cell.origin
    const { to, message } = effects[begin] as Send
    const receiver = this.#delivery.find(to)
    if (receiver === undefined || receiver.mailbox.room <= 0) {
      this.#delivery.tell(to, message, from)
      return begin + 1
    }
    const lane = receiver.mailbox.open
    const end = Math.min(effects.length, begin + receiver.mailbox.room) | 0
    let { tail, write } = lane
    let i = begin
    while (i < end) {
      const effect = effects[i]!
      if (!goesTo(effect, to)) break
      if (trace !== undefined && i > begin) trace({ what: 'effect', actor: cell.ref, effect })
      if (write === END) {
        lane.filled(write)
        lane.lengthen()
        tail = lane.tail
        write = 0
      }
      tail[write] = effect.message
      tail[write + 1] = from
      write += 2
      i += 1
    }
    lane.filled(write)
    this.#delivery.wake(receiver)
    return i
  }

  #one(cell: Cell, effect: Effect, message: Message | undefined, origin: Origin): void {
    const parts = this.#parts
    switch (effect.type) {
      case 'send':
        this.#delivery.tell(effect.to, effect.message, cell.origin)
        return
      case 'reply':
        this.#reply(cell, effect)
        return
      case 'ask':
        this.#ask(cell, effect, origin)
        return
      case 'publish':
        parts.topics.publish(effect.topic, effect.message, cell.origin)
        return
      case 'subscribe':
        parts.topics.subscribe(effect.topic, cell)
        return
      case 'unsubscribe':
        parts.topics.unsubscribe(effect.topic, cell)
        return
      case 'schedule':
        parts.schedules.schedule(cell, effect.id, effect.delay_ms, effect.message)
        return
      case 'cancel':
        cancel(cell, effect.id)
        return
      case 'stash':
        assert(message !== undefined && !this.putAside, 'the message being handled can be put aside once')
        this.putAside = true
        cell.mailbox.stash(message, origin)
        return
      case 'unstash':
        cell.mailbox.unstash()
        return
      case 'spawn':
        this.#tree.spawnChild(cell, effect)
        return
      case 'stop':
        this.#tree.stop(cell, effect)
        return
      case 'watch':
        parts.watches.watch(cell, effect.target)
        return
      case 'unwatch':
        parts.watches.unwatch(cell, effect.target)
        return
      case 'infer':
      case 'invoke':
      case 'play':
      case 'read':
      case 'write':
        parts.outside.carryOut(cell, effect)
        return
      case 'log':
        parts.observe.log(effect.level, effect.message, effect.values ?? {}, cell.ref)
        return
      case 'metric':
        parts.observe.metric(effect)
        return
      case 'audit':
        parts.observe.audit(effect, cell.ref)
        return
      case 'timeline':
        parts.observe.timeline?.(effect, cell.ref)
        return
      default:
        assertNever(effect)
        return
    }
  }

  #reply(cell: Cell, effect: Extract<Effect, { type: 'reply' }>): void {
    const ask = this.#asks.find(effect.to)
    if (ask === undefined) {
      const to = effect.to.actor?.address ?? 'outside'
      this.#parts.dead.add('late-answer', to, cell.address, effect.message)
      return
    }
    cell.extras.owed?.delete(ask)
    this.#asks.answer(ask, effect.message, cell.origin)
  }

  /** The deadline travels: an ask made while handling one never outlives it. */
  #ask(cell: Cell, effect: Extract<Effect, { type: 'ask' }>, origin: Origin): void {
    const left = origin.ask?.remaining(this.#parts.clock.monotonic()) ?? Number.POSITIVE_INFINITY
    const wait_ms = Math.min(effect.deadline_ms, left)
    cell.works ??= new Map()
    cell.works.get(effect.id)?.close()
    const asker = { cell, name: effect.id }
    cell.works.set(effect.id, this.#asks.ask(asker, effect.to, effect.message, wait_ms))
  }
}

type Send = Extract<Effect, { type: 'send' }>

const goesTo = (effect: Effect, to: Target): effect is Send => effect?.type === 'send' && effect.to === to

function cancel(cell: Cell, name: string): void {
  cell.works?.get(name)?.close()
  cell.works?.delete(name)
}

/** Ends all that a life of an actor had under way; nothing of it reaches the next life. */
export function closeWorks(cell: Cell): void {
  if (cell.works === undefined) return
  for (const work of cell.works.values()) work.close()
  cell.works = undefined
}

/** Fails every ask the actor took and did not answer. */
export function failOwed(cell: Cell, asks: Asks, error: new (what: string) => LoqaError): void {
  const { owed } = cell.extras
  if (owed === undefined) return
  for (const ask of owed) asks.fail(ask, new error(cell.address))
  owed.clear()
}
