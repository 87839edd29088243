/** Tells the time and the date, in words a voice says well. */
import { clock, Invocation, numberWords, ordinalWords, say } from '../../../sdk/assemblyscript'

const WEEKDAYS: string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS: string[] = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November',
  'December',
]

export function handle(): i32 {
  const verb = Invocation.read().verb
  if (verb == 'time') return say('It is ' + timeWords(clock.local()) + '.')
  if (verb == 'date') return say('Today is ' + dateWords(clock.local()) + '.')
  if (verb == 'tomorrow') return say('Tomorrow is ' + dateWords(clock.local(1)) + '.')
  return say('I can only tell the time and the date.')
}

/** "ten past four in the afternoon", "half past nine in the morning", "midnight". */
function timeWords(time: clock.LocalTime): string {
  const minute = time.minute
  const hour = minute > 30 ? (time.hour + 1) % 24 : time.hour
  const sharp = hour == 0 || hour == 12 ? (hour == 0 ? 'midnight' : 'noon') : hourWords(hour) + partOfDay(hour)
  if (minute == 0) return hour == 0 || hour == 12 ? sharp : hourWords(hour) + " o'clock" + partOfDay(hour)
  if (minute == 30) return 'half past ' + sharp
  return minutesWords(minute < 30 ? minute : 60 - minute) + (minute < 30 ? ' past ' : ' to ') + sharp
}

function minutesWords(minutes: i32): string {
  if (minutes == 15) return 'a quarter'
  if (minutes % 5 == 0) return numberWords(minutes)
  return minutes == 1 ? 'one minute' : numberWords(minutes) + ' minutes'
}

function hourWords(hour: i32): string {
  return numberWords(hour % 12 == 0 ? 12 : hour % 12)
}

function partOfDay(hour: i32): string {
  if (hour < 12) return ' in the morning'
  if (hour < 18) return ' in the afternoon'
  return hour < 22 ? ' in the evening' : ' at night'
}

/** "Saturday, the twenty first of November". */
function dateWords(time: clock.LocalTime): string {
  return WEEKDAYS[time.weekday] + ', the ' + ordinalWords(time.day) + ' of ' + MONTHS[time.month - 1]
}
