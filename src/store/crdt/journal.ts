/**
 * The signed logs of all writers, this node's own among them, in the same database as what they brought about (`../sync/sync.ts` says what
 * they are for). Lives in the replica's thread: signing, verifying and judging rows takes milliseconds.
 *
 * J1 What a group of writes changed is signed and in the own log before it is flushed: an acknowledged write can be told to others.
 * J2 A batch of others is kept, and its rows inserted, in one transaction or not at all; rows that are wrong are left out, rows that leap are
 *    set aside, rows of a newer schema stay in the log.
 * J3 Changes of others are inserted under the lowest number (`asInserted`): nobody drags this node's counter along.
 */
import { assert, type NodeId } from '../../host/index.ts'
import { type Admission, admitBatch } from '../sync/admission.ts'
import { type Cut, cutIntoBatches, signBatch, TransactionTooLargeError } from '../sync/batch.ts'
import { type Header, readHeader, sizeOfRow } from '../sync/batch-bytes.ts'
import { compactionIsDue } from '../sync/growth.ts'
import { HeldLog } from '../sync/held-log.ts'
import type { LogEntry, LogExtent } from '../sync/log.ts'
import { type Origin, type OriginKey, originKey, originOf, type Signatures, siteOf } from '../sync/origin.ts'
import { holdRow, type Quarantine } from '../sync/quarantine.ts'
import { asInserted, type ChangeRow } from '../sync/rows.ts'
import type { ReplicatedSchema } from '../sync/schema.ts'
import type { Parked, SyncInput } from '../sync/state.ts'
import { COLUMNS, changeFrom, changesSince, MAX_BATCH_ROWS, mergeChanges, type Tell } from './changes.ts'
import { knownVersions, replicatedSchema } from './clocks.ts'
import type { Connection } from './connection.ts'
import { TransactionTooLarge } from './errors.ts'
import type { ReplicaDatabase } from './replica-database.ts'

export type Stored = Omit<Extract<SyncInput, { type: 'stored' }>, 'type' | 'number'>

export type Compaction =
  | 'compacted'
  /** It is not much longer than what still counts of it. */
  | 'short'
  /** More was written meanwhile: to be asked again. */
  | 'moved-on'

export interface JournalContents {
  readonly self: Origin
  readonly schema: number
  readonly held: ReadonlyMap<OriginKey, LogExtent>
  readonly parked: ReadonlyMap<OriginKey, Parked>
}

export class Journal {
  readonly #database: ReplicaDatabase
  readonly #signatures: Signatures
  #self: Origin
  #schema: ReplicatedSchema
  #logs = new Map<OriginKey, HeldLog>()
  #leaping: Quarantine = []
  #members: ReadonlySet<NodeId> = new Set()

  constructor(database: ReplicaDatabase, self: Origin, signatures: Signatures) {
    this.#database = database
    this.#signatures = signatures
    this.#self = self
    this.#schema = database.with(replicatedSchema)
    this.reload()
  }

