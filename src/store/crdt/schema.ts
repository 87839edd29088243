/**
 * The replicated tables, as the steps that made them. Append only: a step that was released is never changed, since databases of every
 * age run the ones they lack.
 *
 * What the CRDT asks of a table: a primary key of columns that are NOT NULL, no other unique index, no checked foreign key, no AUTOINCREMENT,
 * a DEFAULT for every other column that is NOT NULL, no REAL. Few tables: reading changes costs 0.15 ms for each.
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

/** 1: `entries`, one value as JSON per collection and key; the later write of a value wins whole. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
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
