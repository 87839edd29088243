/**
 * All the runtime keeps of one actor. Plain fields, written by the files that own them (named below); what few actors need
 * is absent until then, so that an idle actor stays small.
 */
import type { Cancel, LoqaError, Monotonic, NodeId } from '../host/index.ts'
import type { Address, Ref } from './address.ts'
import type { Context, MailboxPolicy, Next } from './behavior.ts'
import type { Children, Sibling } from './children.ts'
import type { Effect, ExitReason, Message, ReplyTo, RestartKind } from './effects.ts'
import { Mailbox } from './mailbox.ts'
import type { Limits } from './supervisor.ts'

/** Any `Behavior`: its state, messages and arguments are its own business. */
export interface AnyBehavior {
  readonly kind: string
  readonly mailbox?: MailboxPolicy
  start(args: unknown, context: Context): Next<unknown>
  receive(state: unknown, message: Message, context: Context): Next<unknown>
  childExited?(state: unknown, child: Ref, reason: ExitReason, context: Context): Next<unknown>
  stopping?(state: unknown, context: Context): readonly Effect[]
  snapshot?(state: unknown, context: Context): unknown
  restore?(snapshot: unknown, context: Context): Next<unknown>
}

export type Phase =
  /** Has not run `start` yet. */
  | 'starting'
  | 'running'
  /** Idle, its state put away as a snapshot. */
  | 'passive'
  /** About to move to another node: handles nothing, its mailbox is shut. */
  | 'frozen'
  /** Children are ending, or last writes are under way. */
  | 'stopping'
  /** Failed or put to rest: waits for its supervisor, its mailbox fills. */
  | 'restarting'
  | 'ended'

/** What an ending leads to: out of the registry, or to rest until the supervisor starts it again. */
export interface Ending {
  readonly goal: 'end' | 'suspend'
  readonly reason: ExitReason
  /** It began with a failure (a failing farewell changes only the reason). */
  readonly failed: boolean
  /** A stop that named this actor or came from above, so that it is not restarted. */
  readonly on_purpose: boolean
  /** It lived, so its behaviour may say its last words. */
  readonly farewell: boolean
  readonly step: 'children' | 'lingering'
}

/** Put into the parent's child-exit lane. */
export interface ChildExit {
  readonly child: Cell
  readonly ending: Ending
}

/**
 * Something an actor named and may cancel: an ask, a schedule, outside work. What comes of it waits in the control lane
 * first; the name stays taken until the last of it was handled, so that a cancel reaches what is already queued.
 */
export abstract class Work {
  readonly name: string
  /** Cancelled, or of an earlier life: nothing about it is handled any more. */
  void = false
  /** Its last message was queued. */
  finished = false
  /** Messages about it in the control lane. */
  queued = 0

  constructor(name: string) {
    this.name = name
  }

  /** Lets go of what is still under way, without telling the actor. */
  protected abstract release(): void

  close(): void {
    if (this.void) return
    this.void = true
    if (!this.finished) this.release()
  }
}

/** Where a message came from. Every actor has one for what it tells; every ask and every named work makes its own. */
export class Origin {
  readonly sender: Ref | undefined
  /** Set when an answer is awaited. */
  readonly ask: OpenAsk | undefined
  /** What the message is about, when the receiver may have cancelled it meanwhile. */
  readonly work: Work | undefined

  constructor(sender: Ref | undefined, ask?: OpenAsk, work?: Work) {
    this.sender = sender
    this.ask = ask
    this.work = work
  }
}

/** Hears once how an ask from outside the actor system ended. */
export interface Settle {
  answered(message: Message): void
  failed(error: LoqaError): void
}

/** What the asked side knows of an ask. */
export interface OpenAsk {
  readonly replyTo: ReplyTo
  readonly open: boolean
  /** What the asker waits in all, ms. */
  readonly wait_ms: number
  /** How long the asker still waits, ms. */
  remaining(now: number): number
  /** It went to another node, which is told when nobody waits any more. */
  away: boolean
}

export const FROM_OUTSIDE = new Origin(undefined)

/** A ref that also leads straight to its actor on this node. Copied as data it is an ordinary ref and found by address. */
export class LocalRef implements Ref {
  readonly address: Address
  readonly incarnation: number
  #cell: Cell | undefined

  constructor(address: Address, incarnation: number, cell: Cell) {
    this.address = address
    this.incarnation = incarnation
    this.#cell = cell
  }

  static cellOf(ref: Ref): Cell | undefined {
    return #cell in ref ? ref.#cell : undefined
  }

  /** The actor ended: who keeps the ref does not keep the actor. */
  release(): void {
    this.#cell = undefined
  }
}

/** The part of an actor that its place in the tree fixes; shared by all actors spawned alike. */
export interface Place {
  readonly restart: RestartKind
  readonly shutdown_ms: number
  /** Listed in the tree, hence started again with its supervisor; otherwise spawned at run time. */
  readonly fixed: boolean
}

/** What a supervisor is doing about failed children. */
export interface Recovery {
  /** Still to be put to rest, in this order. */
  readonly rest: Cell[]
  readonly start: readonly Cell[]
  readonly not_before: Monotonic
  cancel: Cancel | undefined
}

