/**
 * The store's file, as plain calls that return when the work is done. Of node:sqlite it and `timeline/timeline-file.ts` are
 * the only importers. Used from the
 * store's thread, since a durable commit waits for the disk: 0.2 ms on a good one, 50 ms on a memory card.
 *
 * Write-ahead log with `synchronous=FULL`: a commit returns when its bytes are on the disk. A half-written commit is
 * dropped by the next open. Every entry carries a checksum: a rotten one is reported, never handed out.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { StoreDamaged, StoreFull, StoreIoError, StoreTooNew } from './errors.ts'
import type { StoredChange, StoredEntry } from './messages.ts'

/**
 * Schema versions, append only:
 * 1 — `meta(key, value)`, `entries(collection, key, value, sum)`.
 */
export const SCHEMA_VERSION = 1

const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 2000;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
`
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS entries (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT, WITHOUT ROWID;
`

export interface Database {
  list(collection: string, prefix: string, limit: number): StoredEntry[]
  get(collection: string, key: string): StoredEntry | undefined
  /** All changes in one durable transaction. Errors: `StoreFull`, `StoreIoError`, `StoreDamaged`; nothing changed then. */
  apply(changes: readonly StoredChange[]): void
  close(): void
}

export interface DatabaseOptions {
  /** Most pages (4 KiB) the file may take: how tests fill the disk. */
  readonly max_pages?: number
}

/** Errors: `StoreDamaged`, `StoreTooNew`, `StoreFull`, `StoreIoError`. */
export function openDatabase(file: string, options: DatabaseOptions = {}): Database {
  return guarded(file, () => {
    const sqlite = new DatabaseSync(file)
    try {
      sqlite.exec(PRAGMAS)
      checkPages(sqlite, file)
      migrate(sqlite, file)
      if (options.max_pages !== undefined) sqlite.exec(`PRAGMA max_page_count = ${options.max_pages}`)
      return new SqliteDatabase(sqlite, file)
    } catch (thrown) {
      sqlite.close()
      throw thrown
    }
  })
}

/**
 * Holds the side file of a data directory so that no other process can: an open exclusive transaction, freed by the
 * system however this process ends (Node has no file locks). Undefined when another process holds it.
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

class SqliteDatabase implements Database {
  readonly #sqlite: DatabaseSync
  readonly #file: string
  readonly #list: StatementSync
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync

  constructor(sqlite: DatabaseSync, file: string) {
    this.#sqlite = sqlite
    this.#file = file
    this.#list = sqlite.prepare(
      'SELECT key, value, sum FROM entries WHERE collection = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?',
    )
    this.#get = sqlite.prepare('SELECT key, value, sum FROM entries WHERE collection = ? AND key = ?')
    this.#put = sqlite.prepare(
      'INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, sum = excluded.sum',
    )
    this.#delete = sqlite.prepare('DELETE FROM entries WHERE collection = ? AND key = ?')
  }

  list(collection: string, prefix: string, limit: number): StoredEntry[] {
    const length = [...prefix].length
    return guarded(this.#file, () =>
      this.#list.all(collection, prefix, length, prefix, limit).map((row) => this.#entry(collection, row)),
    )
  }

  get(collection: string, key: string): StoredEntry | undefined {
    return guarded(this.#file, () => {
      const row = this.#get.get(collection, key)
      return row === undefined ? undefined : this.#entry(collection, row)
    })
  }

  apply(changes: readonly StoredChange[]): void {
    guarded(this.#file, () => {
      this.#sqlite.exec('BEGIN IMMEDIATE')
      try {
        for (const change of changes) this.#change(change)
        this.#sqlite.exec('COMMIT')
      } catch (thrown) {
        // SQLite itself has rolled back after some errors.
        if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK')
        throw thrown
      }
    })
  }

  close(): void {
    guarded(this.#file, () => this.#sqlite.close())
  }

  #change({ collection, key, value }: StoredChange): void {
    if (value === undefined) this.#delete.run(collection, key)
    else this.#put.run(collection, key, value, checksum(collection, key, value))
  }

  #entry(collection: string, row: Record<string, unknown>): StoredEntry {
    const { key, value, sum } = row as unknown as { key: string; value: string; sum: number }
    if (sum !== checksum(collection, key, value)) {
      throw new StoreDamaged(this.#file, `an entry of ${collection} does not match its checksum`)
    }
    return { key, value }
  }
}

const checksum = (collection: string, key: string, value: string): number =>
  crc32(`${collection}\u0000${key}\u0000${value}`)

/** Bit rot shows here rather than in the middle of a conversation. About 1 ms per MB. */
export function checkPages(sqlite: DatabaseSync, file: string): void {
  const found = sqlite.prepare('PRAGMA quick_check(1)').get() as Record<string, SQLInputValue> | undefined
  const verdict = String(Object.values(found ?? {})[0])
  if (verdict !== 'ok') throw new StoreDamaged(file, 'its structure is broken')
}

function migrate(sqlite: DatabaseSync, file: string): void {
  sqlite.exec(SCHEMA)
  const row = sqlite.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()
  const version = row === undefined ? undefined : Number(row.value)
  if (version === undefined) {
    sqlite.prepare("INSERT INTO meta VALUES ('schema_version', ?)").run(String(SCHEMA_VERSION))
  } else if (version > SCHEMA_VERSION) {
    throw new StoreTooNew(file, version, SCHEMA_VERSION)
  }
}

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
    return new StoreDamaged(
      file,
      code === SQLITE_NOTADB ? 'it is not a database' : 'its structure is broken',
      thrown,
    )
  }
  if (code === SQLITE_READONLY) return new StoreIoError('the file may not be written', thrown)
  return new StoreIoError(`SQLite error ${code}`, thrown)
}
