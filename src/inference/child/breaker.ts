/**
 * Whether a server that failed is asked again. Pure.
 *
 * K1 After `MOST_FAILURES` in a row nobody is sent there until a pause is over; then one is, alone. K2 When that one fails too the pause
 * doubles, up to a limit; when it succeeds all is as before. K3 While it is open, a refusal says how long.
 */

const MOST_FAILURES = 3
/** A server that restarts is back in some seconds. */
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 60_000

export type Breaker =
  | { readonly phase: 'closed'; readonly failures: number }
  | { readonly phase: 'open'; readonly until: number; readonly pause_ms: number }
  /** One is on trial. */
  | { readonly phase: 'trying'; readonly pause_ms: number }

export const closed: Breaker = { phase: 'closed', failures: 0 }

/** Whether somebody may be sent; `wait_ms`: until the next one may. `now` is monotonic, ms. */
export function ask(
  breaker: Breaker,
  now: number,
): { readonly breaker: Breaker; readonly allowed: boolean; readonly wait_ms: number } {
  switch (breaker.phase) {
    case 'closed':
      return { breaker, allowed: true, wait_ms: 0 }
    case 'trying':
      return { breaker, allowed: false, wait_ms: breaker.pause_ms }
    default:
      if (now < breaker.until) return { breaker, allowed: false, wait_ms: breaker.until - now }
      return { breaker: { phase: 'trying', pause_ms: breaker.pause_ms }, allowed: true, wait_ms: 0 }
  }
}

/** It did what it was asked, or refused with good reason. */
export const succeeded = (): Breaker => closed

export function failed(breaker: Breaker, now: number): Breaker {
  switch (breaker.phase) {
    case 'closed': {
      const failures = breaker.failures + 1
      if (failures < MOST_FAILURES) return { phase: 'closed', failures }
      return { phase: 'open', until: now + FIRST_PAUSE_MS, pause_ms: FIRST_PAUSE_MS }
    }
    case 'trying': {
      const pause_ms = Math.min(LONGEST_PAUSE_MS, breaker.pause_ms * 2)
      return { phase: 'open', until: now + pause_ms, pause_ms }
    }
    default:
      // One that was sent before it opened.
      return breaker
  }
}

/** Given up by who asked: nothing was learned. */
export const abandoned = (breaker: Breaker, now: number): Breaker =>
  breaker.phase === 'trying' ? { phase: 'open', until: now, pause_ms: breaker.pause_ms } : breaker
