/** How much of what costs others a skill has used lately: requests, bytes and tokens, each in a window of its own. Pure. */
import type { Monotonic } from '../host/index.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Of a manifest that names none. */
export const DEFAULT_ALLOWANCE: Allowance = { requests_hour: 120, network_kb_hour: 4_096, tokens_day: 20_000 }

export interface Allowance {
  readonly requests_hour: number
  readonly network_kb_hour: number
  readonly tokens_day: number
}

interface Window {
  readonly since: Monotonic
  readonly used: number
}

export interface Usage {
  readonly requests: Window
  readonly bytes: Window
  readonly tokens: Window
}

export type Used = keyof Usage

const SPAN: Readonly<Record<Used, number>> = { requests: HOUR_MS, bytes: HOUR_MS, tokens: DAY_MS }

export function newUsage(now: Monotonic): Usage {
  const fresh = { since: now, used: 0 }
  return { requests: fresh, bytes: fresh, tokens: fresh }
}

/** After `more` was used, also where it is over the allowance: what was done was done. */
export function used(usage: Usage, what: Used, more: number, now: Monotonic): Usage {
  const window = usage[what]
  const over = now - window.since >= SPAN[what]
  return { ...usage, [what]: over ? { since: now, used: more } : { ...window, used: window.used + more } }
}

/** What may still be used in this window, never negative. */
export function left(usage: Usage, what: Used, allowance: Allowance, now: Monotonic): number {
  const most =
    what === 'requests'
      ? allowance.requests_hour
      : what === 'bytes'
        ? allowance.network_kb_hour * 1024
        : allowance.tokens_day
  const { since, used: so_far } = usage[what]
  return Math.max(0, now - since >= SPAN[what] ? most : most - so_far)
}
