/**
 * One actor's way from `start` to its end: start, fail, rest, stop, end. What happens among siblings is in `supervising.ts`.
 *
 * An ending goes through three steps: children end first, then the actor says farewell (`stopping`, orderly stops only), then
 * its last writes may linger for `shutdown_ms`. It leads either to rest, from where the supervisor may start it again, or
 * out of the registry.
 */
import { type Clock, errorShape, LoqaError, type NodeId } from '../host/index.ts'
import { acceptEffects, acceptNext, acceptSnapshot } from './accept.ts'
import type { Asks } from './asks.ts'
import { NO_EFFECTS } from './behavior.ts'
import { type Cell, type Ending, FROM_OUTSIDE, type Origin } from './cell.ts'
import type { CallContext } from './context.ts'
import type { Delivery } from './delivery.ts'
import type { ExitReason, Message } from './effects.ts'
import { ActorFailedError, StoppedError } from './errors.ts'
import { closeWorks, failOwed, type Interpreter } from './interpreter.ts'
import type { Order } from './mailbox.ts'
import type { Observe, Trace } from './observation.ts'
import type { OutsidePorts } from './outside.ts'
import type { Topics } from './topics.ts'
import type { Watches } from './watches.ts'

export interface LifecycleParts {
  readonly clock: Clock
  readonly context: CallContext
  readonly delivery: Delivery
  readonly asks: Asks
  readonly outside: OutsidePorts
  readonly topics: Topics
  readonly watches: Watches
  readonly observe: Observe
  readonly trace: Trace | undefined
  /** A supervisor of the tree started: start its children. */
  readonly branchStarted: (cell: Cell) => void
  /** Out of the registry. */
  readonly ended: (cell: Cell, reason: ExitReason) => void
  /** An actor without a supervisor came to rest: the root failed. */
  readonly rootFailed: (cell: Cell, reason: ExitReason) => void
}

const STOP_WITH_PARENT: Order = {
  kind: 'stop',
  reason: { kind: 'stopped', reason: 'its parent stops' },
  on_purpose: true,
}

const MOVED: Ending = {
  goal: 'end',
  reason: { kind: 'stopped', reason: 'it moved to another node' },
  failed: false,
  on_purpose: true,
  farewell: false,
  step: 'lingering',
}

export class Lifecycle {
  readonly #parts: LifecycleParts
  #interpreter: Interpreter | undefined = undefined

  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  /** The interpreter needs the tree and the tree this: the last knot, tied once. */
  use(interpreter: Interpreter): void {
    this.#interpreter = interpreter
  }

  /** Runs `start` (or `restore`) of an actor that rests or is new. Does not throw: a failure is the actor's. */
  start(cell: Cell): void {
    cell.phase = 'starting'
    cell.ending = undefined
    cell.urgent = true
    const { behavior } = cell
    try {
      if (behavior !== undefined) {
        const { context } = this.#parts
        context.enter(cell, FROM_OUTSIDE)
        const { snapshot } = cell.extras
        if (snapshot !== undefined) cell.own().snapshot = undefined
        const next = acceptNext(
          snapshot !== undefined && behavior.restore !== undefined
            ? behavior.restore(snapshot.of, context)
            : behavior.start(cell.args, context),
          'start',
        )
        this.#run(cell)
        cell.state = next.state
        this.#interpreter!.carryOut(cell, next.effects, undefined, FROM_OUTSIDE)
      } else {
        this.#run(cell)
        this.#parts.branchStarted(cell)
      }
    } catch (thrown) {
      this.fail(cell, thrown, 'start')
    }
  }

