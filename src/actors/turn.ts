/** One actor's turn: orders, exits, then messages, each `receive` followed by its effects. The hot path of the node. */
import { acceptNext } from './accept.ts'
import { type Next, NO_EFFECTS, same } from './behavior.ts'
import type { Cell, OpenAsk, Origin, Work } from './cell.ts'
import type { CallContext } from './context.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Effect, Message } from './effects.ts'
import type { Interpreter } from './interpreter.ts'
import { END, type Lane } from './lane.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Trace } from './observation.ts'
import type { Supervising } from './supervising.ts'

/** Stands for what a whole run returned: states, and nothing to be done. */
const QUIET: Next<unknown> = same(undefined)

export interface TurnParts {
  readonly context: CallContext
  readonly interpreter: Interpreter
  readonly lifecycle: Lifecycle
  readonly supervising: Supervising
  readonly dead: DeadLetters
  readonly trace: Trace | undefined
}

export class Turns {
  readonly #context: CallContext
  readonly #interpreter: Interpreter
  readonly #lifecycle: Lifecycle
  readonly #supervising: Supervising
  readonly #dead: DeadLetters
  readonly #trace: Trace | undefined
  /** The message handled last: names the culprit of a slow stretch. */
  last: Message | undefined = undefined

  constructor(parts: TurnParts) {
    this.#context = parts.context
    this.#interpreter = parts.interpreter
    this.#lifecycle = parts.lifecycle
    this.#supervising = parts.supervising
    this.#dead = parts.dead
    this.#trace = parts.trace
  }

  /**
   * Handles at most `most` messages; returns how many. Does not throw. Kept short on purpose, with everything unusual in
   * methods of its own: what V8 inlines here is bounded, and the lane, the mailbox and the behaviour should be.
   *
   * Messages are handled in runs: as long as a behaviour, which is pure, returns no effects, nothing else can have
   * happened, so neither orders nor the other lane need a look, and the lane is told of the whole run at its end.
   */
  readonly take = (cell: Cell, most: number): number => {
    const { mailbox } = cell
    const behavior = cell.behavior!
    const context = this.#context
    const trace = this.#trace
    let handled = 0
    let message: Message | undefined
    let origin: Origin | undefined
    // Kept here while messages are handled: storing it once a turn is cheaper than once a message.
    let state = cell.state
    /** The lane of a run that was not told yet, and how far it was read. */
    let lane: Lane<Message, Origin> | undefined
    let at = 0
    cell.active = true
    try {
      while (handled < most) {
        if (cell.urgent) {
          cell.state = state
          if (!this.#attend(cell)) return handled
          state = cell.state
        }
        const queue = mailbox.next
        if (queue.length === 0) break
        const pairs = queue.oldest
        lane = queue
        at = queue.read
        // `| 0`: V8 would keep it as a floating-point number, and compare so at every message.
        const end = Math.min(END, at + 2 * Math.min(queue.length, most - handled)) | 0
        let returned: unknown = QUIET
        let ask: OpenAsk | undefined
        do {
          message = pairs[at] as Message
          origin = pairs[at + 1] as Origin
          // What was taken must not be kept alive by the queue.
          pairs[at] = undefined
          pairs[at + 1] = undefined
          at += 2
          ask = origin.ask
          if ((ask !== undefined || origin.work !== undefined) && this.#isOver(cell, message, origin)) {
            ask = undefined
            continue
          }
          handled += 1
          if (trace !== undefined) trace({ what: 'handled', actor: cell.ref, message, sender: origin.sender })
          context.enter(cell, origin)
          const next = behavior.receive(state, message, context)
          if (next?.effects !== NO_EFFECTS) {
            returned = next
            break
          }
          state = next.state
        } while (at < end && ask === undefined)
        lane = undefined
        queue.taken(at)
        let effects = NO_EFFECTS
        if (returned !== QUIET) {
          const next = acceptNext(returned, 'receive')
          state = next.state
          effects = next.effects
          this.#interpreter.carryOut(cell, effects, message, origin)
        }
        if (ask !== undefined) this.#remember(cell, effects, ask)
      }
      cell.state = state
    } catch (thrown) {
      lane?.taken(at)
      this.#lifecycle.fail(cell, thrown, 'receive', message, origin)
    }
    if (message !== undefined) this.last = message
    return handled
  }

  /** An ask that ended before it was handled is not handled any more; nor is what is about work that was cancelled. */
  #isOver(cell: Cell, message: Message, { ask, work, sender }: Origin): boolean {
    if (ask === undefined) return work !== undefined && isVoid(cell, work)
    if (ask.open) return false
    this.#dead.add('expired', cell.address, sender?.address, message)
    return true
  }

  /** An ask that was neither answered nor put aside is owed an answer: it fails when this life ends. */
  #remember(cell: Cell, effects: readonly Effect[], ask: OpenAsk): void {
    if (!ask.open || (effects !== NO_EFFECTS && this.#interpreter.putAside)) return
    const own = cell.own()
    own.owed ??= new Set()
    own.owed.add(ask)
  }

  /** Everything that goes before messages. True when messages may follow. */
  #attend(cell: Cell): boolean {
    const { mailbox } = cell
    const { order } = mailbox
    if (order !== undefined) {
      mailbox.order = undefined
      this.#lifecycle.obey(cell, order)
    }
    if (cell.phase === 'starting') this.#lifecycle.start(cell)
    const { exits } = mailbox
    while (exits !== undefined && exits.length > 0 && cell.phase !== 'ended') {
      this.#supervising.childExit(cell, exits.shift()!)
    }
    if (cell.extras.recoveries !== undefined) this.#supervising.advance(cell)
    if (cell.phase === 'passive' && mailbox.depth > 0) this.#lifecycle.wake(cell)
    if (cell.phase !== 'running') return false
    cell.urgent = mailbox.order !== undefined || (mailbox.exits !== undefined && mailbox.exits.length > 0)
    return !cell.urgent && cell.behavior !== undefined
  }
}

/** Takes note that a message about named work left the lane; true when the actor does not want to hear it any more. */
function isVoid(cell: Cell, work: Work): boolean {
  work.queued -= 1
  if (work.void) return true
  if (work.finished && work.queued === 0 && cell.works?.get(work.name) === work) cell.works.delete(work.name)
  return false
}
