/** Speaks without being asked. */
import { announce as announceImport } from './imports'
import { give } from './text'
import { speakable } from './words'

/** Empty room: everywhere. What is too long to listen to is cut. False: too many announcements in one call. */
export function announce(speech: string, room: string = '', session: string = ''): bool {
  return announceImport(give(speakable(speech)), room.length == 0 ? 0 : give(room), session.length == 0 ? 0 : give(session)) == 0
}
