/** Several timers, with or without a name, and short reminders. They survive restarts and ring aloud. */
import {
  announce, ask, count, DueTimer, durationWords, Invocation, joinWords, numberWords, say, sentence,
  silence,
} from '../../../sdk/assemblyscript'
import { Alarm, all, find, freshId, LONGEST_S, MOST, SHORTEST_S, sweep } from './store'

export function handle(): i32 {
  const invocation = Invocation.read()
  const verb = invocation.verb
  if (verb == 'set') return set(invocation)
  if (verb == 'change') return change(invocation)
  if (verb == 'cancel') return cancel(invocation)
  if (verb == 'cancel_all') return cancelAll()
  if (verb == 'left') return left(invocation)
  if (verb == 'list') return list()
  if (verb == 'extend') return extend(invocation)
  if (verb == 'remind') return remind(invocation)
  if (verb == 'reminders') return reminders()
  return say('I cannot do that with timers.')
}

export function due(): i32 {
  const ringing = DueTimer.read()
  const alarm = find(ringing.timer)
  if (alarm === null) return silence()
  alarm.remove()
  const reminder = alarm.id.startsWith('r')
  announce(ringing.missed ? missedWords(alarm, reminder, ringing.late_ms) : dueWords(alarm, reminder), alarm.room)
  return silence()
}

// — timers —

function set(invocation: Invocation): i32 {
  if (!invocation.has('duration')) return ask('duration', 'For how long?')
  const seconds = i64(invocation.number('duration'))
  if (outOfRange(seconds)) return say('I can set timers from one second to twenty four hours.')
  const timers = all('t')
  const label = invocation.text('name')
  const known = named(timers, label)
  if (known === null && timers.length >= MOST) {
    return say('You already have ' + count(MOST, 'timer') + '. Cancel one first.')
  }
  if (!keep('t', known, label, seconds, invocation)) return say('I have no room for another timer.')
  const again = known === null ? '' : ' again'
  const title = label.length == 0 ? 'Timer' : sentence(label) + ' timer'
  return say(title + ' set' + again + ' for ' + durationWords(seconds) + '.')
}

/** The timer that was just set runs for another time, counted from now. */
function change(invocation: Invocation): i32 {
  if (!invocation.has('duration')) return ask('duration', 'How long shall it run?')
  const seconds = i64(invocation.number('duration'))
  if (outOfRange(seconds)) return say('I can set timers from one second to twenty four hours.')
  const timers = all('t')
  if (timers.length == 0) return say('There is no timer running.')
  const matching = meant(timers, invocation)
  if (matching.length == 0) return say('That timer is not running any more.')
  if (ambiguous(matching)) return askWhich(matching, 'change')
  // Of several alike the one set last is meant: it has the longest to go.
  const timer = matching[matching.length - 1]
  const label = timer.label
  if (!keep('t', timer, label, seconds, invocation)) return say('I have no room for that.')
  const title = label.length == 0 ? 'Timer' : sentence(label) + ' timer'
  return say(title + ' set to ' + durationWords(seconds) + '.')
}

/** By its name, or else by what it was set to. */
function meant(timers: Alarm[], invocation: Invocation): Alarm[] {
  const label = invocation.text('name')
  if (label.length > 0) return withName(timers, label)
  if (!invocation.has('was')) return timers
  return ofLength(timers, i64(invocation.number('was')))
}

function cancel(invocation: Invocation): i32 {
  const timers = all('t')
  if (timers.length == 0) return say('There is no timer running.')
  const matching = chosen(timers, invocation)
  if (matching.length == 0) return say(noneLike(invocation))
  if (ambiguous(matching)) return askWhich(matching, 'cancel')
  const timer = matching[0]
  timer.remove()
  return say(sentence(timer.title()) + ' cancelled.')
}

function cancelAll(): i32 {
  sweep('t')
  const timers = all('t')
  if (timers.length == 0) return say('There is no timer running.')
  for (let i = 0; i < timers.length; i++) timers[i].remove()
  if (timers.length == 1) return say(sentence(timers[0].title()) + ' cancelled.')
  return say((timers.length == 2 ? 'Both timers' : 'All ' + count(timers.length, 'timer')) + ' cancelled.')
}

function left(invocation: Invocation): i32 {
  const timers = all('t')
  if (timers.length == 0) return say('There is no timer running.')
  const matching = chosen(timers, invocation)
  if (matching.length == 0) return say(noneLike(invocation))
  return say(leftWords(matching))
}

function list(): i32 {
  const timers = all('t')
  if (timers.length == 0) return say('There is no timer running.')
  if (timers.length == 1) return say(leftWords(timers))
  return say('You have ' + count(timers.length, 'timer') + '. ' + leftWords(timers))
}

function extend(invocation: Invocation): i32 {
  if (!invocation.has('duration')) return ask('duration', 'How much longer?')
  const timers = all('t')
  if (timers.length == 0) return say('There is no timer running.')
  const label = invocation.text('name')
  const matching = label.length == 0 ? timers : withName(timers, label)
  if (matching.length == 0) return say('There is no ' + label + ' timer.')
  if (ambiguous(matching)) return askWhich(matching, 'extend')
  const timer = matching[0]
  const total = timer.left_s() + i64(invocation.number('duration'))
  if (outOfRange(total)) return say('A timer can run for twenty four hours at most.')
  timer.save(total)
  return say(sentence(timer.title()) + ' extended. It now has ' + durationWords(total) + ' left.')
}

