/**
 * Text as people type it or recognisers write it → the words the grammar is made of.
 *
 * Lower case, no punctuation, no accents, no control characters; "what's" → "what is", "5" → "five",
 * "20%" → "twenty percent", "colour" → "color". Templates and slot values pass through here too, so both
 * sides of a comparison are spelled alike.
 */
import { sayNumber } from './numbers.ts'

/** Longest text looked at, in UTF-16 code units; the rest is dropped. As long as a turn's text may be. */
export const MAX_TEXT_LENGTH = 4096

/** Words considered. The longest sentence of our templates has about 20; what is longer is a story. */
export const MAX_WORDS = 64

/** Longest word kept whole: the longest English word in ordinary use has 29 letters. */
export const MAX_WORD_LENGTH = 32

/** What the recogniser writes for a word it does not know. */
export const UNKNOWN_WORD = '<unk>'

export interface Words {
  readonly words: readonly string[]
  /** True when text or words beyond the limits were left out. */
  readonly truncated: boolean
}

/** Never throws: any string has words, perhaps none. */
export function normalise(text: string): Words {
  const words: string[] = []
  for (const [token] of cleaned(text).matchAll(TOKEN)) {
    words.push(...spelledOut(token))
    if (words.length > MAX_WORDS) break
  }
  const joined = joinSplit(words)
  return {
    words: joined.slice(0, MAX_WORDS),
    truncated: text.length > MAX_TEXT_LENGTH || joined.length > MAX_WORDS,
  }
}

/**
 * The text as a language model is asked about it: the same cleaning, contractions left as they are spoken. At most
 * `MAX_WORDS` words.
 */
export function plainText(text: string): string {
  const words = [...cleaned(text).matchAll(TOKEN)].flatMap(([token]) =>
    /^[\d%°]/.test(token) ? spelledOut(token) : variant(token),
  )
  return words.slice(0, MAX_WORDS).join(' ')
}

const TOKEN = /<unk>|\d+(?:[.,:]\d+)?(?:(?:min|mins|sec|secs|hr|hrs|s|h|m)\b)?|\p{L}+(?:'\p{L}+)*|[%°]/gu

function cleaned(text: string): string {
  return text
    .slice(0, MAX_TEXT_LENGTH)
    .replace(/(\d?)½/g, (_, whole: string) => (whole === '' ? ' half ' : `${whole}.5 `))
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(/[’ʼ`]/g, "'")
}

function spelledOut(token: string): string[] {
  if (token === UNKNOWN_WORD) return [token]
  if (token === '%') return ['percent']
  if (token === '°') return ['degrees']
  if (/^\d/.test(token)) return digitsSpoken(token)
  return (CONTRACTIONS.get(token) ?? withoutContraction(token)).split(' ').map(variant)
}

/** "5" → five, "1.5" → one and a half, "10:30" → ten thirty, "5min" → five minutes. */
function digitsSpoken(token: string): string[] {
  const [, first = '', mark, second = '', unit] = /^(\d+)(?:([.,:])(\d+))?(\D*)$/.exec(token) ?? []
  const head = numberSpoken(first)
  const tail = unit ? [UNITS_WRITTEN.get(unit) ?? unit] : []
  if (mark === undefined) return [...head, ...tail]
  if (mark === ':') return [...head, ...numberSpoken(second), ...tail]
  if (/^50*$/.test(second)) return [...head, 'and', 'a', 'half', ...tail]
  if (/^0+$/.test(second) && mark === '.') return [...head, ...tail]
  return [...head, 'point', ...numberSpoken(second), ...tail]
}

/** A number beyond what the grammar speaks stays as its digits: a word nobody knows. */
function numberSpoken(digits: string): string[] {
  const value = Number(digits)
  return value <= 999 ? sayNumber(value).split(' ') : [digits.slice(0, MAX_WORD_LENGTH)]
}

/** "it'll" → "it will"; a possessive loses its ending. */
function withoutContraction(word: string): string {
  const mark = word.lastIndexOf("'")
  if (mark < 0) return word
  const stem = word.slice(0, mark).replaceAll("'", '')
  const ending = word.slice(mark + 1)
  if (ending === 't' && stem.endsWith('n')) return `${stem.slice(0, -1)} not`
  const full = ENDINGS.get(ending)
  if (full !== undefined) return `${stem} ${full}`
  if (ending === 's') return QUESTION_WORDS.has(stem) ? `${stem} is` : stem
  return stem + ending
}

const ENDINGS = new Map([
  ['re', 'are'],
  ['ll', 'will'],
  ['ve', 'have'],
  ['d', 'would'],
  ['m', 'am'],
])

const QUESTION_WORDS = new Set(['what', 'how', 'when', 'where', 'who', 'it', 'that', 'there', 'here', 'this'])

/** Whole words, also as they are written in a hurry. */
const CONTRACTIONS = new Map([
  ["let's", 'let us'],
  ["can't", 'can not'],
  ['cannot', 'can not'],
  ["won't", 'will not'],
  ["o'clock", 'oclock'],
  ['whats', 'what is'],
  ['hows', 'how is'],
  ['dont', 'do not'],
  ['cant', 'can not'],
  ['im', 'i am'],
  ['gonna', 'going to'],
  ['wanna', 'want to'],
  ['gimme', 'give me'],
  ['thankyou', 'thank you'],
])

const UNITS_WRITTEN = new Map([
  ['min', 'minutes'],
  ['mins', 'minutes'],
  ['m', 'minutes'],
  ['sec', 'seconds'],
  ['secs', 'seconds'],
  ['s', 'seconds'],
  ['hr', 'hours'],
  ['hrs', 'hours'],
  ['h', 'hours'],
])

function variant(word: string): string {
  return (VARIANTS.get(word) ?? word).slice(0, MAX_WORD_LENGTH)
}

/** British → American, and short forms → the word the templates use. */
const VARIANTS = new Map([
  ['ok', 'okay'],
  ['tv', 'television'],
  ['telly', 'television'],
  ['mum', 'mom'],
  ['mummy', 'mom'],
  ['yoghurt', 'yogurt'],
  ['colour', 'color'],
  ['colours', 'colors'],
  ['favourite', 'favorite'],
  ['grey', 'gray'],
  ['centre', 'center'],
  ['theatre', 'theater'],
  ['programme', 'program'],
  ['litre', 'liter'],
  ['litres', 'liters'],
  ['metre', 'meter'],
  ['metres', 'meters'],
  ['hr', 'hour'],
  ['hrs', 'hours'],
  ['min', 'minutes'],
  ['mins', 'minutes'],
  ['sec', 'seconds'],
  ['secs', 'seconds'],
  ['pct', 'percent'],
])

/** Two written words that the grammar has as one. */
const SPLIT_WORDS = new Map([
  ['per cent', 'percent'],
  ['good bye', 'goodbye'],
  ['tooth paste', 'toothpaste'],
  ['bed room', 'bedroom'],
  ['bath room', 'bathroom'],
  ['hall way', 'hallway'],
  ['thermo stat', 'thermostat'],
])

function joinSplit(words: readonly string[]): string[] {
  const joined: string[] = []
  for (const word of words) {
    const pair = SPLIT_WORDS.get(`${joined.at(-1)} ${word}`)
    if (pair === undefined) joined.push(word)
    else joined[joined.length - 1] = pair
  }
  return joined
}
