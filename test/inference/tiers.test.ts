/** Answers step down when they are late and up again when that is safe; what a tier means follows from what engines took. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Choices, serviceOf, trialLimit, untried } from '../../src/inference/service.ts'
import {
  beginTier,
  p95Of,
  type Tier,
  type Tiered,
  type Tiering,
  type TierSettings,
  tried,
  triesAt,
  turnTook,
} from '../../src/inference/tiers.ts'

const budgets = { fast: 200, balanced: 400, rich: 1_000 }
const settings: TierSettings = { budgets, best: 'rich', fixed: false, hold_ms: 30_000 }

/** After turns that took so long, one each second from `at`. */
function having(took: readonly number[], from: Tiering = beginTier(settings, 0), at = 0): Tiered {
  let tiered: Tiered = { state: from, step: undefined }
  for (const [turn, ms] of took.entries()) {
    tiered = turnTook(tiered.state, ms, at + turn * 1_000, settings)
  }
  return tiered
}

describe('the tier', () => {
  it('Q1: falls with the second slow turn within eight, and not for one of nine', () => {
    expect(having([1_100]).step).toBeUndefined()
    expect(having([1_100, 1_100]).step).toEqual({ from: 'rich', to: 'balanced', why: 'slow-turns' })
    expect(having([1_100, 5, 5, 5, 5, 5, 5, 1_100]).step?.to).toBe('balanced')
    expect(having([1_100, 5, 5, 5, 5, 5, 5, 5, 1_100]).step).toBeUndefined()
  })

  it('Q1: falls with one turn over twice the budget', () => {
    expect(having([2_001]).step).toEqual({ from: 'rich', to: 'balanced', why: 'spike' })
    expect(having([2_001, 801]).state.tier).toBe('fast')
    expect(having([2_001, 801, 9_000, 9_000]).state.tier).toBe('fast')
  })

  it('Q2: rises only after a calm time, and only when what it wants kept its part', () => {
    const { state } = having([2_001])
    expect(triesAt(state, settings)).toBe(30_000)
    expect(tried(state, true, 29_999, settings).step).toBeUndefined()
    expect(tried(state, true, 30_000, settings).step).toEqual({
      from: 'balanced',
      to: 'rich',
      why: 'recovered',
    })
    const refused = tried(state, false, 30_000, settings)
    expect(refused.step).toBeUndefined()
    expect(triesAt(refused.state, settings)).toBe(30_000 + 60_000)
    const slow = turnTook(state, 500, 10_000, settings)
    expect(triesAt(slow.state, settings)).toBe(40_000)
  })

  it('Q3: waits twice as long after each relapse, and the usual time once it stayed', () => {
    let state = having([2_001]).state
    const holds: number[] = []
    let now = 0
    for (let fall = 0; fall < 7; fall += 1) {
      holds.push(triesAt(state, settings)! - now)
      now = triesAt(state, settings)!
      state = tried(state, true, now, settings).state
      now += 1_000
      state = turnTook(state, 3_000, now, settings).state
    }
    expect(holds).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 480_000, 480_000])
    now = triesAt(state, settings)!
    state = tried(state, true, now, settings).state
    state = turnTook(state, 3_000, now + 500_000, settings).state
    expect(triesAt(state, settings)! - (now + 500_000)).toBe(30_000)
  })

  it('Q4: stays where it is fixed', () => {
    const fixed: TierSettings = { ...settings, best: 'balanced', fixed: true }
    const { state, step } = turnTook(beginTier(fixed, 0), 60_000, 0, fixed)
    expect([state.tier, step, triesAt(state, fixed)]).toEqual(['balanced', undefined, undefined])
  })

  it('Q1, Q5: whatever comes, steps go to the next tier, within bounds, and the figure is of this tier', () => {
    const order: readonly Tier[] = ['fast', 'balanced', 'rich']
    let steps = 0
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(3_000), fc.boolean()), { maxLength: 80 }), (inputs) => {
        let state = beginTier(settings, 0)
        let now = 0
        for (const input of inputs) {
          now += 7_000
          const before = state
          const next =
            typeof input === 'number'
              ? turnTook(state, input, now, settings)
              : tried(state, input, now, settings)
          state = next.state
          expect(state.turns.length).toBeLessThanOrEqual(32)
          expect(state.holds).toBeLessThanOrEqual(16)
          if (next.step === undefined) expect(state.tier).toBe(before.tier)
          else {
            steps += 1
            expect(Math.abs(order.indexOf(state.tier) - order.indexOf(before.tier))).toBe(1)
            expect([next.step.from, next.step.to, state.turns]).toEqual([before.tier, state.tier, []])
          }
        }
      }),
      { seed: 20_261_127, numRuns: 200 },
    )
    expect(steps).toBeGreaterThan(100)
    expect(p95Of({ turns: [] })).toBeNull()
    expect(p95Of({ turns: Array.from({ length: 20 }, (_, turn) => turn) })).toBe(18)
  })
})

