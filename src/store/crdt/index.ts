/**
 * What the household remembers, as this node's replica of it: SQLite tables that merge without conflict (cr-sqlite), sealed on disk.
 *
 * Promises: a write is acknowledged when it is durable, and then survives the death of the process and, on an honest disk, of the
 * power; all of a write happens or nothing; bytes on disk that are not what was written are found and named, never handed out; nothing on
 * disk is readable without the key; a full disk refuses writes, keeps reading, and recovers by itself; replicas that have merged the same
 * changes hold the same tables.
 *
 * Not promised: a whole set of files put back from an older state, or whole commits cut off the end of the log, look like the past.
 * The other nodes would know; this one cannot.
 *
 * From the outside in: `replica.ts` (what the node calls), `thread.ts`, `group.ts` (one sync for many writes), `replica-database.ts`
 * (the calls inside the thread), `connection.ts` (SQLite), `page-vfs.ts`, `page-file.ts` (the files, their format and what they survive).
 * Read `page-file.ts` first for the disk, `replica-database.ts` for the rest.
 */

export type { ChangeRow } from '../sync/rows.ts'
export type { Row, Statement } from './connection.ts'
export {
  EngineBroken,
  StatementRefused,
  StoreKeyWrong,
  TransactionTooLarge,
  WriterChanged,
} from './errors.ts'
export type { JournalContents, Stored } from './journal.ts'
export type { Writer } from './messages.ts'
export {
  MAX_PENDING,
  MAX_PENDING_BYTES,
  MAX_WRITE_BYTES,
  openReplica,
  type Replica,
  type ReplicaOptions,
} from './replica.ts'
export { type RestoreOptions, restore } from './restore.ts'
export { MIGRATIONS, type Migration } from './schema.ts'
export type { SqlValue } from './values.ts'
