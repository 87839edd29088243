/**
 * Change rows (`../sync/rows.ts`) out of the database and into it.
 *
 * Rows from outside are validated before they come here (`../sync/`): the extension believes what it is given. What would break the
 * engine itself is refused here once more.
 */
import { InvalidInputError } from '../../host/index.ts'
import { SITE_BYTES } from '../sync/bounds.ts'
import type { ChangeRow } from '../sync/rows.ts'
import type { Connection, Row } from './connection.ts'
import { replicatedTables } from './migrate.ts'
import type { SqlValue } from './values.ts'

/** Rows of one batch, unless one transaction has more: 2 MB at 100 bytes of value, 100 ms to merge. */
export const MAX_BATCH_ROWS = 5_000
/** Rows one merge takes, so that other work gets its turn. */
export const MAX_MERGE_ROWS = 20_000

/** Changes of one site's transactions above `since` up to `to`, in order. */
export interface ChangeBatch {
  readonly rows: readonly ChangeRow[]
  readonly since: number
  readonly to: number
  /** Whether there may be later ones. */
  readonly more: boolean
}

/** Of a change, in the order of `changeFrom`. */
export const COLUMNS = '"table", pk, cid, val, col_version, db_version, site_id, cl, seq'
const SELECT = `SELECT ${COLUMNS} FROM crsql_changes
  WHERE db_version > ? AND db_version <= ? AND site_id = ? ORDER BY db_version, seq`
const INSERT = `INSERT INTO crsql_changes (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** The greatest number of a transaction here, of any site: the next local one gets a greater. */
export const dbVersion = (connection: Connection): number =>
  Number(connection.one('SELECT crsql_db_version()'))

/**
 * The next batch of what one site wrote: whole transactions, together at most `rows`, but at least one. Transactions are numbered by
 * their site; what was overwritten since is not among them. (A limit on the changes themselves would save nothing: they are sorted first.)
 */
export function changesSince(
  connection: Connection,
  site: Uint8Array,
  since: number,
  rows: number,
): ChangeBatch {
  const newest = Math.max(since, dbVersion(connection))
  const to = endOfBatch(connection, site, since, rows) ?? newest
  const found = to > since ? connection.all(SELECT, [since, to, site]) : []
  return { rows: found.map(changeFrom), since, to, more: to < newest }
}

/** Undefined: all there is. */
function endOfBatch(
  connection: Connection,
  site: Uint8Array,
  since: number,
  rows: number,
): number | undefined {
  const ordinal = connection.one('SELECT ordinal FROM crsql_site_id WHERE site_id = ?', [site])
  if (ordinal === undefined) return undefined
  const counts = new Map<number, number>()
  for (const table of replicatedTables(connection)) {
    // One more than fit, so that a transaction that is not counted whole is not taken for the last.
    const sql = `SELECT db_version, count(*) FROM (SELECT db_version FROM "${table}__crsql_clock"
      WHERE db_version > ? AND site_id = ? ORDER BY db_version LIMIT ?) GROUP BY db_version`
    for (const [version, count] of connection.all(sql, [since, ordinal, rows + 1]))
      counts.set(Number(version), (counts.get(Number(version)) ?? 0) + Number(count))
  }
  let taken = 0
  let end: number | undefined
  for (const [version, count] of [...counts].sort(([a], [b]) => a - b)) {
    taken += count
    if (taken > rows) return end ?? version
    end = version
  }
  return undefined
}

/**
 * In one transaction of the caller's. Returns how many changed something, and tells which of them did, where asked.
 * Errors: `invalid-input`, those of `Connection`.
 */
export function mergeChanges(connection: Connection, changes: readonly ChangeRow[], tell?: Tell): number {
  if (changes.length > MAX_MERGE_ROWS) throw new InvalidInputError(`One merge takes ${MAX_MERGE_ROWS} rows`)
  const tables = new Set(replicatedTables(connection))
  // Counts on after a transaction that was rolled back.
  const before = rowsImpacted(connection)
  let applied = before
  for (const change of changes) {
    checkChange(change, tables)
    const { table, pk, cid, val, col_version, db_version, site_id, cl, seq } = change
    connection.all(INSERT, [table, pk, cid, val, col_version, db_version, site_id, cl, seq])
    if (tell?.wants(table) !== true) continue
    const now = rowsImpacted(connection)
    if (now > applied) tell.changed(change)
    applied = now
  }
  return rowsImpacted(connection) - before
}

/** Who wants to know which changes changed something: it costs 5 µs a row to find out. */
export interface Tell {
  wants(table: string): boolean
  changed(row: ChangeRow): void
}

/** Of the transaction so far, and of those rolled back before it. */
const rowsImpacted = (connection: Connection): number =>
  Number(connection.one('SELECT crsql_rows_impacted()'))

function checkChange(
  { table, pk, col_version, db_version, site_id, cl, seq }: ChangeRow,
  tables: ReadonlySet<string>,
): void {
  if (!tables.has(table)) throw new InvalidInputError('A change of a table that is not replicated')
  // An empty key is a panic of the engine.
  if (pk.length < 2) throw new InvalidInputError('A change without a key')
  if (site_id.length !== SITE_BYTES) throw new InvalidInputError('A change without its site')
  for (const counter of [col_version, db_version, cl, seq])
    if (!Number.isSafeInteger(counter) || counter < 0)
      throw new InvalidInputError('A change with a wrong version')
}

export function changeFrom(row: Row): ChangeRow {
  const [table, pk, cid, val, col_version, db_version, site_id, cl, seq] = row
  return {
    table: String(table),
    pk: pk as Uint8Array,
    cid: String(cid),
    val: val as SqlValue,
    col_version: Number(col_version),
    db_version: Number(db_version),
    site_id: site_id as Uint8Array,
    cl: Number(cl),
    seq: Number(seq),
  }
}
