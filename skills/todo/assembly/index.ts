/** The household's to-do list: one entry for each thing, so that what two nodes add apart is all there when they meet. */
import { ask, confirm, count, Invocation, joinWords, say, sentence, storage } from '../../../sdk/assemblyscript'

const PREFIX = 'todo/'
/** Nobody gets more done. */
const MOST: i32 = 100
const LONGEST: i32 = 100
/** Things read aloud at once. */
const MOST_READ: i32 = 10

class Todo {
  name: string = ''
  place: i32 = 0
}

export function handle(): i32 {
  const invocation = Invocation.read()
  const verb = invocation.verb
  if (verb == 'add') return add(tidy(invocation.text('text')))
  if (verb == 'read') return read()
  if (verb == 'done') return done(tidy(invocation.text('text')))
  if (verb == 'clear') return clear(invocation.confirmed)
  return say('I cannot do that with the to-do list.')
}

function all(): Todo[] {
  const todos: Todo[] = []
  const keys = storage.keys(PREFIX)
  for (let i = 0; i < keys.length; i++) {
    const place = storage.get(keys[i])
    if (place === null) continue
    const todo = new Todo()
    todo.name = keys[i].substring(PREFIX.length)
    const number = parseInt(place)
    todo.place = isNaN(number) ? 0 : i32(number)
    todos.push(todo)
  }
  todos.sort((a, b) => a.place != b.place ? a.place - b.place : a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  return todos
}

function add(text: string): i32 {
  if (text.length == 0) return ask('text', 'What should I add?')
  const todos = all()
  for (let i = 0; i < todos.length; i++) if (todos[i].name == text) return say('That is on the to-do list already.')
  const place = todos.length == 0 ? 1 : todos[todos.length - 1].place + 1
  if (todos.length >= MOST || !storage.put(PREFIX + text, place.toString())) return say('The to-do list is full.')
  return say('I added ' + text + ' to the to-do list.')
}

function read(): i32 {
  const todos = all()
  if (todos.length == 0) return say('There is nothing to do.')
  const names: string[] = []
  for (let i = 0; i < min(todos.length, MOST_READ); i++) names.push(todos[i].name)
  const head = (todos.length == 1 ? 'There is ' : 'There are ') + count(todos.length, 'thing') + ' to do'
  return say(head + (todos.length > MOST_READ ? '. The first are: ' : ': ') + joinWords(names) + '.')
}

/** The thing named so, or the only one with all its words. */
function done(text: string): i32 {
  if (text.length == 0) return ask('text', 'What is done?')
  const todos = all()
  const found: string[] = []
  for (let i = 0; i < todos.length; i++) {
    if (todos[i].name == text) {
      storage.remove(PREFIX + text)
      return say(sentence(text) + ' is done.')
    }
    if ((' ' + todos[i].name + ' ').includes(' ' + text + ' ')) found.push(todos[i].name)
  }
  if (found.length == 0) return say(sentence(text) + ' is not on the to-do list.')
  if (found.length > 1) return ask('text', 'Which one: ' + joinWords(found.slice(0, 4), 'or') + '?')
  storage.remove(PREFIX + found[0])
  return say(sentence(found[0]) + ' is done.')
}

function clear(confirmed: bool): i32 {
  const todos = all()
  if (todos.length == 0) return say('There is nothing to do.')
  if (!confirmed) return confirm('Shall I clear the to-do list?')
  for (let i = 0; i < todos.length; i++) storage.remove(PREFIX + todos[i].name)
  return say('The to-do list is empty now.')
}

function tidy(text: string): string {
  return text.replaceAll('\n', ' ').trim().toLowerCase().substring(0, LONGEST).trim()
}
