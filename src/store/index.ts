/**
 * What must not be lost: collections of small entries in one SQLite file, and the claim to the data directory.
 *
 * Promises: a write is acknowledged when it is durable (write-ahead log, `synchronous=FULL`) and lost never; all of a
 * write happens or nothing; a slow disk never blocks the event loop (the file lives in a thread); a full disk refuses
 * writes, keeps reading, and recovers by itself; damage is found at open or on read and named, never handed out; two
 * processes never share a directory.
 *
 * The data directory, 0700, its files 0600:
 *   owner.lock    held while a node runs; freed by the system however it ends
 *   owner.pid     the owner's process id, for the message another process prints
 *   store.db      the entries; `store.db-wal` and `store.db-shm` belong to it while it is open
 *   store.key     the key that everything kept is sealed with
 *   timeline.db   what conversations noted down of themselves, sealed (`timeline/`)
 *   runtime.json  ports and pid of the running node (written by the composition root)
 *   audit.log     the audit chain (`observe/`)
 *   skills/       skills a person added; models/ models a person pulled
 *
 * Imports host and actors (messages only). Read `store.ts` first, then `database.ts`.
 */
export {
  DataDirectoryBusy,
  StoreClosed,
  StoreDamaged,
  StoreFull,
  StoreIoError,
  StoreTooNew,
} from './errors.ts'
export { SEALED_FILES, StoreKeyError, type StoreKeyFault } from './key-file.ts'
export { type Keys, type KeysOptions, openKeys, passphraseFrom } from './keys.ts'
export { type Ownership, ownDirectory } from './ownership.ts'
export { type StorePorts, storePorts } from './ports.ts'
export { openStore, type Store, type StoreHealth, type StoreOptions } from './store.ts'
export {
  type Erased,
  type Keep,
  type KeptTimeline,
  openTimeline,
  type Selection,
  type Timeline,
  type TimelineEvent,
  type TimelineHead,
  type TimelineOptions,
} from './timeline/index.ts'
