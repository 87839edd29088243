/** Short notes, one storage entry for each: those of two nodes that cannot talk are all there when they can. */
import { ask, confirm, count, Invocation, say, sentence, storage } from '../../../sdk/assemblyscript'

const PREFIX = 'note/'
/** More than anybody reads. */
const MOST: i32 = 100
const LONGEST: i32 = 300
/** Notes read aloud at once. */
const MOST_READ: i32 = 5

class Note {
  key: string = ''
  text: string = ''
  place: i32 = 0
}

export function handle(): i32 {
  const invocation = Invocation.read()
  const verb = invocation.verb
  if (verb == 'take') return take(invocation.text('text'))
  if (verb == 'read') return read()
  if (verb == 'find') return find(invocation.text('text'))
  if (verb == 'undo') return undo()
  if (verb == 'clear') return clear(invocation.confirmed)
  return say('I cannot do that with notes.')
}

/** Oldest first. The number in a key grows; where two nodes gave the same one, the texts decide. */
function all(): Note[] {
  const notes: Note[] = []
  const keys = storage.keys(PREFIX)
  for (let i = 0; i < keys.length; i++) {
    const text = storage.get(keys[i])
    if (text === null) continue
    const note = new Note()
    note.key = keys[i]
    note.text = text
    const place = parseInt(keys[i].substring(PREFIX.length))
    note.place = isNaN(place) ? 0 : i32(place)
    notes.push(note)
  }
  notes.sort((a, b) => a.place != b.place ? a.place - b.place : a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  return notes
}

function take(text: string): i32 {
  const words = text.trim().substring(0, LONGEST)
  if (words.length == 0) return ask('text', 'What should I note?')
  const notes = all()
  if (notes.length >= MOST) return say('There are too many notes. Delete some first.')
  const place = notes.length == 0 ? 1 : notes[notes.length - 1].place + 1
  // What follows the number keeps two notes apart that two nodes took at once.
  if (!storage.put(PREFIX + place.toString() + '.' + hash(words).toString(), words)) return say('There is no room for another note.')
  return say('Noted.')
}

function read(): i32 {
  const notes = all()
  if (notes.length == 0) return say('You have no notes.')
  const first = max(0, notes.length - MOST_READ)
  const parts: string[] = []
  for (let i = notes.length - 1; i >= first; i--) parts.push(sentence(notes[i].text) + '.')
  const head = 'You have ' + count(notes.length, 'note') + (first > 0 ? '. The last ones: ' : ': ')
  return say(head + parts.join(' '))
}

function find(words: string): i32 {
  const wanted = words.split(' ')
  const notes = all()
  for (let i = notes.length - 1; i >= 0; i--) if (hasAll(notes[i].text, wanted)) return say(sentence(notes[i].text) + '.')
  return say('You have no note about ' + words + '.')
}

/** Articles tell nothing. */
function hasAll(text: string, wanted: string[]): bool {
  const padded = ' ' + text + ' '
  for (let i = 0; i < wanted.length; i++) {
    const word = wanted[i]
    if (word != 'the' && word != 'a' && word != 'my' && !padded.includes(' ' + word + ' ')) return false
  }
  return true
}

function undo(): i32 {
  const notes = all()
  if (notes.length == 0) return say('You have no notes.')
  const last = notes[notes.length - 1]
  storage.remove(last.key)
  return say('I deleted: ' + last.text + '.')
}

function clear(confirmed: bool): i32 {
  const notes = all()
  if (notes.length == 0) return say('You have no notes.')
  if (!confirmed) return confirm('Shall I delete all your notes?')
  for (let i = 0; i < notes.length; i++) storage.remove(notes[i].key)
  return say('I deleted ' + count(notes.length, 'note') + '.')
}

function hash(text: string): u32 {
  let value: u32 = 2_166_136_261
  for (let i = 0; i < text.length; i++) value = (value ^ u32(text.charCodeAt(i))) * 16_777_619
  return value
}
