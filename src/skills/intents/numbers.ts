/**
 * Whole numbers in words, zero to 999, both ways.
 *
 * Reading returns every number that begins at a word, because only what follows tells which is meant:
 * in "twenty five" both 20 and 25 begin at the first word.
 */

/** A value found in words[start, end). */
export interface Span<Value> {
  readonly end: number
  readonly value: Value
}

/** All values that begin at one word, shortest first. */
export interface Spans<Value> {
  readonly spans: readonly Span<Value>[]
  /** The words ran out where the value could have gone on ("twenty" … "five"). */
  readonly open: boolean
}

export const MAX_NUMBER = 999

const SMALL = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
]

const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']

const SMALL_VALUES = new Map(SMALL.map((word, value) => [word, value]))
const TENS_VALUES = new Map(TENS.slice(2).map((word, index) => [word, (index + 2) * 10]))

/** Every word a number may contain. */
export const NUMBER_WORDS: readonly string[] = [...SMALL, ...TENS.slice(2), 'hundred', 'a', 'and']

/** `value` is a whole number, 0 … 999: "five", "twenty five", "one hundred and ten". */
export function sayNumber(value: number): string {
  if (value < 20) return SMALL[value] ?? String(value)
  if (value < 100) {
    const rest = value % 10
    const tens = TENS[Math.floor(value / 10)] ?? ''
    return rest === 0 ? tens : `${tens} ${SMALL[rest]}`
  }
  const rest = value % 100
  const hundreds = `${SMALL[Math.floor(value / 100)]} hundred`
  return rest === 0 ? hundreds : `${hundreds} and ${sayNumber(rest)}`
}

/** The numbers that begin at `words[start]`. */
export function readNumbers(words: readonly string[], start: number): Spans<number> {
  const below100 = readBelow100(words, start)
  const hundreds = readHundreds(words, start)
  return {
    spans: [...below100.spans, ...hundreds.spans],
    open: below100.open || hundreds.open,
  }
}

function readBelow100(words: readonly string[], start: number): Spans<number> {
  const word = words[start] ?? ''
  const small = SMALL_VALUES.get(word)
  if (small !== undefined) return { spans: [{ end: start + 1, value: small }], open: false }
  const tens = TENS_VALUES.get(word)
  if (tens === undefined) return { spans: [], open: false }
  const spans = [{ end: start + 1, value: tens }]
  const unit = SMALL_VALUES.get(words[start + 1] ?? '')
  if (unit !== undefined && unit > 0 && unit < 10) spans.push({ end: start + 2, value: tens + unit })
  return { spans, open: start + 1 === words.length }
}

/**
 * "a hundred", "two hundred and fifty". Of bare numbers only "one" counts as an open beginning: nothing in a house
 * goes up to "two hundred", and an open number makes the listener wait.
 */
function readHundreds(words: readonly string[], start: number): Spans<number> {
  const word = words[start] ?? ''
  const count = word === 'a' ? 1 : SMALL_VALUES.get(word)
  if (count === undefined || count === 0 || count > 9 || words[start + 1] !== 'hundred') {
    return { spans: [], open: count === 1 && start + 1 === words.length }
  }
  const hundreds = count * 100
  const after = start + 2
  const rest = readBelow100(words, words[after] === 'and' ? after + 1 : after)
  return {
    spans: [
      { end: after, value: hundreds },
      ...rest.spans
        .filter((span) => span.value > 0)
        .map((span) => ({ end: span.end, value: hundreds + span.value })),
    ],
    open: rest.open || after === words.length || (words[after] === 'and' && after + 1 === words.length),
  }
}
