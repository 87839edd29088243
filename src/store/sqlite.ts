/** What everybody needs who opens SQLite as Node has it: its errors as those of the store, a look at a file's structure, and locks, which Node has not. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { StoreDamaged, StoreFull, StoreIoError } from './errors.ts'

// Primary result codes, https://sqlite.org/rescode.html
const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

const codeOf = (thrown: unknown): number =>
  typeof thrown === 'object' && thrown !== null && 'errcode' in thrown ? Number(thrown.errcode) & 0xff : 0

/** Errors of SQLite as those of the store. */
export function guarded<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw classified(file, thrown)
  }
}

function classified(file: string, thrown: unknown): unknown {
  const code = codeOf(thrown)
  if (code === 0) return thrown
  if (code === SQLITE_FULL) return new StoreFull()
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    const detail = code === SQLITE_NOTADB ? 'it is not a database' : 'its structure is broken'
    return new StoreDamaged(file, detail, thrown)
  }
  if (code === SQLITE_READONLY) return new StoreIoError('the file may not be written', thrown)
  return new StoreIoError(`SQLite error ${code}`, thrown)
}

/** Bit rot shows here rather than in the middle of a conversation. About 1 ms per MB. */
export function checkPages(sqlite: DatabaseSync, file: string): void {
  const found = sqlite.prepare('PRAGMA quick_check(1)').get() as Record<string, SQLInputValue> | undefined
  const verdict = String(Object.values(found ?? {})[0])
  if (verdict !== 'ok') throw new StoreDamaged(file, 'its structure is broken')
}

/**
 * Holds a side file so that no other process can: an open exclusive transaction, freed by the system however this process ends.
 * Undefined when another process holds it. Errors: `store-*`.
 */
export function holdLock(file: string): { release(): void } | undefined {
  const sqlite = new DatabaseSync(file)
  try {
    sqlite.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;')
    return { release: () => sqlite.close() }
  } catch (thrown) {
    sqlite.close()
    if (codeOf(thrown) === SQLITE_BUSY) return undefined
    throw classified(file, thrown)
  }
}
