/**
 * How good answers are for now, and why, in words: a node that is slow gives up quality before it gives up speed. Pure.
 */
import type { QualityView } from '../api/index.ts'
import { shown } from './waterfall.ts'

/** The worst first. */
export const TIERS = ['fast', 'balanced', 'rich'] as const

type Tier = QualityView['tier']

const NAMES: Readonly<Record<Tier, string>> = {
  rich: 'Rich answers',
  balanced: 'Balanced answers',
  fast: 'Fast, short answers',
}

const WHYS: Readonly<Record<NonNullable<QualityView['last_step']>['why'], string>> = {
  'slow-turns': 'the last ones took too long',
  spike: 'one took far too long',
  recovered: 'they come in time',
}

/** What there is to say of it beside a conversation; undefined: answers are as good as they can be, and were before. */
export function tierLine({ tier, best, last_step: step }: QualityView): string | undefined {
  if (step === null) return undefined
  const why = WHYS[step.why]
  return `${NAMES[tier]} ${tier === best ? 'again' : 'for now'}: ${why}.`
}

/** For the sheet: when it came to this, and how it goes on. */
export function tierStory(quality: QualityView): string {
  const { tier, best, fixed, budget_ms, p95_ms, last_step: step } = quality
  const within = `within ${shown(budget_ms)} of your last word`
  const kept = p95_ms === null ? '' : `; lately within ${shown(p95_ms)}`
  const since =
    step === null
      ? ''
      : ` Since ${new Date(step.at).toLocaleTimeString()}, before that ${step.from}: ${WHYS[step.why]}.`
  const next =
    tier === best ? '' : ' Better ones are tried, unheard, and come back when they are quick enough.'
  return `${NAMES[tier]} begin ${within}${kept}${fixed ? ', always' : ''}.${since}${next}`
}
