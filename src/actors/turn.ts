/** One actor's turn: orders, exits, then messages, each `receive` followed by its effects. The hot path of the node. */
import { acceptNext } from './accept.ts'
import { NO_EFFECTS } from './behavior.ts'
import type { Cell, Origin } from './cell.ts'
import type { CallContext } from './context.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Message } from './effects.ts'
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

  /** Handles at most `most` messages; returns how many. Does not throw. */
  readonly take = (cell: Cell, most: number): number => {
    const { mailbox } = cell
    let handled = 0
    while (handled < most) {
      if (cell.urgent && !this.#attend(cell)) break
      let message: Message | undefined
      let origin: Origin
      const { control } = mailbox
      if (control !== undefined && control.length > 0) {
        message = control.shift()!
        origin = control.second!
        if (origin.work !== undefined && isVoid(cell, origin)) continue
      } else {
        message = mailbox.data.shift()
        if (message === undefined) break
        origin = mailbox.data.second!
        if (origin.ask !== undefined && !origin.ask.open) {
          this.#dead.add('expired', cell.address, origin.sender?.address, message)
          continue
        }
      }
      handled += 1
      this.#handle(cell, message, origin)
    }
    return handled
  }

  #handle(cell: Cell, message: Message, origin: Origin): void {
    this.last = message
    cell.active = true
    if (this.#trace !== undefined) {
      this.#trace({ what: 'handled', actor: cell.ref, message, sender: origin.sender })
    }
    try {
      this.#context.enter(cell, origin)
      const next = acceptNext(cell.behavior!.receive(cell.state, message, this.#context), 'receive')
      cell.state = next.state
      const { effects } = next
      if (effects !== NO_EFFECTS) this.#interpreter.carryOut(cell, effects, message, origin)
      if (origin.ask !== undefined) this.#remember(cell, effects !== NO_EFFECTS, origin)
    } catch (thrown) {
      this.#lifecycle.fail(cell, thrown, 'receive', message, origin)
    }
  }

  /** An ask that was neither answered nor put aside is owed an answer: it fails when this life ends. */
  #remember(cell: Cell, hadEffects: boolean, origin: Origin): void {
    const ask = origin.ask!
    if (!ask.open || (hadEffects && this.#interpreter.putAside)) return
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
function isVoid(cell: Cell, origin: Origin): boolean {
  const work = origin.work!
  work.queued -= 1
  if (work.void) return true
  if (work.finished && work.queued === 0 && cell.works?.get(work.name) === work) cell.works.delete(work.name)
  return false
}
