/** Entries as rows of the replicated table: what may be kept, the statements, and values as others may have written them. Pure. */
import type { Entry, EntryChange } from '../actors/index.ts'
import { InvalidInputError } from '../host/index.ts'
import type { ChangeRow, Row, Statement } from './crdt/index.ts'
import { MAX_VALUE_BYTES } from './sync/bounds.ts'
import { unpackKey } from './sync/index.ts'

/** Longer names are a mistake. */
export const MAX_COLLECTION_CHARS = 64
export const MAX_KEY_CHARS = 256
/** Collection and key together, in UTF-8: with what packs them they fit the key of a change (512 bytes). */
const MAX_NAME_BYTES = 480
/** Changes of one transaction, and their bytes: both fit the one batch in which they are told to the other nodes. */
export const MAX_CHANGES = 512
export const MAX_CHANGES_BYTES = 128 * 1024
/** Entries one read brings. */
export const MAX_ENTRIES = 10_000

const PUT = 'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'
const DELETE = 'DELETE FROM entries WHERE collection = ? AND key = ?'

/** Errors: `invalid-input`. */
export function statementsOf(collection: string, changes: readonly EntryChange[]): readonly Statement[] {
  if (collection.length === 0 || collection.length > MAX_COLLECTION_CHARS)
    throw new InvalidInputError(`A collection's name has 1 to ${MAX_COLLECTION_CHARS} characters`)
  if (changes.length > MAX_CHANGES)
    throw new InvalidInputError(`A transaction has at most ${MAX_CHANGES} changes`)
  let bytes = 0
  const statements = changes.flatMap((change): readonly Statement[] => {
    const { key } = change
    if (key.length === 0 || key.length > MAX_KEY_CHARS)
      throw new InvalidInputError(`A key has 1 to ${MAX_KEY_CHARS} characters`)
    const name_bytes = Buffer.byteLength(collection) + Buffer.byteLength(key)
    if (name_bytes > MAX_NAME_BYTES)
      throw new InvalidInputError(`Collection and key have at most ${MAX_NAME_BYTES} bytes`)
    const gone: Statement = { sql: DELETE, parameters: [collection, key] }
    if (change.change === 'delete') return [gone]
    const value = JSON.stringify(change.value)
    const value_bytes = value === undefined ? Number.POSITIVE_INFINITY : Buffer.byteLength(value)
    if (value_bytes > MAX_VALUE_BYTES)
      throw new InvalidInputError(`A value is plain data of at most ${MAX_VALUE_BYTES} bytes of JSON`)
    bytes += name_bytes * (change.renews ? 2 : 1) + value_bytes
    const put: Statement = { sql: PUT, parameters: [collection, key, value] }
    // Lives of a row are counted, and of two the later life counts: a death nobody knew of is one behind.
    return change.renews ? [gone, put] : [put]
  })
  if (bytes > MAX_CHANGES_BYTES)
    throw new InvalidInputError(`A transaction has at most ${MAX_CHANGES_BYTES} bytes`)
  return statements
}

export const listOf = (collection: string, prefix: string): Statement => ({
  sql: `SELECT key, value FROM entries WHERE collection = ? AND key >= ? AND substr(key, 1, ?) = ? AND value IS NOT NULL
    ORDER BY key LIMIT ${MAX_ENTRIES}`,
  parameters: [collection, prefix, [...prefix].length, prefix],
})

export const those = (collection: string, keys: readonly string[]): Statement => ({
  sql: `SELECT key, value FROM entries WHERE collection = ? AND key IN (SELECT value FROM json_each(?)) AND value IS NOT NULL
    ORDER BY key`,
  parameters: [collection, JSON.stringify(keys)],
})

/** What is no JSON was written by a member that is broken or lies: it is as if it were not there. */
export const entriesFrom = (rows: readonly Row[]): readonly Entry[] =>
  rows.flatMap(([key, value]) => {
    try {
      return [{ key: String(key), value: JSON.parse(String(value)) as unknown }]
    } catch {
      return []
    }
  })

/** The names of the entries that changes are about, by collection. */
export function changedKeys(rows: readonly ChangeRow[]): Map<string, Set<string>> {
  const changed = new Map<string, Set<string>>()
  for (const { table, pk } of rows) {
    if (table !== 'entries') continue
    const [collection, key] = (unpackKey(pk, ['text', 'text']) ?? []) as string[]
    if (collection === undefined || key === undefined) continue
    const keys = changed.get(collection)
    if (keys === undefined) changed.set(collection, new Set([key]))
    else keys.add(key)
  }
  return changed
}