/** It did not end: it lives on another node now. */
export interface Moved {
  readonly kind: 'moved'
  readonly to: NodeId
}

/** Told once that an actor ended for good, or left this node. */
export type Gone = (ref: Ref, reason: ExitReason | Moved) => void

/** What most actors never need; shared and frozen until one does. */
export class Extras {
  /** Restarts of its children (or of itself, where children are counted one by one) within the period. */
  history: readonly number[] = []
  recoveries: Recovery[] | undefined = undefined
  /** Asks it took without answering yet. */
  owed: Set<OpenAsk> | undefined = undefined
  /** Who wants to know of its end: actors here, and those who stand for others elsewhere. */
  watchers: Set<Cell | Gone> | undefined = undefined
  watching: Set<Cell> | undefined = undefined
  /** What it watches on other nodes, as `watches.ts` names it. */
  watchingAfar: Set<string> | undefined = undefined
  topics: Set<string> | undefined = undefined
  /** Start it from this instead of from its arguments, once. */
  snapshot: { readonly of: unknown } | undefined = undefined
  /** While it stops: children told to stop that have not ended. */
  childrenStopping = 0
  /** Its last writes may not take for ever. */
  killTimer: Cancel | undefined = undefined
}
const NO_EXTRAS: Readonly<Extras> = Object.freeze(new Extras())

/** What all actors of a kind (or one supervisor of the tree) have in common. */
export interface Species {
  readonly kind: string
  /** Absent for a supervisor of the tree, which only supervises. */
  readonly behavior: AnyBehavior | undefined
  /** How children are supervised. */
  readonly limits: Limits
  readonly passivate_after_ms: number | undefined
  readonly from_afar?: AllowedFromAfar | undefined
}

/** What other nodes may do with actors of a kind. */
export interface AllowedFromAfar {
  /** Whether such a message may be told or asked; absent: any. A check of its shape, for who must not be failed by a bad one. */
  readonly message?: (message: Message) => boolean
  /** Whether one may be started with these arguments; absent: none can be started from another node. */
  readonly args?: (args: unknown) => boolean
}

export interface CellOptions {
  readonly address: Address
  readonly incarnation: number
  readonly species: Species
  readonly args: unknown
  readonly parent: Cell | undefined
  readonly place: Place
  readonly mailbox: MailboxPolicy
}

export class Cell implements Sibling<Cell> {
  readonly ref: LocalRef
  readonly species: Species
  readonly behavior: AnyBehavior | undefined
  readonly args: unknown
  readonly parent: Cell | undefined
  readonly place: Place
  readonly mailbox: Mailbox<Origin, ChildExit>

  state: unknown = undefined
  phase: Phase = 'starting'
  /** Something other than a message is to be done: an order, an exit, a phase that is not `running`. */
  urgent = true
  /** In the ready queue, or having its turn. */
  queued = false
  /** Handled a message since the last sweep for idle actors. */
  active = true
  /** Was part of a stretch that took too long: so many of its messages are still timed one by one. */
  suspicion = 0
  /** It used a port: the ports hear of its end. */
  usedOutside = false
  restarts = 0
  ending: Ending | undefined = undefined
  works: Map<string, Work> | undefined = undefined
  children: Children<Cell> | undefined = undefined
  elder: Cell | undefined = undefined
  younger: Cell | undefined = undefined
  family: unknown = undefined
  #origin: Origin | undefined = undefined
  #extras: Readonly<Extras> = NO_EXTRAS

  constructor(options: CellOptions) {
    this.ref = new LocalRef(options.address, options.incarnation, this)
    this.species = options.species
    this.behavior = options.species.behavior
    this.args = options.args
    this.parent = options.parent
    this.place = options.place
    this.mailbox = new Mailbox(options.mailbox)
  }

  get address(): Address {
    return this.ref.address
  }

  get kind(): string {
    return this.species.kind
  }

  /** Where its messages come from. */
  get origin(): Origin {
    this.#origin ??= new Origin(this.ref)
    return this.#origin
  }

  /** For reading. */
  get extras(): Readonly<Extras> {
    return this.#extras
  }

  /** For writing. */
  own(): Extras {
    if (this.#extras === NO_EXTRAS) this.#extras = new Extras()
    return this.#extras
  }

  /** The old life's extras are gone; only the count of failures outlives it. */
  dropExtras(): void {
    if (this.#extras === NO_EXTRAS) return
    const { history, watchers } = this.#extras
    const kept = history.length > 0 || watchers !== undefined
    this.#extras = kept ? Object.assign(new Extras(), { history, watchers }) : NO_EXTRAS
  }

  /** Whether a turn would get anything done. An actor that rests, ends or ended only attends to orders and exits. */
  get wantsTurn(): boolean {
    const { mailbox } = this
    if (this.urgent) {
      if (mailbox.order !== undefined) return true
      if (mailbox.exits !== undefined && mailbox.exits.length > 0) return true
      if (this.phase === 'starting') return true
      if (this.phase !== 'running' && this.phase !== 'passive') return false
    }
    return mailbox.data.length > 0 || (mailbox.control !== undefined && mailbox.control.length > 0)
  }
}
