/**
 * How busy the machine is, as a node tells it: the share of its processors in use over the last seconds. Pure.
 *
 * D1  Between 0 and 1; null until it was looked at twice.
 * D2  What is told changes only when the machine is busier or idler by more than LOAD_STEP for some seconds, so that sheets are not
 *     told again for noise; it is never farther from the average than that.
 */
import type { ProcessorTimes } from '../../host/index.ts'

/** Two looks at an idle machine differ by half of this; a step costs less than what moves work (`placement.ts`, L3). */
export const LOAD_STEP = 0.1
/** Share of the newest look in the average: looks two seconds apart make it one over five. */
const NEWEST = 0.4
/** What is told is a multiple of this. */
const GRAIN = 0.05

export interface Load {
  readonly times: ProcessorTimes | undefined
  /** Averaged. */
  readonly share: number | null
  readonly told: number | null
}

export const UNKNOWN_LOAD: Load = { times: undefined, share: null, told: null }

export function looked({ times: before, share: average, told }: Load, times: ProcessorTimes): Load {
  if (before === undefined) return { times, share: average, told }
  const passed = times.all_ms - before.all_ms
  // A processor was taken out, or the clock of the machine stood: nothing can be said this time.
  if (!(passed > 0)) return { times, share: average, told }
  const now = Math.min(1, Math.max(0, (times.busy_ms - before.busy_ms) / passed))
  const share = average === null ? now : average + NEWEST * (now - average)
  const same = told !== null && Math.abs(share - told) <= LOAD_STEP
  return { times, share, told: same ? told : Math.round(Math.round(share / GRAIN) * GRAIN * 100) / 100 }
}
