/**
 * The file of the timelines, as plain calls that return when the work is durable; used from their thread.
 *
 * Each timeline has a random key of its own, kept sealed by the node's; each event is sealed with that key, bound to its place. To erase is to
 * delete the key, and then the rest: `secure_delete` writes zeros over it in the file, and the log is emptied at once, since an old key in it
 * would open what a copy of the file still holds. Nothing in the file is readable but times and sizes.
 *
 * A conversation does not outlive its process: what is left of scope `session` when the file is opened is erased before anything else.
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { assert, type Random } from '../../host/index.ts'
import { StoreKeyWrong } from '../crdt/errors.ts'
import { gcmSealers, KEY_BYTES, NONCE_BYTES, SALT_BYTES, type Sealer, TAG_BYTES } from '../crdt/seal.ts'
import { StoreDamaged, StoreTooNew } from '../errors.ts'
import { checkPages, guarded } from '../sqlite.ts'
import {
  type Erased,
  headSchema,
  isSelected,
  type KeptTimeline,
  type Selection,
  type TimelineHead,
} from './events.ts'
import type { Appended } from './messages.ts'

/** Schema versions, append only. 1: `meta`, `timelines`, `events`, `erasures`. */
const SCHEMA_VERSION = 1
/** Events of one timeline: some thousand turns. Beyond, the oldest go. */
export const MAX_TIMELINE_BYTES = 1024 * 1024
/** Timelines kept; beyond, those that ended first go. As many as a person looks through. */
export const MAX_TIMELINES = 1_000

const PRAGMAS = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA busy_timeout = 2000;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
`
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS timelines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    head BLOB NOT NULL,
    ended_at INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    timeline INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (timeline, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS erasures (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`

interface Kept {
  readonly id: number
  readonly head: TimelineHead
  readonly sealer: Sealer
  ended_at: number | undefined
  seq: number
  events: number
  bytes: number
}

export interface TimelineFileOptions {
  readonly key: Uint8Array
  readonly random: Random
  readonly max_pages?: number | undefined
}

/** Errors: `store-key-wrong`, `store-damaged`, `store-too-new`, `store-full`, `store-io`. */
export function openTimelineFile(file: string, options: TimelineFileOptions): TimelineFile {
  return guarded(file, () => {
    const sqlite = new DatabaseSync(file)
    try {
      sqlite.exec(PRAGMAS)
      checkPages(sqlite, file)
      sqlite.exec(SCHEMA)
      if (options.max_pages !== undefined) sqlite.exec(`PRAGMA max_page_count = ${options.max_pages}`)
      return new TimelineFile(sqlite, file, options)
    } catch (thrown) {
      sqlite.close()
      throw thrown
    }
  })
}

export class TimelineFile {
  readonly #sqlite: DatabaseSync
  readonly #file: string
  readonly #random: Random
  readonly #keys: Sealer
  readonly #heads: Sealer
  readonly #append: StatementSync
  /** By id, oldest first. */
  #kept = new Map<number, Kept>()

  constructor(sqlite: DatabaseSync, file: string, { key, random }: TimelineFileOptions) {
    this.#sqlite = sqlite
    this.#file = file
    this.#random = random
    const sealers = gcmSealers(key, random)(this.#salt())
    this.#checkKey(sealers.check)
    this.#keys = sealers.sealer('timeline key')
    this.#heads = sealers.sealer('timeline head')
    this.#append = sqlite.prepare('INSERT INTO events VALUES (?, ?, ?, ?)')
    for (const row of sqlite.prepare('SELECT * FROM timelines ORDER BY id').all()) this.#load(row)
    this.#erase([...this.#kept.values()].filter(({ head }) => head.scope !== 'persistent'))
    this.#endLeftOver()
  }

  erasures(): readonly string[] {
    return this.#sqlite
      .prepare('SELECT id FROM erasures')
      .all()
      .map(({ id }) => String(id))
  }

  /** All events in one durable transaction. Errors: `store-full`, `store-io`; nothing of it is there then. */
  append(events: readonly Appended[]): void {
    const before = new Map([...this.#kept].map(([id, kept]) => [id, { ...kept }]))
    try {
      this.#transaction(() => {
        for (const event of events) this.#one(event)
        for (const kept of this.#kept.values()) if (kept.bytes > MAX_TIMELINE_BYTES) this.#dropOldest(kept)
      })
    } catch (thrown) {
      this.#kept = before
      throw thrown
    }
    const ended = [...this.#kept.values()].filter(({ ended_at }) => ended_at !== undefined)
    this.#erase(ended.slice(0, Math.max(0, this.#kept.size - MAX_TIMELINES)))
  }

  list(): readonly KeptTimeline[] {
    return [...this.#kept.values()].map(({ head, ended_at, events, bytes }) => ({
      ...head,
      ended_at,
      events,
      bytes,
    }))
  }

  /** Of all conversations of that name, in order. Errors: `store-damaged` for an event that does not open. */
  read(session: string): readonly string[] {
    return guarded(this.#file, () =>
      this.#selected({ session }).flatMap(({ id, sealer }) => {
        const rows = this.#sqlite
          .prepare('SELECT seq, sealed FROM events WHERE timeline = ? ORDER BY seq')
          .all(id)
        // Only the oldest are ever dropped: a hole is damage.
        const isWhole = rows.every(({ seq }, i) => i === 0 || Number(seq) === Number(rows[i - 1]!.seq) + 1)
        if (!isWhole) throw new StoreDamaged(this.#file, 'events of a timeline are missing')
        return rows.map(({ seq, sealed }) => textOf(this.#opened(sealer, sealed, placeOf(id, Number(seq)))))
      }),
    )
  }

  end(session: string, at: number): void {
    const ended = this.#selected({ session }).filter(({ ended_at }) => ended_at === undefined)
    this.#transaction(() => {
      for (const kept of ended) this.#end(kept, at)
    })
  }

