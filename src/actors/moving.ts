/**
 * How an actor leaves its node alive, or comes to one: what a move (`cluster/migration`) needs of the runtime. Nothing here decides, and
 * nothing of it is on the way of a message: a mailbox that is shut refuses, and only who was refused looks further.
 *
 * V1  A frozen actor handles nothing. Its mailbox stays as it was; what is told meanwhile goes to whoever moves it, in order.
 * V2  Thawed it is the same actor with the same times, and has behind its mailbox what came late. Told to stop, it thaws by itself.
 * V3  Released it is gone without an end: nobody who watched it is told so. Whoever asked it is answered through this node.
 * V4  Installed it goes on under its former incarnation; its mailbox is shut until `open`, so that what comes straight does not overtake.
 * V5  What belongs to this node alone does not move: children, outside work and asks under way, answers it owes. Subscriptions are of a
 *     node, too: `restore` subscribes anew.
 */
import { type Clock, LoqaError, type NodeId } from '../host/index.ts'
import { type Address, addressOf, type Ref } from './address.ts'
import type { Asks } from './asks.ts'
import { type Cell, FROM_OUTSIDE, type Origin, type Settle } from './cell.ts'
import { type Delivery, originOf } from './delivery.ts'
import type { Message, Target } from './effects.ts'
import { StoppedError } from './errors.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { OutsidePorts } from './outside.ts'
import type { Registry } from './registry.ts'
import { Schedule, type Schedules } from './schedules.ts'
import type { Watches } from './watches.ts'

/** A message that moves, as data. */
export interface MovingMessage {
  readonly lane: 'control' | 'data'
  readonly sender: Ref | null
  /** An answer is awaited: its number at the node that sent this on, and what the asker still waits. */
  readonly ask: { readonly id: number; readonly deadline_ms: number } | null
  readonly message: Message
}

/** All that the runtime keeps of an actor. */
export interface Frozen {
  readonly incarnation: number
  readonly state: MovingState
  /** In the order in which they would have been handled. */
  readonly mailbox: readonly MovingMessage[]
  /** What is left of each time. */
  readonly schedules: readonly {
    readonly id: string
    readonly remaining_ms: number
    readonly message: Message
  }[]
  readonly watching: readonly Target[]
}

export interface MovingState {
  /** What it is started from if it fails there. */
  readonly args: unknown
  readonly snapshot: unknown
}

/** `busy` passes by itself; the others do not. */
export type NotFrozen = 'not-here' | 'unmovable' | 'has-children' | 'busy'

export interface Installed extends Frozen {
  readonly address: Address
  readonly kind: string
  readonly parent?: Target | undefined
}

/** Hears of what comes for an actor that is frozen, was installed and not opened, or was released and is still passed on. */
export type Came = (address: Address, message: MovingMessage) => void
/** Where the answer to a message goes that another node sent on; undefined: it was asked here, or nobody asks. */
export type AskedBy = (message: MovingMessage) => Settle | undefined

export interface MovingParts {
  readonly clock: Clock
  readonly delivery: Delivery
  readonly asks: Asks
  readonly schedules: Schedules
  readonly outside: OutsidePorts
  readonly watches: Watches
  readonly registry: Registry
  readonly lifecycle: Lifecycle
  /** Under whom who comes without a parent lives. */
  readonly parent: () => Cell
}

export class Moving {
  readonly #parts: MovingParts
  /** Left this node, and passed on: their incarnations. */
  readonly #passed = new Map<string, number>()
  /** Where those messages came from that came here. */
  readonly #origins = new WeakMap<MovingMessage, Origin>()

  constructor(parts: MovingParts) {
    this.#parts = parts
  }

