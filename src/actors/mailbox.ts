/**
 * What waits for one actor, in four lanes emptied in this order: the order to stop, ended children, control (what the
 * runtime itself tells: answers, outcomes, timers, terminations), data (what others tell). A pure data structure.
 *
 * Bounds: the stop lane holds one order, a stronger one replaces a weaker. Child exits are at most one per child and
 * life. Control entries are solicited one by one, except chunks of outside work, which `controlIsFull` bounds. Data is
 * bounded by the policy, messages put aside (`stash`) included.
 */
import { assert } from '../host/index.ts'
import type { MailboxPolicy } from './behavior.ts'
import type { ExitReason, Message } from './effects.ts'
import { Lane } from './lane.ts'

/** What the tree wants of an actor; later in the list is stronger. */
export const ORDERS = ['suspend', 'stop', 'kill'] as const
export interface Order {
  readonly kind: (typeof ORDERS)[number]
  readonly reason: ExitReason
  /** It named this actor (or comes from above), so that its supervisor does not start it again. */
  readonly on_purpose: boolean
}

export const DEFAULT_POLICY: MailboxPolicy = { capacity: 1024, overflow: 'reject' }
/** An actor can be behind by this many chunks of its outside work before that work is given up. */
export const MAX_CONTROL = 4096

/** Far above any use, and still an integer when shifted. */
const MAX_CAPACITY = 2 ** 30

/** Room of a mailbox that takes nothing: no lane is that short. */
const SHUT = -1

/** Never pushed to. */
const NOTHING = new Lane<Message, never>()

export class Mailbox<Origin, Exit> {
  readonly capacity: number
  readonly overflow: MailboxPolicy['overflow']
  /** An empty lane shared by all until the first message. */
  data: Lane<Message, Origin> = NOTHING
  control: Lane<Message, Origin> | undefined = undefined
  exits: Lane<Exit, undefined> | undefined = undefined
  order: Order | undefined = undefined
  stashed: Lane<Message, Origin> | undefined = undefined
  /** What the data lane may hold: the capacity less what was put aside. */
  #room: number
  #isShut = false
  /** After `squeeze`: what had to go. */
  evicted: Message | undefined = undefined
  evictedOrigin: Origin | undefined = undefined

  constructor(policy: MailboxPolicy) {
    assert(
      policy.capacity >= 1 && policy.capacity <= MAX_CAPACITY,
      'a mailbox holds at least one message, at most 2³⁰',
    )
    // An integer for V8 too, which a power computed with ** is not.
    this.capacity = 1 << Math.ceil(Math.log2(policy.capacity))
    this.#room = this.capacity
    this.overflow = policy.overflow
  }

  /** Messages waiting: control, data and those put aside. */
  get depth(): number {
    return this.data.length + (this.control?.length ?? 0) + (this.stashed?.length ?? 0)
  }

  /** Takes a data message if there is room. An ask that finds none is refused: it never sheds another message. */
  accept(message: Message, origin: Origin): boolean {
    if (this.data.length >= this.#room) return false
    this.open.push(message, origin)
    return true
  }

  /** Takes a message although the mailbox is full, if the policy gives up the oldest for it: that is in `evicted` then. */
  squeeze(message: Message, origin: Origin): boolean {
    if (this.overflow !== 'drop-oldest' || this.data.length === 0) return false
    this.evictedOrigin = this.data.second
    this.evicted = this.data.shift()
    this.data.push(message, origin)
    return true
  }

  /** The actor moves: what is told is refused here, and goes to whoever moves it. */
  get isShut(): boolean {
    return this.#isShut
  }

  shut(): void {
    this.#isShut = true
    this.#room = SHUT
  }

  reopen(): void {
    this.#isShut = false
    this.#room = this.capacity - (this.stashed?.length ?? 0)
  }

  /** Also when it is shut. False: it is full. */
  acceptMoved(message: Message, origin: Origin): boolean {
    if (this.data.length + (this.stashed?.length ?? 0) >= this.capacity) return false
    this.open.push(message, origin)
    return true
  }

  /** Data messages it can still take. */
  get room(): number {
    return this.#room - this.data.length
  }

  /** The data lane, to be filled with no more than `room`. */
  get open(): Lane<Message, Origin> {
    if (this.data === NOTHING) this.data = new Lane()
    return this.data
  }

  /** What is to be handled next: control before data. */
  get next(): Lane<Message, Origin> {
    const { control } = this
    return control !== undefined && control.length > 0 ? control : this.data
  }

  get controlIsFull(): boolean {
    return this.control !== undefined && this.control.length >= MAX_CONTROL
  }

  pushControl(message: Message, origin: Origin): void {
    this.control ??= new Lane()
    this.control.push(message, origin)
  }

  pushExit(exit: Exit): void {
    this.exits ??= new Lane()
    this.exits.push(exit, undefined)
  }

  /** Keeps the stronger of the order that waits and this one. */
  pushOrder(order: Order): void {
    if (this.order === undefined || ORDERS.indexOf(order.kind) > ORDERS.indexOf(this.order.kind)) {
      this.order = order
    }
  }

  /** Puts the message being handled aside. It was counted when it arrived, so there is always room. */
  stash(message: Message, origin: Origin): void {
    this.stashed ??= new Lane()
    this.stashed.push(message, origin)
    this.#room -= 1
  }

  /** All that was put aside goes in front of the data lane, in the order of arrival. */
  unstash(): void {
    const stashed = this.stashed
    if (stashed === undefined || stashed.length === 0) return
    const messages: Message[] = []
    const origins: Origin[] = []
    while (stashed.length > 0) {
      origins.push(stashed.second!)
      messages.push(stashed.shift()!)
    }
    this.#room = this.#isShut ? SHUT : this.capacity
    const data = this.open
    for (let i = messages.length - 1; i >= 0; i -= 1) data.unshift(messages[i]!, origins[i]!)
  }

  /** Takes everything that was told, control first, calling `each` for it. Orders and exits stay. */
  drain(each: (message: Message, origin: Origin) => void): void {
    this.unstash()
    for (const lane of [this.control, this.data]) {
      if (lane === undefined) continue
      while (lane.length > 0) {
        const origin = lane.second!
        each(lane.shift()!, origin)
      }
      lane.clear()
    }
  }
}
