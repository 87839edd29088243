/** One actor's turn: orders, exits, then messages, each `receive` followed by its effects. The hot path of the node. */
import { acceptNext } from './accept.ts'
import { NO_EFFECTS } from './behavior.ts'
import type { Cell, OpenAsk, Origin, Work } from './cell.ts'
import type { CallContext } from './context.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Effect, Message } from './effects.ts'
import type { Interpreter } from './interpreter.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Trace } from './observation.ts'
import type { Supervising } from './supervising.ts'

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
    cell.active = true
    try {
      while (handled < most) {
        if (cell.urgent) {
          cell.state = state
          if (!this.#attend(cell)) return handled
          state = cell.state
        }
        if (mailbox.control !== undefined && mailbox.control.length > 0) {
          origin = mailbox.control.second!
          message = mailbox.control.shift()!
          if (origin.work !== undefined && isVoid(cell, origin.work)) continue
        } else {
          const { data } = mailbox
          if (data.length === 0) break
          origin = data.second!
          message = data.shift()!
          if (origin.ask !== undefined && this.#isOver(cell, message, origin)) continue
        }
        handled += 1
        if (trace !== undefined) this.#traceHandling(cell, message, origin)
        context.enter(cell, origin)
        const next = behavior.receive(state, message, context)
        const effects = next?.effects
        if (effects === NO_EFFECTS) state = next.state
        else {
          state = acceptNext(next, 'receive').state
          this.#interpreter.carryOut(cell, effects, message, origin)
        }
        if (origin.ask !== undefined) this.#remember(cell, effects, origin.ask)
      }
      cell.state = state
    } catch (thrown) {
      this.#lifecycle.fail(cell, thrown, 'receive', message, origin)
    }
    if (message !== undefined) this.last = message
    return handled
  }

  #traceHandling(actor: Cell, message: Message, { sender }: Origin): void {
    this.#trace?.({ what: 'handled', actor: actor.ref, message, sender })
  }

  /** An ask that ended before it was handled is not handled any more. */
  #isOver(cell: Cell, message: Message, { ask, sender }: Origin): boolean {
    if (ask!.open) return false
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
