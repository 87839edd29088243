/** What holds for every sentence the templates can say, and for every way to damage one. */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  type Intent,
  read,
  readAll,
  type SlotValue,
  sayDuration,
  sayNumber,
} from '../../../src/skills/intents/index.ts'
import type { Pattern } from '../../../src/skills/intents/patterns.ts'
import { house } from './house.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

interface Composed {
  readonly text: string
  readonly intent: Intent
}

/** What means something at any time. */
const positive = house.patterns.filter(
  ({ negative, intent }) => !negative && house.intents.get(intent)?.follows === undefined,
)

/** A value of a type, as spoken and as the skill gets it. */
function spokenValue(type: string): fc.Arbitrary<{ spoken: string; value: string | number }> {
  if (type === 'number')
    return fc.integer({ min: 0, max: 100 }).map((value) => ({ spoken: sayNumber(value), value }))
  if (type === 'duration') {
    const seconds = fc.oneof(
      fc.integer({ min: 1, max: 86_400 }),
      fc.constantFrom(60, 300, 600, 3600, 4200, 90),
    )
    return seconds.map((value) => ({ spoken: sayDuration(value), value }))
  }
  const values = house.types.get(type)!
  return fc.constantFrom(...values).map(({ words, value }) => ({ spoken: words.join(' '), value }))
}

function composedFrom(pattern: Pattern): fc.Arbitrary<Composed> {
  const parts = pattern.tokens.map((token) =>
    token.kind === 'word'
      ? fc.constant({ spoken: token.text, slot: undefined, value: '' })
      : spokenValue(token.type).map(({ spoken, value }) => ({ spoken, slot: token.name, value })),
  )
  return fc.tuple(...parts).map((chosen) => {
    const slots: Record<string, SlotValue> = {}
    for (const { slot, value } of chosen) {
      if (slot === undefined) continue
      const before = slots[slot]
      const many = house.intents.get(pattern.intent)!.slots.get(slot)!.many
      if (before !== undefined) slots[slot] = [...new Set([before, String(value)].flat().map(String))]
      else slots[slot] = many ? [String(value)] : value
    }
    return { text: chosen.map((part) => part.spoken).join(' '), intent: { name: pattern.intent, slots } }
  })
}

const composed = fc.constantFrom(...positive).chain(composedFrom)
const politely = fc.tuple(
  fc.constantFrom('', ...house.before.map((phrase) => `${phrase.join(' ')} `)),
  composed,
  fc.constantFrom('', ...house.after.map((phrase) => ` ${phrase.join(' ')}`)),
)

/** One word lost, doubled, mistyped or replaced. */
const damage = fc.record({
  place: fc.nat(30),
  kind: fc.constantFrom('lose', 'double', 'swap letters', 'lose letter', 'unknown', 'swap words'),
})

function damaged(text: string, { place, kind }: { place: number; kind: string }): string {
  const words = text.split(' ')
  const at = place % words.length
  const word = words[at]!
  if (kind === 'lose') words.splice(at, 1)
  if (kind === 'double') words.splice(at, 0, word)
  if (kind === 'swap letters') words[at] = word.slice(0, -2) + [...word.slice(-2)].reverse().join('')
  if (kind === 'lose letter') words[at] = word.slice(0, -1)
  if (kind === 'unknown') words[at] = '<unk>'
  if (kind === 'swap words' && at > 0) words.splice(at - 1, 2, word, words[at - 1]!)
  return words.join(' ')
}

const exactOnly = (name: string) => house.intents.get(name)?.exactOnly ?? false

/** All sentences that may be taken for a risky intent: its templates with every value, written out. */
const riskySentences = new Set(
  positive
    .filter((pattern) => exactOnly(pattern.intent))
    .flatMap((pattern) =>
      pattern.tokens.reduce<string[]>(
        (texts, token) => {
          const spoken =
            token.kind === 'word'
              ? [token.text]
              : house.types.get(token.type)!.map(({ words }) => words.join(' '))
          return texts.flatMap((text) => spoken.map((next) => `${text} ${next}`.trim()))
        },
        [''],
      ),
    ),
)

describe('every sentence of every template', () => {
  it('reads as its intent and slots, exactly', () => {
    for (const pattern of positive) {
      fc.assert(
        fc.property(composedFrom(pattern), ({ text, intent }) => {
          expect(read(house, text), text).toMatchObject({ intent, score: 1, complete: true })
        }),
        { numRuns: 6 },
      )
    }
  })

  it('means the same with polite words around it', () => {
    fc.assert(
      fc.property(politely, ([before, { text, intent }, after]) => {
        expect(read(house, before + text + after), before + text + after).toMatchObject({ intent, score: 1 })
      }),
      { numRuns: 2000 },
    )
  })

  it('belongs to one intent only', () => {
    const ambiguous = new Set<string>()
    for (const pattern of positive) {
      fc.assert(
        fc.property(composedFrom(pattern), ({ text }) => {
          const names = new Set(
            readAll(house, text)
              .filter(({ score }) => score === 1)
              .map(({ intent }) => intent.name),
          )
          if (names.size > 1) ambiguous.add(`${text}: ${[...names].join(', ')}`)
        }),
        { numRuns: 6 },
      )
    }
    expect([...ambiguous]).toEqual([])
  })

  it('is, cut short anywhere, either complete or waited for', () => {
    fc.assert(
      fc.property(politely, fc.nat(30), ([before, { text }, after], cut) => {
        const words = (before + text + after).split(' ')
        const beginning = words.slice(0, 1 + (cut % words.length)).join(' ')
        const { complete, extendable } = read(house, beginning)
        expect(complete || extendable !== 'no', beginning).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('a beginning after which nothing more is expected', () => {
  it('means what the whole sentence means', () => {
    fc.assert(
      fc.property(composed, fc.nat(30), ({ text, intent }, cut) => {
        const words = text.split(' ')
        const beginning = words.slice(0, 1 + (cut % words.length)).join(' ')
        const reading = read(house, beginning)
        if (reading.complete && reading.extendable === 'no') expect(reading.intent, beginning).toEqual(intent)
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('a damaged sentence', () => {
  it('of a risky command is refused, unless the damage makes another sentence of it', () => {
    for (const sentence of riskySentences) {
      fc.assert(
        fc.property(damage, (how) => {
          const broken = damaged(sentence, how)
          const { name } = read(house, broken).intent
          expect(exactOnly(name), broken).toBe(riskySentences.has(broken))
        }),
        { numRuns: 100 },
      )
    }
    expect(riskySentences.size).toBeGreaterThan(10)
  })

  it('never becomes a risky command', () => {
    fc.assert(
      fc.property(composed, damage, ({ text }, how) => {
        const broken = damaged(text, how)
        if (exactOnly(read(house, broken).intent.name)) expect([...riskySentences]).toContain(broken)
      }),
      { numRuns: 20_000 },
    )
  })

  it('is read as what it was or refused, nearly always, and never with more confidence than an exact one', () => {
    let wrong = 0
    let right = 0
    fc.assert(
      fc.property(composed, damage, ({ text, intent }, how) => {
        const reading = read(house, damaged(text, how))
        if (reading.intent.name === intent.name) right += 1
        else if (reading.intent.name !== 'none' && reading.score < 1) wrong += 1
        expect(reading.score).toBeLessThanOrEqual(1)
        expect(reading.score === 0 || reading.score >= 0.5).toBe(true)
      }),
      { numRuns: 5000, seed: 1 },
    )
    expect(right).toBeGreaterThan(2500)
    expect(wrong).toBeLessThan(50)
  })
})
