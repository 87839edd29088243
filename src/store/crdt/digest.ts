/** What the replicated tables hold, as one number: nodes that have exchanged everything give the same. */
import { createHash } from 'node:crypto'
import type { Connection } from './connection.ts'
import { keyColumns, replicatedTables } from './migrate.ts'

/** Rows read at once: what is in memory of a large table. */
const PAGE = 1_000

/** Hex SHA-256 over all rows in order of their keys, and how many there are. */
export function digestOf(connection: Connection): { readonly digest: string; readonly rows: number } {
  const hash = createHash('sha256')
  let rows = 0
  for (const table of replicatedTables(connection)) {
    hash.update(`${table}\0`)
    for (let offset = 0; ; offset += PAGE) {
      const page = connection.all(
        `SELECT * FROM "${table}" ORDER BY ${keyOf(connection, table)} LIMIT ? OFFSET ?`,
        [...[PAGE, offset]],
      )
      for (const row of page) hash.update(JSON.stringify(row.map(printed)))
      rows += page.length
      if (page.length < PAGE) break
    }
  }
  return { digest: hash.digest('hex'), rows }
}

const keyOf = (connection: Connection, table: string): string =>
  keyColumns(connection, table)
    .map((name) => `"${name}"`)
    .join(', ')

const printed = (value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
