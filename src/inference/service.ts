/**
 * What a tier means: which engine of each kind a turn uses, how long it waits for the voice, and how much is said. Pure, from the
 * tier's budget and what engines took lately.
 *
 * V1  The best tier asks for the preferred engine of each kind. V2  A lower one asks for it only while it keeps its part of the budget;
 * else for the next that does, else for the quickest. V3  The lowest goes without a language model that takes all of the budget by
 * itself; speech and hearing are never left out. V4  In every tier a voice that is late is waited for no longer than its part where
 * another can say it instead. V5  An engine nobody measured yet counts as quick enough: it shows at once. V6  What the chosen recogniser or
 * language model loses, or is late with, the next in the order of preference does again, in the same turn. Late is, in the best tier, what
 * would break its budget by itself; in a lower one what is over its part. In a fixed tier nothing is late.
 */
import type { Budgets, Tier, TierSettings } from './tiers.ts'

export const SERVED = ['stt', 'llm', 'tts'] as const
export type Served = (typeof SERVED)[number]

/** An engine a turn may ask for. */
export interface Choice {
  /** What is asked: a kind for the preferred one, wherever in the household it is best, or a tag. */
  readonly to: string
  /** What it took lately, ms; null: not known. */
  readonly took_ms: number | null
}

/** By kind, in order of preference. */
export type Choices = Readonly<Record<Served, readonly Choice[]>>

export interface Second {
  readonly to: string
  /** So long the chosen one is waited for, ms; undefined: as long as any. */
  readonly late_ms: number | undefined
}

export interface Service {
  readonly tier: Tier
  readonly engines: { readonly stt: string; readonly llm: string | undefined; readonly tts: string }
  /** Does again what the chosen one lost or is late with; undefined: there is no other. */
  readonly second: { readonly stt: Second | undefined; readonly llm: Second | undefined }
  /** The voice that says what the chosen one is late with; undefined: there is no other. */
  readonly plain: string | undefined
  /** So long the first sound of the chosen voice is waited for, ms, where there is a plain one. */
  readonly late_ms: number
  /** Sentences of a reply that asks nothing back which are said aloud. */
  readonly most_sentences: number | undefined
  /** Tokens a skill may have a language model write. */
  readonly most_tokens: number | undefined
}

/** Share of a budget, less the shortest pause, that one kind may take. Together over one: hardly ever are all late at once. */
const PART: Readonly<Record<Served, number>> = { stt: 0.3, llm: 0.4, tts: 0.5 }
/** Less says too little of an engine on a machine that is busy for a moment. */
const LEAST_WAIT_MS = 60
/** The rest of a turn takes about a quarter. */
const TRIAL_PART = 0.75
/** About half a minute, and ten seconds, of speech. */
const TOKENS = { balanced: 160, fast: 64 } as const
const SENTENCES = { fast: 2 } as const

/** What engines may take of a turn, ms. `pause_ms`: the shortest pause that ends a sentence. */
export const workOf = (budgets: Budgets, tier: Tier, pause_ms: number): number =>
  Math.max(budgets[tier] - pause_ms, budgets[tier] / 2)

export const partOf = (settings: Pick<TierSettings, 'budgets'>, tier: Tier, kind: Served, pause_ms: number) =>
  Math.max(LEAST_WAIT_MS, Math.round(PART[kind] * workOf(settings.budgets, tier, pause_ms)))

export function serviceOf(
  tier: Tier,
  choices: Choices,
  settings: Pick<TierSettings, 'budgets' | 'fixed'>,
  pause_ms: number,
): Service {
  const part = (kind: Served): number => partOf(settings, tier, kind, pause_ms)
  const pick = (kind: Served): Choice =>
    chosen(tier, choices[kind], part(kind)) ?? { to: kind, took_ms: null }
  const stt = pick('stt').to
  const llm = pick('llm')
  const tts = pick('tts').to
  const after = (kind: 'stt' | 'llm', to: string): Second | undefined => {
    const next = choices[kind][choices[kind].findIndex((one) => one.to === to) + 1]
    if (next === undefined) return undefined
    const most = tier === 'rich' ? workOf(settings.budgets, tier, pause_ms) : part(kind)
    return { to: next.to, late_ms: settings.fixed ? undefined : most }
  }
  const tooLate = tier === 'fast' && (llm.took_ms ?? 0) > workOf(settings.budgets, tier, pause_ms)
  const last = choices.tts.at(-1)?.to
  return {
    tier,
    engines: { stt, llm: tooLate ? undefined : llm.to, tts },
    second: { stt: after('stt', stt), llm: after('llm', llm.to) },
    plain: choices.tts.length > 1 && last !== tts ? last : undefined,
    late_ms: part('tts'),
    most_sentences: tier === 'fast' ? SENTENCES.fast : undefined,
    most_tokens: tier === 'rich' ? undefined : TOKENS[tier],
  }
}

function chosen(tier: Tier, choices: readonly Choice[], part_ms: number): Choice | undefined {
  const [first] = choices
  if (first === undefined || tier === 'rich') return first
  const keeps = choices.find(({ took_ms }) => (took_ms ?? 0) <= part_ms)
  if (keeps !== undefined) return keeps
  return choices.reduce((best, one) => ((one.took_ms ?? 0) < (best.took_ms ?? 0) ? one : best))
}

/** A trial that takes so long still keeps the budget of `tier`. In the best one nothing else is chosen instead. */
export const trialLimit = (
  settings: Pick<TierSettings, 'budgets'>,
  tier: Tier,
  kind: Served,
  pause_ms: number,
): number =>
  tier === 'rich'
    ? TRIAL_PART * workOf(settings.budgets, tier, pause_ms)
    : partOf(settings, tier, kind, pause_ms)

/** What the next tier would ask for and this one does not: tried unheard before the step up. */
export function untried(
  now: Service,
  next: Service,
): readonly { readonly kind: Served; readonly to: string }[] {
  return SERVED.flatMap((kind) => {
    const to = next.engines[kind]
    return to === undefined || to === now.engines[kind] ? [] : [{ kind, to }]
  })
}
