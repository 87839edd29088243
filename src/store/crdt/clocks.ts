/** What the database knows of the versions of rows and cells, and which tables and columns it replicates: what changes from outside are judged by. */

import { unpackKey } from '../sync/packed-key.ts'
import { SENTINEL } from '../sync/rows.ts'
import type { ColumnRule, KeyType, ReplicatedSchema, TableRule } from '../sync/schema.ts'
import type { KnownVersions } from '../sync/validate.ts'
import type { Connection } from './connection.ts'
import { keyColumns, replicatedTables, schemaVersion } from './migrate.ts'

/** As the database has it: what cannot be inserted there is not let in. */
export function replicatedSchema(connection: Connection): ReplicatedSchema {
  const tables = replicatedTables(connection).map((table) => [table, ruleOf(connection, table)] as const)
  return { version: schemaVersion(connection), tables: new Map(tables) }
}

function ruleOf(connection: Connection, table: string): TableRule {
  const key: [place: number, type: KeyType][] = []
  const columns = new Map<string, ColumnRule>()
  for (const [name, declared, notNull, place] of connection.all(
    'SELECT name, type, "notnull", pk FROM pragma_table_info(?)',
    [table],
  )) {
    const type = String(declared).toLowerCase() as KeyType
    if (Number(place) > 0) key.push([Number(place), type])
    else columns.set(String(name), { type, nullable: Number(notNull) === 0 })
  }
  return { key: key.sort(([a], [b]) => a - b).map(([, type]) => type), columns }
}

/** Undefined of a row that was never here. */
export function knownVersions(
  connection: Connection,
  { tables }: ReplicatedSchema,
  table: string,
  pk: Uint8Array,
  cid: string,
): KnownVersions | undefined {
  const rule = tables.get(table)
  const key = rule === undefined ? undefined : unpackKey(pk, rule.key)
  if (key === undefined) return undefined
  const row = connection.one(
    `SELECT __crsql_key FROM "${table}__crsql_pks" WHERE ${matching(connection, table)}`,
    key,
  )
  if (row === undefined) return undefined
  const versionOf = (column: string): number | undefined => {
    const sql = `SELECT col_version FROM "${table}__crsql_clock" WHERE key = ? AND col_name = ?`
    const version = connection.one(sql, [row, column])
    return version === undefined ? undefined : Number(version)
  }
  return { cl: versionOf(SENTINEL) ?? 1, col_version: versionOf(cid) }
}

const matching = (connection: Connection, table: string): string =>
  keyColumns(connection, table)
    .map((name) => `"${name}" = ?`)
    .join(' AND ')
