import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { readDurations, sayDuration } from '../../../src/skills/intents/durations.ts'
import { readNumbers, sayNumber } from '../../../src/skills/intents/numbers.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

/** The value of exactly these words, if there is one. */
function whole(
  spans: readonly { end: number; value: number }[],
  words: readonly string[],
): number | undefined {
  return spans.find((span) => span.end === words.length)?.value
}

const number = (text: string) => whole(readNumbers(text.split(' '), 0).spans, text.split(' '))
const duration = (text: string) => whole(readDurations(text.split(' '), 0).spans, text.split(' '))

describe('numbers in words', () => {
  it('reads what it says, for every number there is', () => {
    for (let value = 0; value <= 999; value += 1)
      expect(number(sayNumber(value)), sayNumber(value)).toBe(value)
  })

  it.each([
    ['twenty five', 25],
    ['one hundred', 100],
    ['a hundred', 100],
    ['two hundred fifty', 250],
    ['two hundred and fifty one', 251],
  ])('%s is %d', (text, value) => expect(number(text)).toBe(value))

  it.each(['twenty ten', 'five twenty', 'hundred', 'and five', 'twenty zero', 'a', 'zero hundred'])(
    '%s is no number',
    (text) => expect(number(text)).toBeUndefined(),
  )

  it('offers every number that begins at a word, and knows when more may follow', () => {
    expect(readNumbers(['twenty', 'five'], 0).spans.map((span) => span.value)).toEqual([20, 25])
    expect(readNumbers(['twenty'], 0).open).toBe(true)
    expect(readNumbers(['twenty', 'five'], 0).open).toBe(false)
    expect(readNumbers(['one', 'hundred', 'and'], 0).open).toBe(true)
    expect(readNumbers([], 0)).toEqual({ spans: [], open: false })
  })
})

describe('durations in words', () => {
  it.each([
    ['five minutes', 300],
    ['one minute', 60],
    ['a minute', 60],
    ['a second', 1],
    ['an hour', 3600],
    ['half an hour', 1800],
    ['half a minute', 30],
    ['a half hour', 1800],
    ['a quarter of an hour', 900],
    ['quarter of an hour', 900],
    ['three quarters of an hour', 2700],
    ['an hour and a half', 5400],
    ['a minute and a half', 90],
    ['one and a half hours', 5400],
    ['two and a half minutes', 150],
    ['two hours and a half', 9000],
    ['one hour and ten minutes', 4200],
    ['one hour ten minutes', 4200],
    ['one hour ten minutes and five seconds', 4205],
    ['five minutes and ten seconds', 310],
    ['twenty five minutes', 1500],
    ['a couple of minutes', 120],
    ['sixty seconds', 60],
    ['ninety minutes', 5400],
    ['five minute', 300],
  ])('%s is %d seconds', (text, seconds) => expect(duration(text)).toBe(seconds))

  it.each([
    'five',
    'minutes',
    'five seconds and ten minutes',
    'half a second',
    'five minutes and',
    'an hour and a',
  ])('%s is no duration', (text) => expect(duration(text)).toBeUndefined())

  it.each([
    'five',
    'five minutes',
    'five minutes and',
    'an hour and a',
    'half an',
    'two and a half',
    'a quarter of',
  ])('%s may go on', (text) => expect(readDurations(text.split(' '), 0).open).toBe(true))

  it.each(['ten seconds', 'half an hour', 'two and a half minutes', 'five lights'])('%s may not', (text) =>
    expect(readDurations(text.split(' '), 0).open).toBe(false),
  )

  it('reads what it says, for every duration up to 999 hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 * 3600 + 3599 }), (seconds) => {
        expect(duration(sayDuration(seconds))).toBe(seconds)
      }),
    )
  })

  it.each([
    [0, 'zero seconds'],
    [1, 'one second'],
    [59.6, 'one minute'],
    [90, 'one minute and thirty seconds'],
    [4200, 'one hour and ten minutes'],
    [4205, 'one hour ten minutes and five seconds'],
    [-5, 'zero seconds'],
  ])('%d is said "%s"', (seconds, text) => expect(sayDuration(seconds)).toBe(text))
})
