/** Says something in every room, or in one. */
import { announce, ask, Invocation, say, sentence } from '../../../sdk/assemblyscript'

/** Nobody listens to more across the house. */
const LONGEST: i32 = 300

export function handle(): i32 {
  const invocation = Invocation.read()
  const text = invocation.text('text').trim().substring(0, LONGEST)
  if (text.length == 0) return ask('text', 'What should I say?')
  const room = invocation.verb == 'room' ? invocation.text('room') : ''
  announce(sentence(text) + '.', room)
  return say(room.length == 0 ? 'I said it everywhere.' : 'I said it in the ' + room + '.')
}