  #run(cell: Cell): void {
    cell.phase = 'running'
    this.#parts.trace?.({ what: 'started', actor: cell.ref })
    // Its mailbox may have filled while it rested.
    if (!cell.queued) this.#parts.delivery.attend(cell)
  }

  /** The actor broke a promise or met a defect: this life of it is over. Its mailbox is kept, the message it failed on is not. */
  fail(cell: Cell, thrown: unknown, during: string, message?: Message, origin?: Origin): void {
    const { asks, delivery, observe, trace } = this.#parts
    if (cell.phase === 'ended') return
    trace?.({ what: 'failed', actor: cell.ref })
    const error = errorShape(thrown)
    observe.log('error', 'An actor failed', { during, ...describe(thrown), message: message?.type }, cell.ref)
    observe.metric({ name: 'loqa_actor_failures_total', add: 1, labels: { kind: cell.kind } })
    if (origin?.ask?.open === true) asks.fail(origin.ask, new ActorFailedError(cell.address))
    if (message !== undefined && origin !== undefined) {
      delivery.bury('failed-on', cell.address, message, origin)
    }
    failOwed(cell, asks, ActorFailedError)
    cell.state = undefined
    const reason: ExitReason = { kind: 'failed', error }
    if (cell.phase === 'stopping') {
      // A farewell that fails cannot prevent the stop; only the reason told is the failure.
      closeWorks(cell)
      this.#linger(cell, { ...cell.ending!, reason, step: 'lingering' })
      return
    }
    this.#begin(cell, { goal: 'suspend', reason, failed: true, on_purpose: false, step: 'children' })
  }

  /** Follows an order of the tree, in the actor's own turn. */
  obey(cell: Cell, order: Order): void {
    if (order.kind === 'kill') {
      this.kill(cell, order.reason)
      return
    }
    const goal = order.kind === 'stop' ? 'end' : 'suspend'
    const { reason, on_purpose } = order
    if (cell.phase === 'passive') this.wake(cell)
    // It does not move any more; whoever moves it finds it gone.
    if (cell.phase === 'frozen') cell.phase = 'running'
    switch (cell.phase) {
      case 'stopping':
        // A stop that arrives while it goes to rest makes that rest its end.
        if (goal === 'end') cell.ending = { ...cell.ending!, goal, on_purpose: true }
        return
      case 'restarting': {
        // It has nothing to say farewell to; if it failed, that is what it ended of.
        if (goal === 'end') this.end(cell, { ...cell.ending!, goal, on_purpose: true })
        return
      }
      case 'starting':
      case 'running':
      case 'passive':
        this.#begin(cell, { goal, reason, failed: false, on_purpose, step: 'children' })
        return
      case 'ended':
        return
    }
  }

  #begin(cell: Cell, ending: Omit<Ending, 'farewell'>): void {
    cell.ending = { ...ending, farewell: cell.phase === 'running' && !ending.failed }
    cell.phase = 'stopping'
    cell.urgent = true
    // What a failed life had under way is of no use to anyone; an orderly one may still wait for its children's last words.
    if (ending.failed) closeWorks(cell)
    this.proceed(cell)
  }

  /** Takes the ending as far as it goes now; called again when a child or the last outside work ended. */
  proceed(cell: Cell): void {
    const { ending } = cell
    if (ending === undefined || cell.phase !== 'stopping') return
    if (ending.step === 'lingering') {
      this.#linger(cell, ending)
      return
    }
    if (!this.#stopNextChild(cell)) this.#farewell(cell, { ...ending, step: 'lingering' })
  }

  /** A child of a stopping actor ended. */
  childEnded(cell: Cell): void {
    cell.own().childrenStopping -= 1
    this.proceed(cell)
  }

  /** Children spawned at run time stop together; those of the tree one by one, last started first. True while any lives. */
  #stopNextChild(cell: Cell): boolean {
    const { children } = cell
    if (children === undefined || children.size === 0) return false
    // Looking through all children after the end of each would make many of them stop slowly.
    if (cell.extras.childrenStopping > 0) return true
    const alive = children.all().reverse()
    const spawned = alive.filter((child) => !child.place.fixed)
    const next = spawned.length > 0 ? spawned : alive.slice(0, 1)
    cell.own().childrenStopping = next.length
    for (const child of next) this.#parts.delivery.order(child, STOP_WITH_PARENT)
    return true
  }

  #farewell(cell: Cell, ending: Ending): void {
    const { behavior } = cell
    const { context } = this.#parts
    cell.ending = ending
    try {
      context.enter(cell, FROM_OUTSIDE)
      const effects =
        ending.farewell && behavior?.stopping !== undefined
          ? acceptEffects(behavior.stopping(cell.state, context), 'stopping')
          : NO_EFFECTS
      // Only what it asks for from here on may linger.
      closeWorks(cell)
      this.#interpreter!.carryOut(cell, effects, undefined, FROM_OUTSIDE)
    } catch (thrown) {
      this.fail(cell, thrown, 'stopping')
      return
    }
    this.#linger(cell, ending)
  }

  #linger(cell: Cell, ending: Ending): void {
    const { clock, delivery, outside } = this.#parts
    cell.ending = ending
    if (outside.busy(cell)) {
      const kill: Order = { kind: 'kill', reason: { kind: 'killed' }, on_purpose: true }
      cell.own().killTimer ??= clock.after(cell.place.shutdown_ms, () => delivery.order(cell, kill))
      return
    }
    if (ending.goal === 'end') this.end(cell, ending)
    else this.#rest(cell, ending)
  }

  /** Waits for the supervisor, everything of the old life gone but the mailbox. */
  #rest(cell: Cell, ending: Ending): void {
    const { delivery, trace } = this.#parts
    this.#clean(cell)
    cell.mailbox.unstash()
    cell.phase = 'restarting'
    trace?.({ what: 'resting', actor: cell.ref })
    if (cell.parent === undefined) this.#parts.rootFailed(cell, ending.reason)
    else delivery.childExit(cell.parent, { child: cell, ending })
  }

  /** Makes the state of a passive actor again from its snapshot. */
  wake(cell: Cell): void {
    const { context } = this.#parts
    try {
      context.enter(cell, FROM_OUTSIDE)
      const next = acceptNext(cell.behavior?.restore?.(cell.state, context), 'restore')
      this.#run(cell)
      cell.state = next.state
      this.#interpreter!.carryOut(cell, next.effects, undefined, FROM_OUTSIDE)
    } catch (thrown) {
      this.fail(cell, thrown, 'restore')
    }
  }

  /** Puts the state of an idle actor away; the next message brings it back. */
  passivate(cell: Cell): void {
    try {
      const snapshot = this.snapshotOf(cell)
      cell.state = snapshot
      cell.phase = 'passive'
      cell.urgent = true
      cell.mailbox.data.clear()
      this.#parts.trace?.({ what: 'passive', actor: cell.ref })
    } catch (thrown) {
      this.fail(cell, thrown, 'snapshot')
    }
  }

  /** Throws what the behaviour throws. */
  snapshotOf(cell: Cell): unknown {
    const { context } = this.#parts
    context.enter(cell, FROM_OUTSIDE)
    return acceptSnapshot(cell.behavior?.snapshot?.(cell.state, context))
  }

  /**
   * Off this node without an end: its watchers and schedules went along, what waits in its mailbox too. Its parent does not start it
   * again.
   */
  leave(cell: Cell, to: NodeId): void {
    const { delivery, outside, trace, watches } = this.#parts
    if (cell.phase === 'ended') return
    const { watchers } = cell.extras
    this.#clean(cell)
    cell.phase = 'ended'
    cell.ending = MOVED
    delivery.remove(cell)
    cell.ref.release()
    trace?.({ what: 'ended', actor: cell.ref })
    outside.gone(cell)
    watches.moved(cell, watchers, to)
    this.#parts.ended(cell, MOVED.reason)
    if (cell.parent !== undefined) delivery.childExit(cell.parent, { child: cell, ending: MOVED })
  }

  #clean(cell: Cell): void {
    const { asks, topics, watches } = this.#parts
    cell.state = undefined
    const { killTimer, recoveries } = cell.extras
    killTimer?.()
    if (recoveries !== undefined) for (const recovery of recoveries) recovery.cancel?.()
    closeWorks(cell)
    failOwed(cell, asks, StoppedError)
    topics.leave(cell)
    watches.forgetWatcher(cell)
    cell.dropExtras()
  }

  /** Out of the registry, for good. What waited in its mailbox are dead letters. */
  end(cell: Cell, ending: Ending): void {
    const { delivery, outside, trace, watches } = this.#parts
    if (cell.phase === 'ended') return
    this.#clean(cell)
    cell.phase = 'ended'
    cell.ending = ending
    cell.mailbox.order = undefined
    cell.mailbox.exits = undefined
    delivery.remove(cell)
    cell.ref.release()
    trace?.({ what: 'ended', actor: cell.ref })
    cell.mailbox.drain((message, origin) => {
      if (origin.work === undefined) delivery.bury('stopped', cell.address, message, origin)
    })
    watches.gone(cell, ending.reason)
    outside.gone(cell)
    this.#parts.ended(cell, ending.reason)
    if (cell.parent !== undefined) delivery.childExit(cell.parent, { child: cell, ending })
  }

  /** At once, with all below it, without a farewell. */
  kill(cell: Cell, reason: ExitReason): void {
    if (cell.phase === 'ended') return
    for (const child of (cell.children?.all() ?? []).reverse()) this.kill(child, { kind: 'killed' })
    cell.children = undefined
    this.end(cell, {
      goal: 'end',
      reason,
      failed: false,
      on_purpose: true,
      farewell: false,
      step: 'lingering',
    })
  }
}

/** What a log may say of a failure: its code and where, never its words, which may quote a person. */
function describe(thrown: unknown): Record<string, unknown> {
  if (thrown instanceof LoqaError) return { code: thrown.code, error: thrown.message, at: where(thrown) }
  if (thrown instanceof Error) {
    return { code: thrown.name, 'pii.error': thrown.message, at: where(thrown) }
  }
  return { code: typeof thrown }
}

const where = (error: Error): string | undefined => /\n\s*at (.+)/.exec(error.stack ?? '')?.[1]