  /** Before anything moves. */
  connect(came: Came): void {
    this.#parts.delivery.passing = {
      came: (cell, message, origin) => came(cell.address, this.#parcel('data', message, origin)),
      passed: (target, message, origin) => {
        const address = addressOf(target)
        const incarnation = this.#passed.get(address)
        if (incarnation === undefined) return false
        if (typeof target !== 'string' && target.incarnation !== incarnation) return false
        came(address, this.#parcel('data', message, origin))
        return true
      },
    }
  }

  /** Between two messages, so not from within a turn. */
  freeze(address: Address): Frozen | NotFrozen {
    const { clock, delivery, lifecycle, watches } = this.#parts
    const cell = delivery.find(address)
    if (cell === undefined) return 'not-here'
    const { behavior } = cell
    if (behavior?.snapshot === undefined || behavior.restore === undefined) return 'unmovable'
    if (cell.phase === 'passive') lifecycle.wake(cell)
    const not = this.#whyNot(cell)
    if (not !== undefined) return not
    let snapshot: unknown
    try {
      snapshot = lifecycle.snapshotOf(cell)
    } catch (thrown) {
      lifecycle.fail(cell, thrown, 'snapshot')
    }
    if (snapshot === undefined) return 'busy'
    cell.phase = 'frozen'
    cell.urgent = true
    cell.mailbox.shut()
    const now = clock.monotonic()
    const schedules = [...(cell.works?.values() ?? [])].flatMap((work) =>
      work instanceof Schedule && !work.void
        ? [{ id: work.name, remaining_ms: Math.max(0, work.due - now), message: work.message }]
        : [],
    )
    return {
      incarnation: cell.ref.incarnation,
      state: { args: cell.args, snapshot },
      mailbox: this.#waiting(cell),
      schedules,
      watching: watches.targetsOf(cell),
    }
  }

  #whyNot(cell: Cell): NotFrozen | undefined {
    const { children, extras, mailbox, phase, works } = cell
    if (phase !== 'running' || mailbox.order !== undefined) return 'busy'
    if ((children?.size ?? 0) > 0) return 'has-children'
    for (const ask of extras.owed ?? []) if (ask.open) return 'busy'
    for (const work of works?.values() ?? []) {
      if (!(work instanceof Schedule || work.void)) return 'busy'
    }
    return undefined
  }

  /** Times that have come travel as times, so that they can still be cancelled. */
  #waiting({ mailbox }: Cell): readonly MovingMessage[] {
    const all: MovingMessage[] = []
    const add = (lane: MovingMessage['lane']) => (message: Message, origin: Origin) => {
      if (origin.work === undefined && origin.ask?.open !== false)
        all.push(this.#parcel(lane, message, origin))
    }
    mailbox.control?.each(add('control'))
    mailbox.stashed?.each(add('data'))
    mailbox.data.each(add('data'))
    return all
  }

  /** It goes on. `without_mailbox`: what waited when it froze was perhaps handled elsewhere, and is not here. */
  thaw(address: Address, late: readonly MovingMessage[], without_mailbox: boolean): void {
    const { delivery } = this.#parts
    const cell = delivery.find(address)
    if (cell === undefined || !cell.mailbox.isShut) {
      for (const each of late) this.#bury(address, each)
      return
    }
    if (without_mailbox) this.#dropData(cell)
    cell.mailbox.reopen()
    if (cell.phase === 'frozen') cell.phase = 'running'
    this.#fill(cell, late, () => undefined)
    delivery.attend(cell)
  }

