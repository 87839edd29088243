/**
 * When a second engine begins a run that the first one is late with: whoever has a result first goes on, the other is cancelled. Pure.
 *
 * H1  A run is begun a second time only when it takes longer than 95 of 100 runs there.
 * H2  In the long run at most one of ten runs is begun twice, however slow everything is: help must not become load.
 * H3  Nothing that was heard is said again by another: once a result was delivered there is no second engine.
 */

/** H2: what each run adds to the allowance, what a second beginning takes, and how many of these may come at once. */
const SHARE = 0.1
const BURST = 4
/** A second beginning costs a way and a place; less than this nobody hears. */
const LEAST_MS = 40

/** Second beginnings that may be had now; starts full, so that the first turns of a house are helped too. */
export interface Allowance {
  readonly left: number
}

export const FULL: Allowance = { left: BURST }

export const earned = ({ left }: Allowance): Allowance => ({ left: Math.min(BURST, left + SHARE) })

/** Undefined: not now. */
export const spent = ({ left }: Allowance): Allowance | undefined =>
  left >= 1 ? { left: left - 1 } : undefined

/** How long the first engine is waited for, ms; `expected_ms`: what 95 of 100 runs take there. */
export const hedgeAfter = (expected_ms: number): number => Math.max(LEAST_MS, expected_ms)
