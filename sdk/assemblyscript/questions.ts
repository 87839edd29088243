/** Asks a person without having been asked; yes, no or silence comes later, as `heard` with the same id. */
import { question_ask } from './imports'
import { quote } from './json'
import { give } from './text'
import { speakable } from './words'

/** Empty room: wherever somebody is. False: too many in one call. */
export function put(id: string, speech: string, room: string = '', session: string = ''): bool {
  const json =
    '{"id":' + quote(id) + ',"speech":' + quote(speakable(speech)) + ',"room":' + quote(room) +
    ',"session":' + quote(session) + '}'
  return question_ask(give(json)) == 0
}
