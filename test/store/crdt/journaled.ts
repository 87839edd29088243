/** A database with its logs, as the replica's thread has them, without the thread. */
import type { Files } from '../../../src/store/crdt/files.ts'
import { Journal } from '../../../src/store/crdt/journal.ts'
import type { ReplicaDatabase } from '../../../src/store/crdt/replica-database.ts'
import type { Migration } from '../../../src/store/crdt/schema.ts'
import { signaturesWith } from '../../../src/store/crdt/signatures.ts'
import { openWriter } from '../../../src/store/crdt/writer.ts'
import { type Origin, originKey, type Signatures } from '../../../src/store/sync/index.ts'
import { writerOf } from '../writers.ts'
import { openDatabase, scratch } from './opening.ts'

export interface Journaled {
  readonly database: ReplicaDatabase
  readonly journal: Journal
  readonly self: Origin
  readonly signatures: Signatures
  close(): void
}

export async function openJournaled(
  number: number,
  options: { path?: string; files?: Files; migrations?: readonly Migration[] } = {},
): Promise<Journaled> {
  const { path = `${scratch()}/db`, ...rest } = options
  const { node, seed } = writerOf(number)
  const { database, close } = await openDatabase(path, rest)
  const self = await openWriter(database, path, { node, life: 0 })
  const signatures = signaturesWith(seed)
  const journal = new Journal(database, self, signatures)
  journal.believe(new Set([1, 2, 3, 4, 5].map((one) => writerOf(one).node)))
  return { database, journal, self, signatures, close }
}

/** One transaction, durable with its log. Null deletes. */
export function write(
  { database, journal }: Journaled,
  entries: Readonly<Record<string, string | null>>,
): void {
  const put = 'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'
  const drop = 'DELETE FROM entries WHERE collection = ? AND key = ?'
  database.write(
    Object.entries(entries).map(([key, value]) =>
      value === null ? { sql: drop, parameters: ['c', key] } : { sql: put, parameters: ['c', key, value] },
    ),
  )
  journal.seal()
  database.flush()
}

/** What one wrote, to the other. */
export function give(from: Journaled, to: Journaled, above = 0) {
  const origin = originKey(from.self)
  return to.journal.store(origin, from.journal.answer(origin, above, 0))
}

export const entriesOf = ({ database }: Journaled): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    database.read({ sql: 'SELECT key, value FROM entries ORDER BY key' }, 100_000) as [string, unknown][],
  )
