/** Reminders at a time of day. Each is a timer and a storage entry of the same name. */
import {
  announce, ask, confirm, count, DueTimer, durationWords, Invocation, joinWords, random, say, sentence, silence, storage, timers,
} from '../../../sdk/assemblyscript'
import { Due, dueAt } from './when'

const PREFIX = 'reminder/'
/** As many as a person keeps in mind that there are. */
const MOST: i32 = 50
const LONGEST: i32 = 200
/** Read aloud at once. */
const MOST_READ: i32 = 6

export function handle(): i32 {
  const invocation = Invocation.read()
  const verb = invocation.verb
  if (verb == 'set') return set(invocation)
  if (verb == 'list') return list()
  if (verb == 'cancel') return cancel(invocation.text('text'))
  if (verb == 'clear') return clear(invocation.confirmed)
  return say('I cannot do that with reminders.')
}

export function due(): i32 {
  const ringing = DueTimer.read()
  const text = storage.get(ringing.timer)
  storage.remove(ringing.timer)
  if (text === null) return silence()
  announce(ringing.missed ? 'I was away when it was time: ' + text + '.' : 'You wanted to be reminded: ' + text + '.')
  return silence()
}

function set(invocation: Invocation): i32 {
  const text = invocation.text('text').trim().substring(0, LONGEST)
  if (text.length == 0) return ask('text', 'What should I remind you of?')
  const seconds = invocation.number('duration')
  const when = invocation.text('when')
  if (seconds <= 0 && when.length == 0) return ask('when', 'When?')
  const due = seconds > 0 ? dueIn(seconds) : dueAt(when)
  if (due.delay_ms < 0) return say('That has passed, or is more than a week away.')
  if (storage.keys(PREFIX).length >= MOST) return say('There are too many reminders. Cancel some first.')
  const key = PREFIX + random.name()
  if (!timers.set(key, due.delay_ms) || !storage.put(key, text)) return say('I cannot keep another reminder.')
  return say('I will remind you ' + due.words + ' to ' + text + '.')
}

function dueIn(seconds: f64): Due {
  const due = new Due()
  if (seconds > 604_800) return due
  due.delay_ms = i64(seconds) * 1_000
  due.words = 'in ' + durationWords(i64(seconds))
  return due
}

/** Those that come first, first. */
function pending(): string[] {
  const keys = storage.keys(PREFIX)
  keys.sort((a, b) => i32(timers.left(a) > timers.left(b)) - i32(timers.left(a) < timers.left(b)))
  return keys
}

function list(): i32 {
  const keys = pending()
  if (keys.length == 0) return say('There is nothing to remind you of.')
  const texts: string[] = []
  for (let i = 0; i < min(keys.length, MOST_READ); i++) {
    const text = storage.get(keys[i])
    if (text !== null) texts.push(text)
  }
  return say('You have ' + count(keys.length, 'reminder') + ': ' + joinWords(texts) + '.')
}

function cancel(text: string): i32 {
  const wanted = text.trim()
  const keys = pending()
  for (let i = 0; i < keys.length; i++) {
    const kept = storage.get(keys[i])
    if (kept === null || !(' ' + kept + ' ').includes(' ' + wanted + ' ')) continue
    storage.remove(keys[i])
    timers.cancel(keys[i])
    return say('I will not remind you to ' + kept + '.')
  }
  return say('There is no reminder to ' + wanted + '.')
}

function clear(confirmed: bool): i32 {
  const keys = pending()
  if (keys.length == 0) return say('There is nothing to remind you of.')
  if (!confirmed) return confirm('Shall I forget all reminders?')
  for (let i = 0; i < keys.length; i++) {
    storage.remove(keys[i])
    timers.cancel(keys[i])
  }
  return say(sentence('I forgot ' + count(keys.length, 'reminder') + '.'))
}
