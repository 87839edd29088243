/** Brings a database to the newest schema this program knows. Each step is one transaction: a crash leaves the one before or after it. */
import { assert } from '../../host/index.ts'
import { StoreTooNew } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { Migration } from './schema.ts'

/** Version of the schema, 0 of an empty database; kept in the header of SQLite's file. */
export const schemaVersion = (connection: Connection): number => Number(connection.one('PRAGMA user_version'))

/** Returns the version it was at. Errors: `store-too-new`, those of `Connection`. */
export function migrate(connection: Connection, file: string, migrations: readonly Migration[]): number {
  const found = schemaVersion(connection)
  const known = migrations.at(-1)?.version ?? 0
  if (found > known) throw new StoreTooNew(file, found, known)
  for (const migration of migrations) if (migration.version > found) step(connection, migration)
  return found
}

function step(connection: Connection, { version, local = [], create = [], alter = [] }: Migration): void {
  assert(schemaVersion(connection) === version - 1, 'migrations are numbered from 1 without gaps')
  connection.transaction(() => {
    for (const statement of local) connection.all(statement)
    for (const { table, sql } of create) {
      connection.all(sql)
      connection.all('SELECT crsql_as_crr(?)', [table])
    }
    for (const { table, sql } of alter) {
      connection.all('SELECT crsql_begin_alter(?)', [table])
      for (const statement of sql) connection.all(statement)
      connection.all('SELECT crsql_commit_alter(?)', [table])
    }
    connection.all(`PRAGMA user_version = ${version}`)
  })
}

/** Names of the replicated tables. */
export const replicatedTables = (connection: Connection): string[] =>
  connection
    .all(
      "SELECT substr(name, 1, length(name) - length('__crsql_clock')) FROM sqlite_master WHERE type = 'table' AND name LIKE '%\\_\\_crsql\\_clock' ESCAPE '\\' ORDER BY 1",
    )
    .map(([name]) => String(name))

/** Columns of a table's primary key, in its order. */
export const keyColumns = (connection: Connection, table: string): string[] =>
  connection
    .all('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', [table])
    .map(([name]) => String(name))
