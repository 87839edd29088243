/**
 * Supervision as data, and the pure rule that says what happens when a child ends.
 *
 * S1 A `permanent` child is started again however it ended, a `transient` one only after a failure, a `temporary` one never.
 * S2 A child that was stopped on purpose (by a stop naming it) stays stopped, whatever its kind.
 * S3 one_for_one restarts the child alone; one_for_all every child; rest_for_one it and those started after it.
 * S4 More than `intensity` restarts within `period_ms` are a failure of the supervisor itself (or, with `give-up`, the end
 *    of that child alone).
 * S5 The n-th restart within the period waits `min_ms · factor^(n−1)`, at most `max_ms`, spread over [½, 1] of that.
 *
 * After OTP's `supervisor`; the back-off is ours, as children here wait for engines and disks that need time.
 */
import type { MailboxPolicy } from './behavior.ts'
import type { RestartKind } from './effects.ts'

export interface Backoff {
  readonly min_ms: number
  readonly max_ms: number
  readonly factor: number
}

export interface Limits {
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one'
  /** Restarts allowed within the period; 0 means that the first failure is one too many. */
  readonly intensity: number
  readonly period_ms: number
  readonly backoff: Backoff
  /**
   * Whose failure too many restarts are. `fail`: counted over all children, the supervisor fails. `give-up`: counted for
   * each child by itself, that child ends for good; for children that have nothing to do with each other.
   */
  readonly when_exceeded: 'fail' | 'give-up'
}

/** A leaf of the tree: one actor. */
export interface ActorSpec {
  readonly id: string
  readonly kind: string
  /** With a key the actor is placed (`loqa:/<kind>/<key>`); without, it is fixed at its path in the tree. */
  readonly key?: string
  readonly args?: unknown
  /** Default `permanent`. */
  readonly restart?: RestartKind
  /** How long its last writes may take when it stops, then it is killed. Default 1,000. */
  readonly shutdown_ms?: number
  /** Instead of the behaviour's own. */
  readonly mailbox?: MailboxPolicy
}

/** A branch: a supervisor and its children, started in this order, stopped in reverse. */
export interface TreeSpec extends Partial<Limits> {
  readonly id: string
  readonly restart?: RestartKind
  readonly children: readonly (ActorSpec | TreeSpec)[]
}

export const isBranch = (spec: ActorSpec | TreeSpec): spec is TreeSpec => 'children' in spec

/** Five quick failures are bad luck, a sixth within ten seconds is a fault that restarting does not cure. */
export const DEFAULT_LIMITS: Limits = {
  strategy: 'one_for_one',
  intensity: 5,
  period_ms: 10_000,
  backoff: { min_ms: 20, max_ms: 5_000, factor: 2 },
  when_exceeded: 'fail',
}
export const DEFAULT_SHUTDOWN_MS = 1_000

export interface Exit {
  readonly child: string
  readonly restart: RestartKind
  readonly failed: boolean
  /** Stopped by a stop that named it. */
  readonly on_purpose: boolean
  /** Monotonic ms. */
  readonly now: number
  /** Uniform in [0, 1), for the jitter. */
  readonly chance: number
}

export type Plan =
  /** The child is gone; its parent's behaviour is told. */
  | { readonly do: 'forget' }
  /** Stop these (in this order), wait, then start these (in this order). */
  | {
      readonly do: 'restart'
      readonly stop: readonly string[]
      readonly start: readonly string[]
      readonly delay_ms: number
    }
  /** As `forget`, because it failed too often. */
  | { readonly do: 'give-up' }
  /** The supervisor itself fails. */
  | { readonly do: 'fail' }

export interface Decision {
  /** Times of the restarts still within the period: at most intensity + 1. */
  readonly history: readonly number[]
  readonly plan: Plan
}

/** `order` holds the ids of the children alive, in start order; only group strategies look at it. */
export function decide(
  limits: Limits,
  history: readonly number[],
  exit: Exit,
  order: readonly string[],
): Decision {
  if (exit.on_purpose || !wantsRestart(exit)) return { history, plan: { do: 'forget' } }
  const recent = [...history.filter((at) => exit.now - at < limits.period_ms), exit.now]
  if (recent.length > limits.intensity) {
    return { history: recent, plan: { do: limits.when_exceeded } }
  }
  const start = restartedWith(exit.child, limits.strategy, order)
  const stop = start.filter((id) => id !== exit.child).reverse()
  return {
    history: recent,
    plan: { do: 'restart', stop, start, delay_ms: delay(limits.backoff, recent.length, exit.chance) },
  }
}

const wantsRestart = (exit: Exit): boolean =>
  exit.restart === 'permanent' || (exit.restart === 'transient' && exit.failed)

function restartedWith(
  child: string,
  strategy: Limits['strategy'],
  order: readonly string[],
): readonly string[] {
  switch (strategy) {
    case 'one_for_one':
      return [child]
    case 'one_for_all':
      return order
    case 'rest_for_one':
      return order.slice(order.indexOf(child))
  }
}

/** Jitter keeps children that failed together from coming back together. */
function delay(backoff: Backoff, attempt: number, chance: number): number {
  const full = Math.min(backoff.max_ms, backoff.min_ms * backoff.factor ** (attempt - 1))
  return full * (0.5 + chance / 2)
}
