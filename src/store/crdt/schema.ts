/**
 * The tables, as the steps that made them. Append only: a step that was released is never changed, since databases of every age run the
 * ones they lack.
 *
 * What the CRDT asks of a replicated table: a primary key of columns that are NOT NULL, no other unique index, no checked foreign key, no
 * AUTOINCREMENT, a DEFAULT for every other column that is NOT NULL, no REAL. Few tables: reading changes costs 0.15 ms for each.
 */
export interface Migration {
  /** The schema's version after it: 1, 2, … */
  readonly version: number
  /** Statements for tables that are this node's alone and never leave it. */
  readonly local?: readonly string[]
  readonly create?: readonly { readonly table: string; readonly sql: string }[]
  /** Columns are added, with a default; what the CRDT keeps beside the table is adjusted. */
  readonly alter?: readonly { readonly table: string; readonly sql: readonly string[] }[]
}

/**
 * 1: `entries`, one value as JSON per collection and key; the later write of a value wins whole. Beside it, for this node alone: the signed
 *    logs of all writers, where in them rows of a newer schema lie, rows whose versions leap, who this node is as a writer, and something to write when the disk is tried.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    local: [
      `CREATE TABLE log (
        origin TEXT NOT NULL,
        edition INTEGER NOT NULL,
        base INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        batch BLOB NOT NULL,
        PRIMARY KEY (origin, edition, first, last)
      ) STRICT, WITHOUT ROWID`,
      'CREATE TABLE parked (origin TEXT PRIMARY KEY, above INTEGER NOT NULL) STRICT, WITHOUT ROWID',
      `CREATE TABLE leaping (
        "table" TEXT NOT NULL, pk BLOB NOT NULL, cid TEXT NOT NULL, val ANY, col_version INTEGER NOT NULL,
        db_version INTEGER NOT NULL, site_id BLOB NOT NULL, cl INTEGER NOT NULL, seq INTEGER NOT NULL
      ) STRICT`,
      'CREATE TABLE writer (node TEXT PRIMARY KEY, life INTEGER NOT NULL) STRICT, WITHOUT ROWID',
      'CREATE TABLE probe (content BLOB NOT NULL) STRICT',
    ],
    create: [
      {
        table: 'entries',
        sql: `CREATE TABLE entries (
          collection TEXT NOT NULL,
          key TEXT NOT NULL,
          value TEXT,
          PRIMARY KEY (collection, key)
        )`,
      },
    ],
  },
]