const one = (to: string, took_ms: number | null = null) => ({ to, took_ms })
const house = (llm: number | null, neural: number | null): Choices => ({
  stt: [one('stt', 5)],
  llm: [one('llm', llm), one('llm.llama:small', 20)],
  tts: [one('tts', neural), one('tts.formant:formant-en', 30)],
})
const service = (tier: Tier, choices: Choices) => serviceOf(tier, choices, settings, 100)

describe('what a tier means', () => {
  it('V1, V4: the best asks for what is preferred, and knows who says what that is late with', () => {
    expect(service('rich', house(5_000, 5_000))).toEqual({
      tier: 'rich',
      engines: { stt: 'stt', llm: 'llm', tts: 'tts' },
      second: { stt: undefined, llm: { to: 'llm.llama:small', late_ms: 900 } },
      ...{ plain: 'tts.formant:formant-en', late_ms: 450, most_sentences: undefined, most_tokens: undefined },
    })
  })

  it('V2: a lower one uses what keeps its part, in order of preference', () => {
    expect(service('balanced', house(100, 100)).engines).toEqual({ stt: 'stt', llm: 'llm', tts: 'tts' })
    const slow = service('balanced', house(500, 500))
    expect(slow.engines).toEqual({ stt: 'stt', llm: 'llm.llama:small', tts: 'tts.formant:formant-en' })
    expect(slow.plain).toBeUndefined()
    const allSlow = { ...house(900, 900), stt: [one('stt', 800), one('stt.whisper:base', 700)] }
    expect(service('balanced', allSlow).engines.stt).toBe('stt.whisper:base')
  })

  it('V3: the lowest goes without a language model that takes all there is, never without a voice', () => {
    const alone: Choices = { stt: [one('stt')], llm: [one('llm', 900)], tts: [one('tts', 900)] }
    expect(service('fast', alone).engines).toEqual({ stt: 'stt', llm: undefined, tts: 'tts' })
    expect(service('balanced', alone).engines.llm).toBe('llm')
    expect(service('fast', { ...alone, llm: [one('llm', 90)] }).engines.llm).toBe('llm')
    expect(service('fast', alone)).toMatchObject({ plain: undefined, most_sentences: 2, most_tokens: 64 })
  })

  it('V6: the next engine does again what the chosen one loses, or is late with', () => {
    const three = { ...house(20, 20), stt: [one('stt', 20), one('stt.a', 30), one('stt.b', 40)] }
    expect(service('rich', three).second.stt).toEqual({ to: 'stt.a', late_ms: 900 })
    const slow = { ...three, stt: [one('stt', 800), one('stt.a', 30), one('stt.b', 40)] }
    expect(service('balanced', slow)).toMatchObject({
      engines: { stt: 'stt.a' },
      second: { stt: { to: 'stt.b', late_ms: 90 }, llm: { to: 'llm.llama:small', late_ms: 120 } },
    })
    expect(service('rich', { ...three, stt: [], llm: [one('llm')] }).second).toEqual({
      stt: undefined,
      llm: undefined,
    })
    const fixed = serviceOf('rich', three, { ...settings, fixed: true }, 100)
    expect(fixed.second.stt).toEqual({ to: 'stt.a', late_ms: undefined })
  })

  it('V5: what nobody measured is used, also where there is none at all', () => {
    expect(service('fast', house(null, null)).engines).toEqual({ stt: 'stt', llm: 'llm', tts: 'tts' })
    expect(service('fast', { stt: [], llm: [], tts: [] }).engines).toEqual({
      stt: 'stt',
      llm: 'llm',
      tts: 'tts',
    })
  })

  it('before a step up, what the next tier uses beside this one is tried within what that allows', () => {
    const choices = house(900, 900)
    expect(untried(service('balanced', choices), service('rich', choices))).toEqual([
      { kind: 'llm', to: 'llm' },
      { kind: 'tts', to: 'tts' },
    ])
    expect(untried(service('balanced', house(20, 20)), service('rich', house(20, 20)))).toEqual([])
    expect([trialLimit(settings, 'rich', 'llm', 100), trialLimit(settings, 'balanced', 'llm', 100)]).toEqual([
      675, 120,
    ])
  })
})