  erase(
    which: Selection,
    options: { living?: boolean | undefined; erasure?: string | undefined } = {},
  ): Erased {
    const selected = this.#selected(which)
    const chosen = options.living ? selected.filter(({ ended_at }) => ended_at === undefined) : selected
    return this.#erase(chosen, options.erasure)
  }

  prune(ended: number, noted: number): Erased {
    const old = this.#sqlite.prepare('SELECT DISTINCT timeline AS id FROM events WHERE at < ?').all(noted)
    this.#transaction(() => {
      for (const { id } of old) {
        const kept = this.#kept.get(Number(id))
        // Those with consent are kept as whole as they are.
        if (kept !== undefined && kept.head.scope !== 'persistent') this.#dropBefore(kept, noted)
      }
    })
    const over = [...this.#kept.values()].filter(({ ended_at }) => ended_at !== undefined && ended_at < ended)
    return this.#erase(over)
  }

  close(): void {
    guarded(this.#file, () => this.#sqlite.close())
  }

  #one({ head, at, text }: Appended): void {
    const kept = this.#living(head) ?? this.#begin(head)
    const sealed = joined(kept.sealer, Buffer.from(text), placeOf(kept.id, kept.seq))
    this.#append.run(kept.id, kept.seq, Math.round(at), sealed)
    kept.seq += 1
    kept.events += 1
    kept.bytes += sealed.length
  }

  #living({ session }: TimelineHead): Kept | undefined {
    return this.#selected({ session }).findLast(({ ended_at }) => ended_at === undefined)
  }

  #begin(head: TimelineHead): Kept {
    const key = this.#random.bytes(KEY_BYTES)
    const { lastInsertRowid } = this.#sqlite
      .prepare("INSERT INTO timelines (key, head) VALUES (x'', x'')")
      .run()
    const id = Number(lastInsertRowid)
    this.#sqlite
      .prepare('UPDATE timelines SET key = ?, head = ? WHERE id = ?')
      .run(
        joined(this.#keys, key, placeOf(id, 0)),
        joined(this.#heads, Buffer.from(JSON.stringify(head)), placeOf(id, 0)),
        id,
      )
    const kept = { id, head, sealer: this.#sealer(key), ended_at: undefined, seq: 1, events: 0, bytes: 0 }
    this.#kept.set(id, kept)
    return kept
  }

  #load(row: Record<string, SQLOutputValue>): void {
    const id = Number(row.id)
    const key = this.#opened(this.#keys, row.key, placeOf(id, 0))
    const head = headSchema.parse(JSON.parse(textOf(this.#opened(this.#heads, row.head, placeOf(id, 0)))))
    const { events, bytes, last } = this.#sqlite
      .prepare(
        'SELECT count(*) AS events, total(length(sealed)) AS bytes, coalesce(max(seq), 0) AS last FROM events WHERE timeline = ?',
      )
      .get(id)!
    this.#kept.set(id, {
      id,
      head,
      sealer: this.#sealer(key),
      ended_at: row.ended_at === null ? undefined : Number(row.ended_at),
      seq: Number(last) + 1,
      events: Number(events),
      bytes: Number(bytes),
    })
  }

  /** Their process ended without saying so: with their last event. */
  #endLeftOver(): void {
    const last = this.#sqlite.prepare('SELECT max(at) AS at FROM events WHERE timeline = ?')
    this.#transaction(() => {
      for (const kept of this.#kept.values()) {
        if (kept.ended_at === undefined)
          this.#end(kept, Number(last.get(kept.id)?.at ?? kept.head.started_at))
      }
    })
  }

  #end(kept: Kept, at: number): void {
    const ended_at = Math.round(at)
    this.#sqlite.prepare('UPDATE timelines SET ended_at = ? WHERE id = ?').run(ended_at, kept.id)
    kept.ended_at = ended_at
  }

  #dropOldest(kept: Kept): void {
    // A quarter at once, so that it is not done for every event.
    const rows = this.#sqlite
      .prepare('SELECT seq, length(sealed) AS bytes FROM events WHERE timeline = ? ORDER BY seq')
      .all(kept.id)
    let left = kept.bytes
    let upTo = 0
    for (const { seq, bytes } of rows) {
      if (left <= (MAX_TIMELINE_BYTES * 3) / 4) break
      left -= Number(bytes)
      upTo = Number(seq)
    }
    this.#dropUpTo(kept, upTo)
  }

  /** From the beginning up to the first that is newer: a clock that was set back must not tear a hole. */
  #dropBefore(kept: Kept, at: number): void {
    const { first } = this.#sqlite
      .prepare('SELECT min(seq) AS first FROM events WHERE timeline = ? AND at >= ?')
      .get(kept.id, at)!
    this.#dropUpTo(kept, first === null ? kept.seq : Number(first) - 1)
  }

  #dropUpTo(kept: Kept, seq: number): void {
    const { bytes } = this.#sqlite
      .prepare('SELECT total(length(sealed)) AS bytes FROM events WHERE timeline = ? AND seq <= ?')
      .get(kept.id, seq)!
    const dropped = this.#sqlite
      .prepare('DELETE FROM events WHERE timeline = ? AND seq <= ?')
      .run(kept.id, seq)
    kept.bytes -= Number(bytes)
    kept.events -= Number(dropped.changes)
  }

  #erase(chosen: readonly Kept[], erasure?: string): Erased {
    if (chosen.length === 0 && erasure === undefined) return { timelines: 0, events: 0 }
    this.#transaction(() => {
      for (const { id } of chosen) {
        this.#sqlite.prepare('DELETE FROM timelines WHERE id = ?').run(id)
        this.#sqlite.prepare('DELETE FROM events WHERE timeline = ?').run(id)
      }
      if (erasure !== undefined) {
        this.#sqlite.prepare('INSERT OR IGNORE INTO erasures VALUES (?)').run(erasure)
      }
    })
    for (const { id } of chosen) this.#kept.delete(id)
    guarded(this.#file, () =>
      this.#sqlite.exec('PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);'),
    )
    return { timelines: chosen.length, events: chosen.reduce((sum, { events }) => sum + events, 0) }
  }

  #selected(which: Selection): readonly Kept[] {
    return [...this.#kept.values()].filter(({ head }) => isSelected(head, which))
  }

  #sealer(key: Uint8Array): Sealer {
    return gcmSealers(key, this.#random)(new Uint8Array(SALT_BYTES)).sealer('event')
  }

  #opened(sealer: Sealer, stored: SQLOutputValue | undefined, boundTo: Uint8Array): Uint8Array {
    const bytes = stored instanceof Uint8Array ? stored : new Uint8Array()
    const opened =
      bytes.length < NONCE_BYTES + TAG_BYTES
        ? undefined
        : sealer.open(
            {
              nonce: bytes.subarray(0, NONCE_BYTES),
              tag: bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES),
              bytes: bytes.subarray(NONCE_BYTES + TAG_BYTES),
            },
            boundTo,
          )
    if (opened === undefined) throw new StoreDamaged(this.#file, 'an entry does not open with its key')
    return opened
  }

  #salt(): Uint8Array {
    const kept = this.#meta('salt')
    if (kept !== undefined) return kept
    const salt = this.#random.bytes(SALT_BYTES)
    this.#setMeta('salt', salt)
    this.#setMeta('schema_version', Buffer.from(String(SCHEMA_VERSION)))
    return salt
  }

  #checkKey(check: Uint8Array): void {
    const version = Number(textOf(this.#meta('schema_version') ?? new Uint8Array()))
    if (version > SCHEMA_VERSION) throw new StoreTooNew(this.#file, version, SCHEMA_VERSION)
    const kept = this.#meta('check')
    if (kept === undefined) this.#setMeta('check', check)
    else if (!Buffer.from(kept).equals(check)) throw new StoreKeyWrong(this.#file)
  }

  #meta(key: string): Uint8Array | undefined {
    const value = this.#sqlite.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.value
    return value instanceof Uint8Array ? value : undefined
  }

  #setMeta(key: string, value: Uint8Array): void {
    this.#sqlite.prepare('INSERT INTO meta VALUES (?, ?)').run(key, value)
  }

  #transaction(work: () => void): void {
    guarded(this.#file, () => {
      assert(!this.#sqlite.isTransaction, 'one transaction at a time')
      this.#sqlite.exec('BEGIN IMMEDIATE')
      try {
        work()
        this.#sqlite.exec('COMMIT')
      } catch (thrown) {
        // SQLite itself has rolled back after some errors.
        if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK')
        throw thrown
      }
    })
  }
}

function joined(sealer: Sealer, plaintext: Uint8Array, boundTo: Uint8Array): Uint8Array {
  const { nonce, tag, bytes } = sealer.seal(plaintext, boundTo)
  return Buffer.concat([nonce, tag, bytes])
}

/** A sealed piece opens at its own place only. */
const placeOf = (timeline: number, seq: number): Uint8Array => Buffer.from(`${timeline}:${seq}`)

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
