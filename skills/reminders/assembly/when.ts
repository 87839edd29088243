/**
 * When a moment is that was said: `+1 08:00?` and its like, as the node hands them over. Hours are those of the wall clock now: a
 * reminder that crosses the night in which clocks are turned rings by the hour it was set in.
 */
import { clock, numberWords } from '../../../sdk/assemblyscript'
import { clock_now } from '../../../sdk/assemblyscript/imports'

const DAY_MINUTES: i32 = 1_440
const WEEK_MINUTES: i32 = 10_080
/** Where only a day was said. */
const MORNING: i32 = 9 * 60
const WEEKDAYS: string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const DAY_NAMES: string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

export class Due {
  /** −1: it has passed, or is more than a week away. */
  delay_ms: i64 = -1
  /** "tomorrow at eight in the morning". */
  words: string = ''
}

export function dueAt(moment: string): Due {
  const now = clock.local()
  const minuteNow = now.hour * 60 + now.minute
  const parts = moment.split(' ')
  const first = parts[0]
  const hasDay = !first.includes(':')
  const time = hasDay ? (parts.length > 1 ? parts[1] : '') : first
  const minute = time.length == 0 ? MORNING : i32(parseInt(time.substring(0, 2))) * 60 + i32(parseInt(time.substring(3, 5)))
  const open = time.endsWith('?')

  let days = 0
  let at = minute
  if (!hasDay) {
    at = soonest(minute, open, minuteNow)
    if (at <= minuteNow) days = 1
    if (days == 1) at = minute
  } else if (first.startsWith('+')) {
    days = i32(parseInt(first.substring(1)))
    at = days == 0 ? soonest(minute, open, minuteNow) : likely(minute, open)
  } else {
    at = likely(minute, open)
    days = (WEEKDAYS.indexOf(first) - now.weekday + 7) % 7
    if (days == 0 && at <= minuteNow) days = 7
  }

  const due = new Due()
  const left = days * DAY_MINUTES + at - minuteNow
  if (left <= 0 || left > WEEK_MINUTES) return due
  due.delay_ms = i64(left) * 60_000 - (clock_now() % 60_000)
  due.words = dayWords(days, (now.weekday + days) % 7) + 'at ' + timeWords(at)
  return due
}

/** The next of both halves of the day that is still to come; the earlier one when none is. */
function soonest(minute: i32, open: bool, now: i32): i32 {
  const half = open ? (minute + 720) % DAY_MINUTES : minute
  const early = min(minute, half)
  const late = max(minute, half)
  if (early > now) return early
  return late > now ? late : minute
}

/** On another day: people are up from seven to seven. */
function likely(minute: i32, open: bool): i32 {
  if (!open) return minute
  const hour = minute / 60
  return hour < 7 ? minute + 720 : minute
}

function dayWords(days: i32, weekday: i32): string {
  if (days == 0) return 'today '
  if (days == 1) return 'tomorrow '
  return 'on ' + DAY_NAMES[weekday] + ' '
}

function timeWords(at: i32): string {
  const hour = at / 60
  const minute = at % 60
  if (minute == 0 && hour == 12) return 'noon'
  if (minute == 0 && hour == 0) return 'midnight'
  const part = hour < 12 ? ' in the morning' : hour < 18 ? ' in the afternoon' : ' in the evening'
  const spoken = numberWords(hour % 12 == 0 ? 12 : hour % 12)
  return spoken + (minute == 0 ? '' : (minute < 10 ? ' oh ' : ' ') + numberWords(minute)) + part
}
