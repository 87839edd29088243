/** The plain store of versions before the household's: read once, to take over what it holds. */
import { DatabaseSync } from 'node:sqlite'

export const FORMER_FILE = 'store.db'

/** Entries with their values as JSON; whatever cannot be read is left out. */
export function readFormerEntries(
  path: string,
): { readonly collection: string; readonly key: string; readonly value: string }[] {
  const sqlite = new DatabaseSync(path)
  try {
    return sqlite
      .prepare("SELECT collection, key, value FROM entries WHERE collection <> 'store' AND json_valid(value)")
      .all()
      .map(({ collection, key, value }) => ({
        collection: String(collection),
        key: String(key),
        value: String(value),
      }))
  } finally {
    sqlite.close()
  }
}