// — reminders —

function remind(invocation: Invocation): i32 {
  const task = invocation.text('task')
  if (task.length == 0) return ask('task', 'What should I remind you of?')
  if (!invocation.has('duration')) return ask('duration', 'In how long?')
  const seconds = i64(invocation.number('duration'))
  if (outOfRange(seconds)) return say('I can remind you in one second to twenty four hours.')
  if (all('r').length >= MOST) return say('You already have ' + count(MOST, 'reminder') + '.')
  if (!keep('r', null, task, seconds, invocation)) return say('I have no room for another reminder.')
  return say('I will remind you to ' + task + ' in ' + durationWords(seconds) + '.')
}

function reminders(): i32 {
  const alarms = all('r')
  if (alarms.length == 0) return say('You have no reminders.')
  const parts: string[] = []
  for (let i = 0; i < min(alarms.length, MOST_READ); i++) {
    parts.push(alarms[i].label + ' in ' + durationWords(alarms[i].left_s()))
  }
  if (alarms.length > MOST_READ) parts.push(numberWords(alarms.length - MOST_READ) + ' more later')
  return say('You have ' + count(alarms.length, 'reminder') + ': ' + joinWords(parts) + '.')
}

// — choosing —

/** Keeps a new alarm, or an old one with a new length. */
function keep(kind: string, known: Alarm | null, label: string, seconds: i64, invocation: Invocation): bool {
  const alarm = known === null ? new Alarm() : known
  if (known === null) alarm.id = freshId(kind)
  alarm.label = label
  alarm.seconds = seconds
  alarm.room = invocation.room
  alarm.session = invocation.session
  return alarm.save(seconds)
}

/** The timers that fit the name or the length that was said; all of them when neither was. */
function chosen(timers: Alarm[], invocation: Invocation): Alarm[] {
  const label = invocation.text('name')
  if (label.length > 0) return withName(timers, label)
  if (!invocation.has('duration')) return timers
  return ofLength(timers, i64(invocation.number('duration')))
}

function ofLength(timers: Alarm[], seconds: i64): Alarm[] {
  const fitting: Alarm[] = []
  for (let i = 0; i < timers.length; i++) if (timers[i].seconds == seconds) fitting.push(timers[i])
  return fitting
}

function withName(timers: Alarm[], label: string): Alarm[] {
  const fitting: Alarm[] = []
  for (let i = 0; i < timers.length; i++) if (timers[i].label == label) fitting.push(timers[i])
  return fitting
}

function named(timers: Alarm[], label: string): Alarm | null {
  if (label.length == 0) return null
  const fitting = withName(timers, label)
  return fitting.length == 0 ? null : fitting[0]
}

/** Timers of the same description are told apart by nobody: the first to ring is meant. */
function ambiguous(timers: Alarm[]): bool {
  for (let i = 1; i < timers.length; i++) if (timers[i].title() != timers[0].title()) return true
  return false
}

/** A name answers the question if any of them has one, a length otherwise. */
function askWhich(timers: Alarm[], verb: string): i32 {
  const titles: string[] = []
  let slot = 'duration'
  for (let i = 0; i < timers.length; i++) {
    const title = 'the ' + timers[i].title()
    if (!titles.includes(title)) titles.push(title)
    if (timers[i].label.length > 0) slot = 'name'
  }
  const which = 'Which timer should I ' + verb + ': '
  return ask(verb == 'extend' || verb == 'change' ? 'name' : slot, which + joinWords(titles, 'or') + '?')
}

function noneLike(invocation: Invocation): string {
  const label = invocation.text('name')
  if (label.length > 0) return 'There is no ' + label + ' timer.'
  return 'There is no timer for ' + durationWords(i64(invocation.number('duration'))) + '.'
}

function outOfRange(seconds: i64): bool {
  return seconds < SHORTEST_S || seconds > LONGEST_S
}

// — words —

/** Nobody listens to more of them. */
const MOST_READ: i32 = 8

/** Those that ring first, and how many more there are. */
function leftWords(timers: Alarm[]): string {
  const parts: string[] = []
  for (let i = 0; i < min(timers.length, MOST_READ); i++) {
    parts.push('Your ' + timers[i].title() + ' has ' + durationWords(timers[i].left_s()) + ' left.')
  }
  const later = timers.length - MOST_READ
  if (later == 1) parts.push('One more rings later.')
  if (later > 1) parts.push(sentence(numberWords(later)) + ' more ring later.')
  return parts.join(' ')
}

function dueWords(alarm: Alarm, reminder: bool): string {
  return reminder ? 'This is your reminder to ' + alarm.label + '.' : 'Your ' + alarm.title() + ' is done.'
}

function missedWords(alarm: Alarm, reminder: bool, late_ms: f64): string {
  const late_s = i64(late_ms / 1_000)
  // Nobody needs the seconds of something that is minutes late.
  const when = late_s < 60 ? 'just now' : durationWords((late_s / 60) * 60) + ' ago'
  if (reminder) return 'While I was away, I should have reminded you to ' + alarm.label + ', ' + when + '.'
  return 'While I was away, your ' + alarm.title() + ' ended, ' + when + '.'
}
