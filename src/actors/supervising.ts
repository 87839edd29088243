/** Carries out what `supervisor.ts` decides: puts siblings to rest, waits, starts them again, or lets the supervisor fail. */
import { type Clock, monotonic, type Random } from '../host/index.ts'
import { acceptNext } from './accept.ts'
import { type Cell, type ChildExit, FROM_OUTSIDE, type Recovery } from './cell.ts'
import type { CallContext } from './context.ts'
import type { Delivery } from './delivery.ts'
import type { ExitReason } from './effects.ts'
import { IntensityExceededError } from './errors.ts'
import type { Interpreter } from './interpreter.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Order } from './mailbox.ts'
import { decide, type Exit, type Plan } from './supervisor.ts'

const TO_REST: Order = {
  kind: 'suspend',
  reason: { kind: 'stopped', reason: 'restarted with a sibling' },
  on_purpose: true,
}

export interface SupervisingParts {
  readonly clock: Clock
  readonly random: Random
  readonly context: CallContext
  readonly delivery: Delivery
  readonly interpreter: Interpreter
  readonly lifecycle: Lifecycle
}

export class Supervising {
  readonly #parts: SupervisingParts

  constructor(parts: SupervisingParts) {
    this.#parts = parts
  }

  /** A child came to rest or ended; in the parent's turn. May throw what `childExited` throws: the parent fails. */
  childExit(parent: Cell, { child, ending }: ChildExit): void {
    const { lifecycle } = this.#parts
    if (parent.children?.has(child) !== true) return
    if (parent.phase === 'stopping') {
      // One that came to rest was told to stop, and will be back here when it did.
      if (child.phase !== 'ended') return
      parent.children.delete(child)
      lifecycle.childEnded(parent)
      return
    }
    const restedForSibling = ending.goal === 'suspend' && ending.on_purpose
    if (restedForSibling) {
      this.advance(parent)
      return
    }

    const { plan, history } = this.#decide(parent, child, {
      child: child.address,
      restart: child.place.restart,
      failed: ending.failed,
      on_purpose: ending.on_purpose,
      now: this.#parts.clock.monotonic(),
      chance: this.#parts.random.float(),
    })
    if (history.length > 0) {
      const counted = parent.species.limits.when_exceeded === 'give-up' ? child : parent
      counted.own().history = history
    }

    switch (plan.do) {
      case 'forget':
      case 'give-up':
        parent.children.delete(child)
        if (child.phase !== 'ended') lifecycle.end(child, { ...ending, goal: 'end' })
        this.#tellParent(parent, child, ending.reason)
        return
      case 'restart':
        this.#plan(parent, child, plan)
        this.advance(parent)
        return
      case 'fail': {
        const { intensity, period_ms } = parent.species.limits
        const error = new IntensityExceededError(child.address, intensity, period_ms)
        lifecycle.fail(parent, error, 'supervising')
        return
      }
    }
  }

  #decide(parent: Cell, child: Cell, exit: Exit) {
    const { limits } = parent.species
    const history = limits.when_exceeded === 'give-up' ? child.extras.history : parent.extras.history
    // Only group strategies look at the siblings; the common case must not cost more with many of them.
    const order =
      limits.strategy === 'one_for_one' ? [] : parent.children!.all().map(({ address }) => address)
    return decide(limits, history, exit, order)
  }

  #tellParent(parent: Cell, child: Cell, reason: ExitReason): void {
    const { behavior } = parent
    if (behavior?.childExited === undefined) return
    const { context, interpreter, lifecycle } = this.#parts
    if (parent.phase === 'passive') lifecycle.wake(parent)
    if (parent.phase !== 'running') return
    try {
      context.enter(parent, FROM_OUTSIDE)
      const next = acceptNext(behavior.childExited(parent.state, child.ref, reason, context), 'childExited')
      parent.state = next.state
      interpreter.carryOut(parent, next.effects, undefined, FROM_OUTSIDE)
    } catch (thrown) {
      lifecycle.fail(parent, thrown, 'childExited')
    }
  }

  /** One recovery per child under one_for_one; a group has one, into which a further failure is merged. */
  #plan(parent: Cell, child: Cell, plan: Extract<Plan, { do: 'restart' }>): void {
    const planned: Recovery = {
      rest: [],
      start: [child],
      not_before: monotonic(this.#parts.clock.monotonic() + plan.delay_ms),
      cancel: undefined,
    }
    const earlier = parent.extras.recoveries ?? []
    if (parent.species.limits.strategy === 'one_for_one') {
      parent.own().recoveries = [...earlier, planned]
      return
    }
    for (const recovery of earlier) recovery.cancel?.()
    const start = parent
      .children!.all()
      .filter(
        (cell) =>
          plan.start.includes(cell.address) || earlier.some((recovery) => recovery.start.includes(cell)),
      )
    const not_before = monotonic(Math.max(planned.not_before, ...earlier.map((each) => each.not_before)))
    // Last started, first put to rest; the failed one rests already.
    const rest = start.filter((cell) => cell !== child).reverse()
    parent.own().recoveries = [{ rest, start, not_before, cancel: undefined }]
  }

  /** Takes every recovery of this supervisor as far as it goes now. */
  advance(parent: Cell): void {
    if (parent.phase !== 'running' && parent.phase !== 'passive') return
    const { recoveries } = parent.extras
    if (recoveries === undefined) return
    const unfinished = recoveries.filter((recovery) => !this.#advanceOne(parent, recovery))
    parent.own().recoveries = unfinished.length > 0 ? unfinished : undefined
  }

  /** True when it is done. */
  #advanceOne(parent: Cell, recovery: Recovery): boolean {
    const { clock, delivery, lifecycle } = this.#parts
    for (;;) {
      const next = recovery.rest[0]
      if (next === undefined) break
      if (next.phase !== 'restarting' && next.phase !== 'ended') {
        if (next.phase !== 'stopping') delivery.order(next, TO_REST)
        return false
      }
      recovery.rest.shift()
    }
    const wait_ms = recovery.not_before - clock.monotonic()
    if (wait_ms > 0) {
      recovery.cancel ??= clock.after(wait_ms, () => {
        recovery.cancel = undefined
        delivery.attend(parent)
      })
      return false
    }
    for (const cell of recovery.start) {
      if (cell.phase !== 'restarting' || parent.children?.has(cell) !== true) continue
      cell.restarts += 1
      lifecycle.start(cell)
    }
    return true
  }
}
