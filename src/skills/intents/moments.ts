/**
 * Points in time as people say them; what they mean depends on when they are said, so the value keeps what was said:
 *
 *   tomorrow at eight          "+1 08:00?"     the half of the day was not said
 *   tomorrow at eight pm       "+1 20:00"
 *   at half past six           "06:30?"        the next time it is
 *   on monday at noon          "mon 12:00"
 *   tonight                    "+0 20:00"
 *   tomorrow                   "+1"            no time of day was said
 *
 * A day, a time of day, or both in either order; "in ten minutes" is a duration.
 */
import { readNumbers, type Span, type Spans } from './numbers.ts'

const WEEKDAYS = new Map([
  ['sunday', 'sun'],
  ['monday', 'mon'],
  ['tuesday', 'tue'],
  ['wednesday', 'wed'],
  ['thursday', 'thu'],
  ['friday', 'fri'],
  ['saturday', 'sat'],
])

/** When a part of the day is meant to be, where nothing else is said: people are up, and at home. */
const PARTS = new Map([
  ['morning', 9],
  ['afternoon', 15],
  ['evening', 19],
  ['night', 21],
])

/** Every word a point in time may contain besides numbers. */
export const MOMENT_WORDS: readonly string[] = [
  ...WEEKDAYS.keys(),
  ...PARTS.keys(),
  ...['today', 'tomorrow', 'tonight', 'noon', 'midnight', 'oclock', 'half', 'quarter', 'past', 'am', 'pm'],
  ...['at', 'on', 'this', 'next', 'in', 'the', 'to'],
]

interface Day {
  /** `+0`, `+1`, `mon` … */
  readonly day: string
  /** An hour its own words give: "tomorrow evening". */
  readonly hour: number | undefined
}

interface Time {
  readonly hour: number
  readonly minute: number
  /** Neither morning nor afternoon was said. */
  readonly open: boolean
}

/** The points in time that begin at `words[start]`, shortest first. */
export function readMoments(words: readonly string[], start: number): Spans<string> {
  const found = new Map<number, string>()
  const note = (end: number, day: Day | undefined, time: Time | undefined): void => {
    found.set(end, said(day, time))
  }
  for (const day of daysAt(words, start)) {
    note(day.end, day.value, undefined)
    for (const time of timesAt(words, day.end)) note(time.end, day.value, time.value)
  }
  for (const time of timesAt(words, start)) {
    note(time.end, undefined, time.value)
    for (const day of daysAt(words, time.end)) note(day.end, day.value, time.value)
  }
  const spans = [...found].map(([end, value]) => ({ end, value })).sort((a, b) => a.end - b.end)
  const last = words.length
  // "tomorrow" … "at eight"; "at" alone is the beginning of one.
  return { spans, open: spans.some(({ end }) => end === last) || (start < last && isBegun(words, start)) }
}

/** Only words that may begin one, and nothing behind them. */
function isBegun(words: readonly string[], start: number): boolean {
  return (
    start === words.length - 1 && ['at', 'on', 'next', 'this', 'half', 'quarter'].includes(words[start] ?? '')
  )
}

function said(day: Day | undefined, time: Time | undefined): string {
  const hour = time === undefined ? day?.hour : hourOf(time, day?.hour)
  const parts = day === undefined ? [] : [day.day]
  if (hour === undefined) return parts.join(' ')
  const open = time?.open === true && day?.hour === undefined
  return [...parts, `${pad(hour)}:${pad(time?.minute ?? 0)}${open ? '?' : ''}`].join(' ')
}

/** "tomorrow evening at eight" is twenty o'clock. */
function hourOf({ hour, open }: Time, part: number | undefined): number {
  return open && part !== undefined && part >= 12 && hour < 12 ? hour + 12 : hour
}

const pad = (value: number): string => String(value).padStart(2, '0')

function daysAt(words: readonly string[], at: number): Span<Day>[] {
  const word = words[at] ?? ''
  if (word === 'tonight') return [{ end: at + 1, value: { day: '+0', hour: 20 } }]
  if (word === 'today') return [{ end: at + 1, value: { day: '+0', hour: undefined } }]
  if (word === 'tomorrow') return withPart(words, at + 1, '+1')
  if (word === 'this') {
    const hour = PARTS.get(words[at + 1] ?? '')
    if (hour !== undefined) return [{ end: at + 2, value: { day: '+0', hour } }]
  }
  const place = word === 'on' || word === 'next' || word === 'this' ? at + 1 : at
  const weekday = WEEKDAYS.get(words[place] ?? '')
  return weekday === undefined ? [] : withPart(words, place + 1, weekday)
}

