/**
 * How much quality a turn may take its time for: three tiers, each with a budget for a whole turn, and the machine that steps between
 * them. Pure: (state, what was measured, when) → state. What a tier means for engines and replies is chosen in `service.ts`.
 *
 * Q1  Two turns over the budget of the tier within the last eight, or a single one over twice of it, step down by one. Q2  A step up
 * follows only when nothing was over the budget for a while (`hold_ms`) and engines the next tier wants were tried unheard and kept
 * their part of its budget. Q3  Who falls soon after a step up waits twice as long for the next one, up to `MOST_HOLDS` times; who
 * stays waits the usual time again. Q4  A fixed tier never changes. Q5  What is kept does not grow.
 */

export const TIERS = ['fast', 'balanced', 'rich'] as const
export type Tier = (typeof TIERS)[number]

/** From the end of speech to the first sound, ms, by tier (ARCHITECTURE §6). */
export type Budgets = Readonly<Record<Tier, number>>

export interface TierSettings {
  readonly budgets: Budgets
  /** The tier begun with, and the best there is. */
  readonly best: Tier
  /** Q4 */
  readonly fixed: boolean
  /** So long nothing may have been over the budget before a step up. */
  readonly hold_ms: number
}

export interface Tiering {
  readonly tier: Tier
  /** ms of a monotonic clock: when this tier began. */
  readonly since: number
  /** Whole turns in this tier, ms, the newest last. */
  readonly turns: readonly number[]
  /** When a turn was over the budget last, or a trial was. */
  readonly slow_at: number | undefined
  /** It was reached by a step up. */
  readonly rose: boolean
  /** How many times the usual hold is waited for now. */
  readonly holds: number
}

export interface TierStep {
  readonly from: Tier
  readonly to: Tier
  readonly why: 'slow-turns' | 'spike' | 'recovered'
}

export interface Tiered {
  readonly state: Tiering
  readonly step: TierStep | undefined
}

/** Turns a percentile is taken of; also Q5. */
const KEPT = 32
/** Q1 */
const LATELY = 8
const STRIKES = 2
const SPIKE_TIMES = 2
/** Q3: with the usual half minute, eight minutes at most. */
const MOST_HOLDS = 16

export const beginTier = ({ best }: TierSettings, now: number): Tiering => ({
  tier: best,
  since: now,
  turns: [],
  slow_at: undefined,
  rose: false,
  holds: 1,
})

/** A turn took so long, ms: a pause as short as any, then what engines took until the first sound. */
export function turnTook(state: Tiering, took_ms: number, now: number, settings: TierSettings): Tiered {
  const budget = settings.budgets[state.tier]
  const isSlow = took_ms > budget
  const turns = [...state.turns, took_ms].slice(-KEPT)
  const known: Tiering = { ...state, turns, slow_at: isSlow ? now : state.slow_at }
  const below = TIERS[TIERS.indexOf(state.tier) - 1]
  if (!isSlow || settings.fixed || below === undefined) return { state: known, step: undefined }
  const isSpike = took_ms > SPIKE_TIMES * budget
  const strikes = turns.slice(-LATELY).filter((turn) => turn > budget).length
  if (!isSpike && strikes < STRIKES) return { state: known, step: undefined }
  const why = isSpike ? 'spike' : 'slow-turns'
  const isRelapse = state.rose && now - state.since < settings.hold_ms * state.holds
  const holds = isRelapse ? Math.min(MOST_HOLDS, state.holds * 2) : 1
  return moved(known, below, why, holds, now)
}

/** When a step up may be tried; undefined: never, there is none. */
export function triesAt(state: Tiering, settings: TierSettings): number | undefined {
  if (settings.fixed || state.tier === settings.best) return undefined
  return Math.max(state.since, state.slow_at ?? state.since) + settings.hold_ms * state.holds
}

/** What the next tier wants was tried, unheard. */
export function tried(state: Tiering, keeps: boolean, now: number, settings: TierSettings): Tiered {
  const at = triesAt(state, settings)
  if (at === undefined || now < at) return { state, step: undefined }
  if (!keeps) {
    const holds = Math.min(MOST_HOLDS, state.holds * 2)
    return { state: { ...state, slow_at: now, holds }, step: undefined }
  }
  return moved(state, TIERS[TIERS.indexOf(state.tier) + 1] ?? state.tier, 'recovered', state.holds, now)
}

function moved(state: Tiering, to: Tier, why: TierStep['why'], holds: number, now: number): Tiered {
  return {
    state: { tier: to, since: now, turns: [], slow_at: undefined, rose: why === 'recovered', holds },
    step: { from: state.tier, to, why },
  }
}

/** Of the turns in this tier; null before there was one. */
export function p95Of({ turns }: Pick<Tiering, 'turns'>): number | null {
  const sorted = [...turns].sort((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? null
}
