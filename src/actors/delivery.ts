/** Who lives where, and how a message gets into a mailbox. */
import {
  InvalidInputError,
  type LoqaError,
  type NodeId,
  NotFoundError,
  OverloadedError,
} from '../host/index.ts'
import { addressOf, type Ref } from './address.ts'
import { type Cell, type ChildExit, LocalRef, type OpenAsk, Origin } from './cell.ts'
import type { DeadLetterReason, DeadLetters } from './dead-letters.ts'
import type { Message, Target } from './effects.ts'
import { StoppedError, UnreachableError } from './errors.ts'
import type { Order } from './mailbox.ts'
import { INCARNATIONS_PER_BOOT, type RemotePort } from './remote.ts'

/** Takes what comes for an actor that moves. False: it is none of its business. */
export interface Passing {
  /** Its mailbox is shut. */
  came(cell: Cell, message: Message, origin: Origin): void
  /** It is not here, and may have been a moment ago. */
  passed(target: Target, message: Message, origin: Origin): boolean
}

/** An ask that will not be answered by its receiver. */
export type RefuseAsk = (ask: OpenAsk, error: LoqaError) => void

export interface DeliveryParts {
  readonly node: NodeId
  /** 0 for a node that is alone; see `INCARNATIONS_PER_BOOT`. */
  readonly boot: number
  readonly ready: (cell: Cell) => void
  readonly dead: DeadLetters
  readonly refuseAsk: RefuseAsk
  readonly remote: RemotePort | undefined
  /** The runtime itself is asked for something. False: it is not an address of its own. */
  readonly askRuntime: (target: Target, message: Message, ask: OpenAsk) => boolean
}

export class Delivery {
  readonly remote: RemotePort | undefined
  readonly #node: NodeId
  readonly #cells = new Map<string, Cell>()
  readonly #ready: (cell: Cell) => void
  readonly #dead: DeadLetters
  readonly #refuseAsk: RefuseAsk
  readonly #askRuntime: DeliveryParts['askRuntime']
  /** Set once any actor of this node can move. */
  passing: Passing | undefined = undefined
  #incarnations: number

  constructor(parts: DeliveryParts) {
    this.#node = parts.node
    this.#ready = parts.ready
    this.#dead = parts.dead
    this.#refuseAsk = parts.refuseAsk
    this.remote = parts.remote
    this.#askRuntime = parts.askRuntime
    this.#incarnations = parts.boot * INCARNATIONS_PER_BOOT
  }

  /** Higher than that of every earlier actor of this node, hence of every earlier one at the same address. */
  nextIncarnation(): number {
    this.#incarnations += 1
    return this.#incarnations
  }

  has(address: string): boolean {
    return this.#cells.has(address)
  }

  add(cell: Cell): void {
    this.#cells.set(cell.address, cell)
  }

  remove(cell: Cell): void {
    if (this.#cells.get(cell.address) === cell) this.#cells.delete(cell.address)
  }

  all(): IterableIterator<Cell> {
    return this.#cells.values()
  }

  /** The actor alive behind a target, if it is on this node. */
  find(target: Target): Cell | undefined {
    if (typeof target === 'string') return this.#cells.get(target)
    const near = LocalRef.cellOf(target)
    if (near !== undefined) return near
    const cell = this.#cells.get(target.address)
    return cell !== undefined && cell.ref.incarnation === target.incarnation ? cell : undefined
  }

  /** Data: at most once, in order per pair. False when the message was not taken. */
  tell(target: Target, message: Message, origin: Origin): boolean {
    const cell = this.find(target)
    if (cell !== undefined) return this.tellCell(cell, message, origin)
    const reason = this.#tellAfar(target, message, origin)
    if (reason !== undefined) this.bury(reason, addressOf(target), message, origin)
    return reason === undefined
  }

  #tellAfar(target: Target, message: Message, origin: Origin): DeadLetterReason | undefined {
    const node = this.remote?.locate(target)
    if (node === undefined) return this.#whyMissing(target)
    return this.remote!.tell(node, target, message, origin.sender)
  }

  /** Data from another node: for an actor here or for nobody. Why it reached nobody. */
  arrive(target: Target, message: Message, origin: Origin): DeadLetterReason | undefined {
    const cell = this.find(target)
    let reason: DeadLetterReason | undefined
    if (cell === undefined) {
      if (this.passing?.passed(target, message, origin) === true) return undefined
      reason = this.#whyMissing(target)
    } else if (!takesFromAfar(cell, message)) reason = 'refused'
    else return this.tellCell(cell, message, origin) ? undefined : 'overflow'
    this.bury(reason, addressOf(target), message, origin)
    return reason
  }

  tellCell(cell: Cell, message: Message, origin: Origin): boolean {
    if (!cell.mailbox.accept(message, origin)) return this.#tellFull(cell, message, origin)
    if (!cell.queued) this.#ready(cell)
    return true
  }

