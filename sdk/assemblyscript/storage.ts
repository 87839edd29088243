/** What the skill remembers between calls: texts by key. Changes count when the call ends well, all or none. */
import { storage_delete, storage_get, storage_list, storage_put } from './imports'
import { give, take, takeLines } from './text'

export function get(key: string): string | null {
  const offset = storage_get(give(key))
  return offset == 0 ? null : take(offset)
}

/** False: the skill's storage is full, or key or value are too long; nothing changed. */
export function put(key: string, value: string): bool {
  return storage_put(give(key), give(value)) == 0
}

export function remove(key: string): void {
  storage_delete(give(key))
}

/** The keys that begin with the prefix, sorted. */
export function keys(prefix: string): string[] {
  return takeLines(storage_list(give(prefix)))
}
