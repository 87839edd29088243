/** Speaks without being asked. */
import { announce as announceImport } from './imports'
import { give } from './text'

/** Empty room: everywhere. False: too long, or too many announcements in one call. */
export function announce(speech: string, room: string = '', session: string = ''): bool {
  return announceImport(give(speech), room.length == 0 ? 0 : give(room), session.length == 0 ? 0 : give(session)) == 0
}