  /** Messages were put into its mailbox. */
  wake(cell: Cell): void {
    if (!cell.queued) this.#ready(cell)
  }

  #tellFull(cell: Cell, message: Message, origin: Origin): boolean {
    const { mailbox } = cell
    if (mailbox.isShut) {
      this.passing!.came(cell, message, origin)
      return true
    }
    if (!mailbox.squeeze(message, origin)) {
      this.bury('overflow', cell.address, message, origin)
      return false
    }
    this.bury('dropped-oldest', cell.address, mailbox.evicted!, mailbox.evictedOrigin!)
    mailbox.evicted = undefined
    mailbox.evictedOrigin = undefined
    return true
  }

  /** An ask of somebody on this node. Returns why it was not taken. */
  ask(target: Target, message: Message, origin: Origin): LoqaError | undefined {
    const cell = this.find(target)
    if (cell !== undefined) return this.#askCell(cell, message, origin)
    const node = this.remote?.locate(target)
    if (node === undefined) return this.#askNobody(target, message, origin)
    const ask = origin.ask!
    ask.away = true
    const { sender } = origin
    const { id } = ask.replyTo
    return this.remote!.ask(node, { id, target, message, sender, deadline_ms: ask.wait_ms })
  }

  /** An ask from another node: for an actor here or for nobody. */
  askHere(target: Target, message: Message, origin: Origin): LoqaError | undefined {
    const cell = this.find(target)
    if (cell === undefined) {
      if (this.passing?.passed(target, message, origin) === true) return undefined
      return this.#askNobody(target, message, origin)
    }
    if (takesFromAfar(cell, message)) return this.#askCell(cell, message, origin)
    this.#dead.add('refused', cell.address, origin.sender?.address, message)
    return new InvalidInputError(`${cell.address} does not take this from other nodes`)
  }

  /** No such actor; it may be the runtime itself that is meant. */
  #askNobody(target: Target, message: Message, origin: Origin): LoqaError | undefined {
    if (this.#askRuntime(target, message, origin.ask!)) return undefined
    const reason = this.#whyMissing(target)
    const what = addressOf(target)
    this.#dead.add(reason, what, origin.sender?.address, message)
    return reason === 'unreachable' ? new UnreachableError(what) : new NotFoundError(what)
  }

  #askCell(cell: Cell, message: Message, origin: Origin): LoqaError | undefined {
    if (cell.phase === 'stopping') return new StoppedError(cell.address)
    if (!cell.mailbox.accept(message, origin)) {
      if (cell.mailbox.isShut) {
        this.passing!.came(cell, message, origin)
        return undefined
      }
      this.#dead.add('overflow', cell.address, origin.sender?.address, message)
      return new OverloadedError(cell.address, `${cell.mailbox.capacity} waiting messages`)
    }
    if (!cell.queued) this.#ready(cell)
    return undefined
  }

  /** What the runtime tells an actor: overtakes data. */
  control(cell: Cell, message: Message, origin: Origin): void {
    if (cell.phase === 'ended') return
    if (origin.work !== undefined) origin.work.queued += 1
    cell.mailbox.pushControl(message, origin)
    if (!cell.queued) this.#ready(cell)
  }

  order(cell: Cell, order: Order): void {
    if (cell.phase === 'ended') return
    cell.mailbox.pushOrder(order)
    this.attend(cell)
  }

  childExit(parent: Cell, exit: ChildExit): void {
    if (parent.phase === 'ended') return
    parent.mailbox.pushExit(exit)
    this.attend(parent)
  }

  /** Something other than a message is to be done for it. */
  attend(cell: Cell): void {
    cell.urgent = true
    this.#ready(cell)
  }

  /** Counts a message that reached nobody; an ask among them fails at once. */
  bury(reason: DeadLetterReason, to: string, message: Message, origin: Origin): void {
    this.#dead.add(reason, to, origin.sender?.address, message)
    if (origin.ask?.open !== true) return
    const overload = reason === 'overflow' || reason === 'dropped-oldest'
    this.#refuseAsk(origin.ask, overload ? new OverloadedError(to, 'waiting messages') : new StoppedError(to))
  }

  #whyMissing(target: Target): DeadLetterReason {
    const address = addressOf(target)
    if (address.startsWith('loqa://') && !address.startsWith(`loqa://${this.#node}/`)) return 'unreachable'
    return typeof target !== 'string' && this.#cells.has(address) ? 'stale-incarnation' : 'unknown-actor'
  }
}

const takesFromAfar = (cell: Cell, message: Message): boolean =>
  cell.species.from_afar?.message?.(message) ?? true

/** The origin of a message told by whoever is behind a ref. */
export const originOf = (sender: Ref | undefined): Origin => new Origin(sender)