  /** After the database went back to what is durable. */
  reload(): void {
    this.#database.with((connection) => {
      this.#logs = new Map()
      const sql =
        'SELECT origin, edition, base, first, last, length(batch) FROM log ORDER BY origin, first, edition'
      for (const [origin, edition, base, from, to, size] of connection.all(sql)) {
        const entry = { edition, base, from, to, size } as LogEntry
        this.#logOf(String(origin) as OriginKey).add(entry)
      }
      this.#leaping = connection.all(`SELECT ${COLUMNS} FROM leaping ORDER BY rowid`).map(changeFrom)
    })
  }

  contents(): JournalContents {
    const held = new Map([...this.#logs].map(([origin, log]) => [origin, log.extent]))
    const rows = this.#database.with((connection) => connection.all('SELECT origin, above FROM parked'))
    const parked = new Map(
      rows.map(([origin, above]) => [String(origin) as OriginKey, { above: Number(above) }] as const),
    )
    return { self: this.#self, schema: this.#schema.version, held, parked }
  }

  /** Who is or was of the household: what they signed is believed to be theirs. */
  believe(members: ReadonlySet<NodeId>): void {
    this.#members = members
  }

  /** J1: what was written here since the last time. Errors: `TransactionTooLarge`. */
  seal(): readonly ChangeRow[] {
    const rows = this.#database.with((connection) => this.#ownChanges(connection, this.#own.extent.version))
    const last = rows.at(-1)
    if (last === undefined) return rows
    const { edition, base } = this.#own.latest
    const cuts = cutFitting(rows, this.#own.extent.version, last.db_version)
    this.#transaction((connection) => {
      for (const cut of cuts) this.#keep(connection, this.#signed(cut, edition, base))
    })
    return rows
  }

  get #own(): HeldLog {
    return this.#logOf(originKey(this.#self))
  }

  get ownExtent(): LogExtent {
    return this.#own.extent
  }

  #ownChanges(connection: Connection, above: number): ChangeRow[] {
    const site = siteOf(this.#self, this.#signatures)
    const rows: ChangeRow[] = []
    for (let since = above; ; ) {
      const batch = changesSince(connection, site, since, MAX_BATCH_ROWS)
      rows.push(...batch.rows)
      since = batch.to
      if (!batch.more) return rows
    }
  }

  /**
   * Signs anew what still counts of the own log, if that is much less than there is. `settled`: how far every connected peer has told to
   * hold the logs; when one is held farther here by now, nothing is done (`growth.ts`).
   */
  compact(settled: ReadonlyMap<OriginKey, number>): Compaction {
    for (const [origin, { extent }] of this.#logs)
      if ((settled.get(origin) ?? 0) < extent.version) return 'moved-on'
    const { version, bytes } = this.#own.extent
    const rows = this.#database.with((connection) => this.#ownChanges(connection, 0))
    const live_bytes = rows.reduce((sum, row) => sum + sizeOfRow(row), 0)
    if (!compactionIsDue(bytes, live_bytes)) return 'short'
    const edition = this.#own.latest.edition + 1
    this.#transaction((connection) => {
      for (const cut of cutFitting(rows, 0, version))
        this.#keep(connection, this.#signed(cut, edition, version))
    })
    return 'compacted'
  }

  /** What was noted in memory of a transaction that failed is forgotten with it. */
  #transaction(work: (connection: Connection) => void): void {
    try {
      this.#database.transaction(work)
    } catch (thrown) {
      this.reload()
      throw thrown
    }
  }

  #signed({ from, to, rows }: Cut, edition: number, base: number): Uint8Array {
    const header: Header = { origin: this.#self, schema: this.#schema.version, edition, base, from, to }
    return signBatch(header, rows, this.#signatures)
  }

  #keep(connection: Connection, batch: Uint8Array): void {
    const header = readHeader(batch)
    assert(header !== undefined, 'what is kept was signed or admitted')
    const { edition, base, from, to } = header
    const origin = originKey(header.origin)
    const entry: LogEntry = { edition, base, from, to, size: batch.length }
    const superfluous = this.#logOf(origin).add(entry)
    // First these: one that a liar signed twice has the place of the other.
    for (const old of superfluous) {
      if (old === entry) continue
      connection.all(`DELETE FROM log WHERE ${PLACE}`, [origin, old.edition, old.from, old.to])
    }
    if (superfluous.includes(entry)) return
    connection.all('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)', [origin, edition, base, from, to, batch])
  }

  #logOf(origin: OriginKey): HeldLog {
    const known = this.#logs.get(origin)
    if (known !== undefined) return known
    const log = new HeldLog()
    this.#logs.set(origin, log)
    return log
  }

  /** J2: batches of one log in order, up to the first that is none. */
  store(origin: OriginKey, batches: readonly Uint8Array[], tell?: Tell): Stored {
    let through = 0
    let wrong = 0
    let parked = false
    let fault: Stored['fault']
    this.#transaction((connection) => {
      for (const bytes of batches) {
        const admission = this.#admit(connection, bytes, (node) => this.#members.has(node))
        if (!admission.ok) {
          fault = admission.fault
          break
        }
        this.#insert(connection, admission, tell)
        this.#keep(connection, bytes)
        through = admission.header.to
        wrong += admission.wrong.length
        if (admission.parked > 0) {
          parked = true
          this.#park(connection, origin, admission.header.from)
        }
      }
    })
    const extent = this.#logOf(origin).extent
    return { through, extent, parked, schema: this.#schema.version, wrong, fault }
  }

  #admit(connection: Connection, bytes: Uint8Array, mayWrite: (node: NodeId) => boolean): Admission {
    return admitBatch(bytes, {
      signatures: this.#signatures,
      schema: this.#schema,
      known: (table, pk, cid) => knownVersions(connection, this.#schema, table, pk, cid),
      mayWrite,
    })
  }

  #insert(connection: Connection, { rows, leaping }: Extract<Admission, { ok: true }>, tell?: Tell): void {
    const released: ChangeRow[] = []
    const writers = leaping.length > 0 ? this.#writersBySite() : undefined
    for (const row of leaping) {
      const held = holdRow(this.#leaping, row, (a, b) => writers?.get(hex(a)) === writers?.get(hex(b)))
      this.#leaping = held.quarantine
      released.push(...held.released)
    }
    if (leaping.length > 0) this.#noteLeaping(connection)
    mergeChanges(connection, [...rows, ...released].map(asInserted), tell)
  }

  #writersBySite(): ReadonlyMap<string, NodeId> {
    const sites = [...this.#logs.keys()].map((key) => {
      const origin = originOf(key)
      return [hex(siteOf(origin, this.#signatures)), origin.node] as const
    })
    return new Map(sites)
  }

  #noteLeaping(connection: Connection): void {
    connection.all('DELETE FROM leaping')
    for (const row of this.#leaping) {
      const { table, pk, cid, val, col_version, db_version, site_id, cl, seq } = row
      connection.all('INSERT INTO leaping VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', [
        ...[table, pk, cid, val, col_version, db_version, site_id, cl, seq],
      ])
    }
  }

  #park(connection: Connection, origin: OriginKey, above: number): void {
    connection.all(
      'INSERT INTO parked VALUES (?, ?) ON CONFLICT DO UPDATE SET above = min(above, excluded.above)',
      [...[origin, above]],
    )
  }

  /** What others are given of a log. */
  answer(origin: OriginKey, above: number, edition: number): readonly Uint8Array[] {
    const entries = this.#logs.get(origin)?.answer(above, edition) ?? []
    return this.#database.with((connection) => entries.map((entry) => batchOf(connection, origin, entry)))
  }

  /** Reads a log again, under the schema of now. What of it is still of a newer one. */
  replay(origin: OriginKey, above: number, tell?: Tell): Parked | undefined {
    this.#transaction((connection) => {
      connection.all('DELETE FROM parked WHERE origin = ?', [origin])
      for (const entry of this.#logOf(origin).beyond(above)) {
        const admission = this.#admit(connection, batchOf(connection, origin, entry), () => true)
        assert(admission.ok, 'what is kept was admitted once')
        this.#insert(connection, admission, tell)
        if (admission.parked > 0) this.#park(connection, origin, entry.from)
      }
    })
    const parked = this.#database.with((connection) =>
      connection.one('SELECT above FROM parked WHERE origin = ?', [origin]),
    )
    return parked === undefined ? undefined : { above: Number(parked) }
  }

  /** Writes under another name from now on: what was written so far is another's log. */
  adopt(self: Origin): void {
    this.#self = self
    this.reload()
  }
}

const hex = (site: Uint8Array): string => Buffer.from(site).toString('hex')

const PLACE = 'origin = ? AND edition = ? AND first = ? AND last = ?'

function batchOf(connection: Connection, origin: OriginKey, { edition, from, to }: LogEntry): Uint8Array {
  const batch = connection.one(`SELECT batch FROM log WHERE ${PLACE}`, [origin, edition, from, to])
  assert(batch instanceof Uint8Array, 'what the index names is in the log')
  return batch
}

/** Errors: `TransactionTooLarge`. */
function cutFitting(rows: readonly ChangeRow[], from: number, to: number): readonly Cut[] {
  try {
    return cutIntoBatches(rows, from, to)
  } catch (thrown) {
    if (thrown instanceof TransactionTooLargeError) throw new TransactionTooLarge(thrown.message)
    throw thrown
  }
}