function withPart(words: readonly string[], end: number, day: string): Span<Day>[] {
  const hour = PARTS.get(words[end] ?? '')
  const bare: Span<Day> = { end, value: { day, hour: undefined } }
  return hour === undefined ? [bare] : [bare, { end: end + 1, value: { day, hour } }]
}

function timesAt(words: readonly string[], start: number): Span<Time>[] {
  const at = words[start] === 'at' ? start + 1 : start
  return clocksAt(words, at, at > start).flatMap((clock) => withHalf(words, clock))
}

/** Times by the clock; a bare number is one only behind "at". */
function clocksAt(words: readonly string[], at: number, announced: boolean): Span<Time>[] {
  const word = words[at] ?? ''
  if (word === 'noon') return [{ end: at + 1, value: { hour: 12, minute: 0, open: false } }]
  if (word === 'midnight') return [{ end: at + 1, value: { hour: 0, minute: 0, open: false } }]
  if (word === 'half' && words[at + 1] === 'past') return shifted(words, at + 2, 30)
  const article = word === 'a' ? 1 : 0
  if (words[at + article] === 'quarter') {
    const [sign, place] = [words[at + article + 1], at + article + 2]
    return sign === 'past' ? shifted(words, place, 15) : sign === 'to' ? shifted(words, place, -15) : []
  }
  return readNumbers(words, at).spans.flatMap(({ end, value }) => [
    ...minutesFrom(words, end, value),
    ...(value > 23 ? [] : hoursFrom(words, end, value, announced)),
  ])
}

/** "ten [minutes] past six". */
function minutesFrom(words: readonly string[], end: number, minutes: number): Span<Time>[] {
  const place = words[end] === 'minutes' || words[end] === 'minute' ? end + 1 : end
  if (minutes < 1 || minutes > 29) return []
  if (words[place] === 'past') return shifted(words, place + 1, minutes)
  return words[place] === 'to' ? shifted(words, place + 1, -minutes) : []
}

/** "eight", "eight oclock", "eight thirty"; a bare one only where it was announced or its half is said. */
function hoursFrom(words: readonly string[], end: number, hour: number, announced: boolean): Span<Time>[] {
  const open = hour > 0 && hour < 13
  if (words[end] === 'oclock') return [{ end: end + 1, value: { hour, minute: 0, open } }]
  const minutes = readNumbers(words, end).spans.filter(({ value }) => value > 0 && value < 60)
  const exact = minutes.map(
    (span): Span<Time> => ({ end: span.end, value: { hour, minute: span.value, open } }),
  )
  const found: Span<Time>[] = [{ end, value: { hour, minute: 0, open } }, ...exact]
  return announced ? found : found.filter((span) => isHalf(words, span.end))
}

/** So many minutes after, or before, the hour that is said here. */
function shifted(words: readonly string[], at: number, minutes: number): Span<Time>[] {
  return readNumbers(words, at).spans.flatMap(({ end, value }) => {
    if (value > 23) return []
    const hour = minutes < 0 ? (value + 23) % 24 : value
    return [{ end, value: { hour, minute: (minutes + 60) % 60, open: value > 0 && value < 13 } }]
  })
}

const isHalf = (words: readonly string[], at: number): boolean => halfAt(words, at) !== undefined

function halfAt(words: readonly string[], at: number): { end: number; late: boolean } | undefined {
  const word = words[at] ?? ''
  if (word === 'am' || word === 'pm') return { end: at + 1, late: word === 'pm' }
  if ((word === 'a' || word === 'p') && words[at + 1] === 'm') return { end: at + 2, late: word === 'p' }
  if (word === 'in' && words[at + 1] === 'the') {
    const part = PARTS.get(words[at + 2] ?? '')
    if (part !== undefined) return { end: at + 3, late: part >= 12 }
  }
  return undefined
}

function withHalf(words: readonly string[], clock: Span<Time>): Span<Time>[] {
  const half = clock.value.open ? halfAt(words, clock.end) : undefined
  if (half === undefined) return [clock]
  const { hour, minute } = clock.value
  return [clock, { end: half.end, value: { hour: (hour % 12) + (half.late ? 12 : 0), minute, open: false } }]
}
