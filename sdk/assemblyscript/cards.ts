/** Shows something without having been asked, where there is a screen. */
import { card_update } from './imports'
import { quote } from './json'
import { give } from './text'

/** `json` is the card, an object. Empty room: everywhere. False: too many in one call. */
export function show(json: string, room: string = ''): bool {
  return card_update(give('{"card":' + json + ',"room":' + quote(room) + '}')) == 0
}
