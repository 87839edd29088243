/** One owner for a file or a directory, as long as its process lives: Node has no file locks, SQLite has. */
import { DatabaseSync } from 'node:sqlite'
import { StoreIoError } from './errors.ts'

/** Primary result code, https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5

/**
 * Holds a side file so that no other process can: an open exclusive transaction, freed by the system however this process ends.
 * Undefined when another process holds it. Errors: `store-io`.
 */
export function holdLock(file: string): { release(): void } | undefined {
  const sqlite = new DatabaseSync(file)
  try {
    sqlite.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;')
    return { release: () => sqlite.close() }
  } catch (thrown) {
    sqlite.close()
    const code =
      typeof thrown === 'object' && thrown !== null && 'errcode' in thrown ? Number(thrown.errcode) : 0
    if ((code & 0xff) === SQLITE_BUSY) return undefined
    throw new StoreIoError(`SQLite error ${code}`, thrown)
  }
}
