/** Any text at all is answered: no throw, no runaway, and a verdict that keeps to its contract. */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Reading, read } from '../../src/skills/intents/index.ts'
import { MAX_WORDS } from '../../src/skills/intents/normalise.ts'
import { house } from '../skills/intents/house.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

const words = fc.constantFrom(
  ...house.vocabulary,
  '<unk>',
  'um',
  'xyzzy',
  '999999999999999999',
  '20%',
  '½',
  '3.7',
  '1:99',
)

const hostile = fc.constantFrom(
  '\u0000',
  '\u001b[2J',
  '\ud800',
  '\ufffd',
  '\u202e',
  '\ufdfa',
  'שלום עולם',
  'مرحبا',
  '🏳️‍🌈👩‍👩‍👧‍👦',
  'İ',
  '\u0301\u0301\u0301',
  '{room}',
  '<unk><unk>',
  '[a|b]',
  '__proto__',
  'constructor',
  "''''''",
  '-1e309',
  '٣٤',
)

const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.array(words, { maxLength: 14 }).map((list) => list.join(' ')) },
  {
    weight: 2,
    arbitrary: fc.array(fc.oneof(words, hostile), { maxLength: 90 }).map((list) => list.join(' ')),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
)

const contexts = fc.constantFrom(
  {},
  { expecting: { intent: { name: 'timer.set', slots: {} }, slot: 'duration' } },
  { expecting: { intent: { name: 'list.add', slots: {} }, slot: 'item' } },
  { expecting: { intent: { name: 'gone.away', slots: {} }, slot: 'nothing' } },
  { last: { name: 'light.on', slots: { room: 'kitchen' } } },
  { last: { name: 'gone.away', slots: { room: 'kitchen' } } },
)

function expectContract(reading: Reading, text: string): void {
  expect(reading.score === 0 || (reading.score >= 0.5 && reading.score <= 1), text).toBe(true)
  expect(reading.words).toBeLessThanOrEqual(MAX_WORDS)
  expect(reading.unknown).toBeLessThanOrEqual(reading.words)
  if (reading.intent.name === 'none') {
    expect(reading, text).toMatchObject({ score: 0, complete: false, intent: { slots: {} } })
    return
  }
  const slots = house.intents.get(reading.intent.name)!.slots
  for (const [name, value] of Object.entries(reading.intent.slots)) {
    const definition = slots.get(name)!
    if (definition.type === 'number' || definition.type === 'duration') {
      expect(
        [value].flat().every((one) => Number.isFinite(Number(one))),
        text,
      ).toBe(true)
    } else {
      const listed = house.types.get(definition.type)!.map((spoken) => spoken.value)
      for (const one of [value].flat()) expect(listed, text).toContain(one)
    }
  }
}

describe('any text', () => {
  it('is answered within the contract (20,000 texts)', () => {
    fc.assert(
      fc.property(anyText, contexts, (text, context) => expectContract(read(house, text, context), text)),
      { numRuns: 20_000 },
    )
  })

  it('of a megabyte costs no more than its first words', () => {
    for (const piece of [
      'a',
      'set a timer ',
      '<unk> ',
      '🙂',
      '\u0000',
      '\ufdfa',
      'x'.repeat(5000),
      '9',
      "'",
      '\n',
    ]) {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      const reading = read(house, text)
      expectContract(reading, piece)
      expect(reading.intent.name).toBe('none')
    }
  })

  it('gives the same answer twice', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(read(house, text)).toEqual(read(house, text))
      }),
      { numRuns: 2000 },
    )
  })
})
