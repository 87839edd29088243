/** What the page says of how good answers are: which tier, why, and what comes next, in words. */
import { expect, it } from 'vitest'
import type { QualityView } from '../../src/api/index.ts'
import { tierLine, tierStory } from '../../src/web/tier.ts'

const rich: QualityView = {
  ...{ tier: 'rich', best: 'rich', fixed: false, budget_ms: 1_000, p95_ms: null, turns: 0 },
  engines: { stt: 'stt', llm: 'llm', tts: 'tts', plain_tts: null },
  last_step: null,
}
const after = (
  from: QualityView['tier'],
  tier: QualityView['tier'],
  why: NonNullable<QualityView['last_step']>['why'],
): QualityView => ({ ...rich, tier, last_step: { from, to: tier, why, at: '2026-11-27T03:34:38.260Z' } })

it('says nothing while nothing happened', () => {
  expect(tierLine(rich)).toBeUndefined()
  expect(tierStory(rich)).toBe('Rich answers begin within 1.0 s of your last word.')
})

it('says which answers there are for now, why, and that nothing else', () => {
  expect(tierLine(after('rich', 'balanced', 'slow-turns'))).toBe(
    'Balanced answers for now: the last ones took too long.',
  )
  expect(tierLine(after('balanced', 'fast', 'spike'))).toBe(
    'Fast, short answers for now: one took far too long.',
  )
  expect(tierLine(after('fast', 'balanced', 'recovered'))).toBe(
    'Balanced answers for now: they come in time.',
  )
  expect(tierLine(after('balanced', 'rich', 'recovered'))).toBe('Rich answers again: they come in time.')
})

it('tells in the sheet since when, and how the time is kept', () => {
  const below = { ...after('rich', 'balanced', 'slow-turns'), budget_ms: 400, p95_ms: 162.4 }
  expect(tierStory(below)).toMatch(
    /^Balanced answers begin within 400 ms of your last word; lately within 162 ms\. Since .+, before that rich: the last ones took too long\. Better ones are tried, unheard, and come back when they are quick enough\.$/,
  )
  expect(tierStory({ ...rich, fixed: true })).toMatch(/, always\.$/)
})
