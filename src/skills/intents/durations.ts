/**
 * Durations in words, both ways; the value is whole seconds.
 *
 *   five minutes · a minute · half an hour · a quarter of an hour · two and a half minutes ·
 *   an hour and a half · one hour and ten minutes · one hour ten minutes and five seconds
 */
import { NUMBER_WORDS, readNumbers, type Span, type Spans, sayNumber } from './numbers.ts'

interface Part {
  readonly end: number
  readonly seconds: number
  /** Length of the unit in seconds: a smaller unit may follow a larger one. */
  readonly unit: number
  /** "and a half" was said: no smaller unit follows. */
  readonly halved: boolean
}

const SECOND = 1
const MINUTE = 60
const HOUR = 3600

const UNITS = new Map([
  ['second', SECOND],
  ['seconds', SECOND],
  ['minute', MINUTE],
  ['minutes', MINUTE],
  ['hour', HOUR],
  ['hours', HOUR],
])

/** The largest unit of which a duration is a whole number: the one in which people say it. */
export const unitOf = (seconds: number): number =>
  [HOUR, MINUTE].find((unit) => seconds >= unit && seconds % unit === 0) ?? SECOND

/** Every word a duration may contain. */
export const DURATION_WORDS: readonly string[] = [
  ...NUMBER_WORDS,
  ...UNITS.keys(),
  'an',
  'half',
  'quarter',
  'quarters',
  'couple',
  'of',
]

/** The durations that begin at `words[start]`, shortest first. */
export function readDurations(words: readonly string[], start: number): Spans<number> {
  const reader = new DurationReader(words)
  const spans: Span<number>[] = []
  collect(reader, start, 0, Number.POSITIVE_INFINITY, spans)
  spans.sort((a, b) => a.end - b.end)
  return { spans, open: reader.open }
}

/** Adds the parts at `start` whose unit is smaller than `below`, and what follows each of them. */
function collect(reader: DurationReader, start: number, before: number, below: number, into: Span<number>[]) {
  for (const part of reader.parts(start)) {
    if (part.unit >= below) continue
    const seconds = before + part.seconds
    into.push({ end: part.end, value: seconds })
    if (part.halved || part.unit === SECOND) continue
    const joint = reader.peek(part.end) === 'and' ? part.end + 1 : part.end
    collect(reader, joint, seconds, part.unit, into)
  }
}

/** Reads parts and remembers whether it ever looked for a word behind the last one. */
class DurationReader {
  readonly words: readonly string[]
  open = false

  constructor(words: readonly string[]) {
    this.words = words
  }

  peek(at: number): string {
    const word = this.words[at]
    if (word === undefined) this.open = true
    return word ?? ''
  }

  parts(at: number): Part[] {
    const word = this.peek(at)
    switch (word) {
      case 'half':
        return this.half(at + 1)
      case 'quarter':
        return this.quarters(at + 1, 1)
      case 'a':
      case 'an':
        return [...this.afterArticle(at + 1), ...this.counted(at)]
      default:
        return this.counted(at)
    }
  }

  /** "… an hour", "… a minute", "… hour". */
  private half(at: number): Part[] {
    const article = this.peek(at)
    const place = article === 'a' || article === 'an' ? at + 1 : at
    const unit = UNITS.get(this.peek(place)) ?? 0
    return unit > SECOND ? [{ end: place + 1, seconds: unit / 2, unit, halved: true }] : []
  }

  /** "… of an hour". */
  private quarters(at: number, count: number): Part[] {
    if (this.peek(at) !== 'of' || this.peek(at + 1) !== 'an' || this.peek(at + 2) !== 'hour') return []
    return [{ end: at + 3, seconds: (count * HOUR) / 4, unit: HOUR, halved: true }]
  }

  private afterArticle(at: number): Part[] {
    switch (this.peek(at)) {
      case 'half':
        return this.half(at + 1)
      case 'quarter':
        return this.quarters(at + 1, 1)
      case 'couple':
        return this.peek(at + 1) === 'of' ? this.whole(at + 2, 2) : []
      default:
        return this.whole(at, 1)
    }
  }

  private counted(at: number): Part[] {
    const numbers = readNumbers(this.words, at)
    if (numbers.open) this.open = true
    return numbers.spans.flatMap((number) => {
      switch (this.peek(number.end)) {
        case 'and':
          return this.andAHalf(number.end, number.value)
        case 'quarters':
          return number.value === 3 ? this.quarters(number.end + 1, 3) : []
        default:
          return this.whole(number.end, number.value)
      }
    })
  }

  /** "minutes", "hour and a half": the unit at `at`, `count` times. */
  private whole(at: number, count: number): Part[] {
    const unit = UNITS.get(this.peek(at))
    if (unit === undefined) return []
    const parts = [{ end: at + 1, seconds: count * unit, unit, halved: false }]
    if (unit > SECOND && this.followed(at + 1, HALF_MORE)) {
      parts.push({ end: at + 4, seconds: count * unit + unit / 2, unit, halved: true })
    }
    return parts
  }

  /** "two and a half minutes": the words from "and" on. */
  private andAHalf(at: number, count: number): Part[] {
    if (!this.followed(at, HALF_MORE)) return []
    const unit = UNITS.get(this.peek(at + 3)) ?? 0
    return unit > SECOND ? [{ end: at + 4, seconds: count * unit + unit / 2, unit, halved: true }] : []
  }

  private followed(at: number, expected: readonly string[]): boolean {
    return expected.every((word, index) => this.peek(at + index) === word)
  }
}

const HALF_MORE = ['and', 'a', 'half']

/** `seconds` ≥ 0: "one hour and ten minutes"; fractions are rounded. Beyond 999 hours the hours are digits. */
export function sayDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [
    counted(Math.floor(whole / HOUR), 'hour'),
    counted(Math.floor((whole % HOUR) / MINUTE), 'minute'),
    counted(whole % MINUTE, 'second'),
  ].filter((part) => part !== '')
  const last = parts.pop() ?? 'zero seconds'
  return parts.length === 0 ? last : `${parts.join(' ')} and ${last}`
}

function counted(count: number, unit: string): string {
  if (count === 0) return ''
  return `${sayNumber(count)} ${count === 1 ? unit : `${unit}s`}`
}
