/** The household's shopping list. */
import { ask, confirm, count, Invocation, joinWords, say, sentence } from '../../../sdk/assemblyscript'
import { Items } from './items'

/** Things on the list: nobody carries more home. */
const MOST: i32 = 200
const LONGEST_NAME: i32 = 60
/** Things read aloud at once: nobody remembers more. */
const MOST_READ: i32 = 20

export function handle(): i32 {
  const invocation = Invocation.read()
  const verb = invocation.verb
  if (verb == 'add') return add(invocation.texts('item'))
  if (verb == 'remove') return remove(invocation.texts('item'))
  if (verb == 'read') return read()
  if (verb == 'has') return has(invocation.texts('item'))
  if (verb == 'clear') return clear(invocation.confirmed)
  return say('I cannot do that with the shopping list.')
}

function add(wanted: string[]): i32 {
  if (wanted.length == 0) return ask('item', 'What should I add?')
  const items = Items.load()
  const added: string[] = []
  const known: string[] = []
  for (let i = 0; i < wanted.length; i++) {
    const item = tidy(wanted[i])
    if (item.length == 0 || added.includes(item)) continue
    if (items.has(item)) known.push(item)
    else if (items.names.length >= MOST || !items.add(item)) return full(items, added)
    else added.push(item)
  }
  if (added.length == 0) return say(sentence(areOn(known, 'already on the list')))
  if (known.length == 0) return say('I added ' + joinWords(added) + ' to the shopping list.')
  return say('I added ' + joinWords(added) + '. ' + sentence(areOn(known, 'already on the list')))
}

/** Nothing of what was asked for is kept: half of it would have to be told apart aloud. */
function full(items: Items, added: string[]): i32 {
  for (let i = 0; i < added.length; i++) items.remove(added[i])
  return say('The shopping list is full.')
}

function remove(unwanted: string[]): i32 {
  if (unwanted.length == 0) return ask('item', 'What should I remove?')
  const items = Items.load()
  const removed: string[] = []
  const missing: string[] = []
  for (let i = 0; i < unwanted.length; i++) {
    const item = tidy(unwanted[i])
    if (items.has(item)) {
      items.remove(item)
      removed.push(item)
    } else if (!removed.includes(item)) missing.push(item)
  }
  if (removed.length == 0) return say(sentence(areOn(missing, 'not on the list')))
  if (missing.length == 0) return say('I took ' + joinWords(removed) + ' off the list.')
  return say('I took ' + joinWords(removed) + ' off the list. ' + sentence(areOn(missing, 'not on it')))
}

function read(): i32 {
  const names = Items.load().names
  if (names.length == 0) return say('The shopping list is empty.')
  const verb = names.length == 1 ? 'There is ' : 'There are '
  const counted = verb + count(names.length, 'thing') + ' on the list'
  if (names.length <= MOST_READ) return say(counted + ': ' + joinWords(names) + '.')
  return say(counted + '. The first are: ' + joinWords(names.slice(0, MOST_READ)) + '.')
}

function has(asked: string[]): i32 {
  if (asked.length == 0) return ask('item', 'What should I look for?')
  const items = Items.load()
  const found: string[] = []
  const missing: string[] = []
  for (let i = 0; i < asked.length; i++) {
    const item = tidy(asked[i])
    if (items.has(item)) found.push(item)
    else missing.push(item)
  }
  if (missing.length == 0) return say('Yes, ' + areOn(found, 'on the list'))
  const no = 'No, ' + areOn(missing, 'not on the list')
  return say(found.length == 0 ? no : no + ' ' + sentence(areOn(found, 'on it')))
}

function clear(confirmed: bool): i32 {
  const items = Items.load()
  if (items.names.length == 0) return say('The shopping list is already empty.')
  if (!confirmed) return confirm('Shall I clear the shopping list?')
  items.clear()
  return say('The shopping list is empty now.')
}

function tidy(item: string): string {
  const name = item.replaceAll('\n', ' ').trim().toLowerCase().substring(0, LONGEST_NAME)
  // Not the first half of a character that takes two.
  const last = name.length == 0 ? 0 : name.charCodeAt(name.length - 1)
  return last >= 0xd800 && last < 0xdc00 ? name.substring(0, name.length - 1) : name
}

/** "milk is already on the list.", "eggs and milk are …". */
function areOn(items: string[], where: string): string {
  const many = items.length > 1 || (items.length == 1 && items[0].endsWith('s'))
  return joinWords(items) + (many ? ' are ' : ' is ') + where + '.'
}