  #dropData(cell: Cell): void {
    const { delivery } = this.#parts
    cell.mailbox.unstash()
    const { data } = cell.mailbox
    while (data.length > 0) {
      const origin = data.second!
      delivery.bury('unreachable', cell.address, data.shift()!, origin)
    }
  }

  /** It lives on `to` now. Which asks in its mailbox were answered through this node; their numbers. */
  release(address: Address, to: NodeId): readonly number[] {
    const { delivery, lifecycle } = this.#parts
    const cell = delivery.find(address)
    if (cell === undefined || cell.phase !== 'frozen') return []
    const asks: number[] = []
    const note = (_message: Message, { ask }: Origin): void => {
      if (ask?.open !== true) return
      ask.away = true
      asks.push(ask.replyTo.id)
    }
    cell.mailbox.stashed?.each(note)
    cell.mailbox.data.each(note)
    this.#passed.set(address, cell.ref.incarnation)
    lifecycle.leave(cell, to)
    return asks
  }

  /** Nothing is passed on for it any more. */
  forget(address: Address): void {
    this.#passed.delete(address)
  }

  /** A message that goes on to another node. The number of its ask, when somebody still waits: it is answered through this node. */
  sentOn(message: MovingMessage): number | undefined {
    const ask = this.#origins.get(message)?.ask
    if (ask?.open !== true) return undefined
    ask.away = true
    return ask.replyTo.id
  }

  /** Starts it from what it was. What lives at its address is void, and ends. */
  install(
    { address, kind, incarnation, state, schedules, watching, mailbox, parent }: Installed,
    asked: AskedBy,
  ): void {
    const { delivery, lifecycle, registry, watches, parent: house } = this.#parts
    const former = delivery.find(address)
    if (former !== undefined) lifecycle.kill(former, { kind: 'killed' })
    this.#passed.delete(address)
    const cell = registry.createActor({
      ...{ kind, address, args: state.args, incarnation, restart: 'transient', fixed: false },
      parent: (parent === undefined ? undefined : delivery.find(parent)) ?? house(),
    })
    cell.mailbox.shut()
    cell.own().snapshot = { of: state.snapshot }
    lifecycle.start(cell)
    for (const { id, remaining_ms, message } of schedules) {
      this.#parts.schedules.schedule(cell, id, remaining_ms, message)
    }
    for (const target of watching) watches.watch(cell, target)
    this.#fill(cell, mailbox, asked)
  }

  /** Into the mailbox of one that was installed. */
  deliver(address: Address, messages: readonly MovingMessage[], asked: AskedBy): void {
    const cell = this.#parts.delivery.find(address)
    if (cell !== undefined) this.#fill(cell, messages, asked)
    else for (const each of messages) this.#bury(address, each)
  }

  /** From here on it is told everything straight. */
  open(address: Address): void {
    const cell = this.#parts.delivery.find(address)
    if (cell?.phase !== 'frozen') cell?.mailbox.reopen()
  }

  bury(address: Address, messages: readonly MovingMessage[], why: 'unreachable' | 'overflow'): void {
    // The ask may be in the making.
    this.#parts.clock.soon(() => {
      for (const each of messages) this.#bury(address, each, why)
    })
  }

  #bury(address: Address, each: MovingMessage, why: 'unreachable' | 'overflow' = 'unreachable'): void {
    this.#parts.delivery.bury(why, address, each.message, this.#originOf(each))
  }

  #fill(cell: Cell, messages: readonly MovingMessage[], asked: AskedBy): void {
    const { delivery } = this.#parts
    for (const each of messages) {
      if (each.lane === 'control') cell.mailbox.pushControl(each.message, FROM_OUTSIDE)
      else this.#put(cell, each, this.#origins.has(each) ? undefined : asked(each))
    }
    delivery.wake(cell)
  }

  #put(cell: Cell, each: MovingMessage, settle: Settle | undefined): void {
    const { asks, delivery } = this.#parts
    const into = (origin: Origin): LoqaError | undefined => {
      if (cell.phase === 'ended') return new StoppedError(cell.address)
      return cell.mailbox.acceptMoved(each.message, origin)
        ? undefined
        : new LoqaError('overloaded', `${cell.address} moved, and its mailbox is full`, { retryable: true })
    }
    if (settle !== undefined && each.ask !== null) {
      const sender = each.sender ?? undefined
      asks.ask({ settle, afar: { sender, into } }, cell.address, each.message, each.ask.deadline_ms)
      return
    }
    const origin = this.#originOf(each)
    if (origin.ask?.open === false) return
    if (into(origin) !== undefined) delivery.bury('overflow', cell.address, each.message, origin)
  }

  #originOf(each: MovingMessage): Origin {
    return this.#origins.get(each) ?? (each.sender === null ? FROM_OUTSIDE : originOf(each.sender))
  }

  #parcel(lane: MovingMessage['lane'], message: Message, origin: Origin): MovingMessage {
    const { sender, ask } = origin
    const parcel: MovingMessage = {
      lane,
      sender: sender === undefined ? null : { address: sender.address, incarnation: sender.incarnation },
      ask:
        ask === undefined
          ? null
          : { id: ask.replyTo.id, deadline_ms: ask.remaining(this.#parts.clock.monotonic()) },
      message,
    }
    this.#origins.set(parcel, origin)
    return parcel
  }
}
