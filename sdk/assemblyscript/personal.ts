/** What the skill remembers of the person who speaks, apart from all others. There is none while nobody said who speaks. */
import { personal_delete, personal_get, personal_list, personal_put } from './imports'
import { give, take, takeLines } from './text'

export function get(key: string): string | null {
  const offset = personal_get(give(key))
  return offset == 0 ? null : take(offset)
}

/** False: full, too long, or nobody is known to speak; nothing changed. */
export function put(key: string, value: string): bool {
  return personal_put(give(key), give(value)) == 0
}

export function remove(key: string): void {
  personal_delete(give(key))
}

export function keys(prefix: string): string[] {
  return takeLines(personal_list(give(prefix)))
}
