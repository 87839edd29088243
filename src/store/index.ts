/**
 * What must not be lost: collections of small entries, the same on every node of the household, and the claim to the data directory.
 *
 * Promises: a write is acknowledged when it is durable, and lost never; all of a write happens or nothing; a slow disk never blocks the event
 * loop (the files live in a thread); a full disk refuses writes, keeps reading, and recovers by itself; damage is found and named, never handed
 * out, and other nodes fill the gap; nothing on disk is readable without the node's key; two processes never share a directory; nodes that
 * have exchanged everything hold the same entries, and what was deleted stays deleted.
 *
 * The data directory, 0700, its files 0600:
 *   owner.lock    held while a node runs; freed by the system however it ends
 *   owner.pid     the owner's process id, for the message another process prints
 *   store.key     the key of everything that is sealed
 *   replica*      the entries and the signed logs they came from, sealed
 *   wiped.json    the last order to wipe that was carried out here, if any
 *   keyring       who this node is, and its household
 *   timeline.db   what conversations noted down of themselves, sealed (`timeline/`)
 *   runtime.json  ports and pid of the running node (written by the composition root)
 *   audit.log     the audit chain (`observe/`); `audit.checkpoint` what this node signed of it
 *   skills/       skills a person added; models/ models a person pulled
 *
 * Imports host and actors (messages only). Read `store.ts` first, then `crdt/index.ts` (the database) and `sync/sync.ts` (replication).
 */

export { signaturesWith } from './crdt/signatures.ts'
export {
  binds,
  compareEras,
  decodeEra,
  type Era,
  encodeEra,
  giveOrder,
  isGenuine,
  type WipeOrder,
} from './era.ts'
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
export { BACKUPS, REPLICA_FILE } from './layout.ts'
export { type Ownership, ownDirectory } from './ownership.ts'
export { type StorePorts, storePorts } from './ports.ts'
export type { ReplicationView } from './replication.ts'
export {
  type HouseholdStore,
  openStore,
  type Store,
  type StoreHealth,
  type StoreLinks,
  type StoreOptions,
} from './store.ts'
export {
  type Erased,
  type Keep,
  type KeptTimeline,
  openTimeline,
  recordedStep,
  type Selection,
  type Timeline,
  type TimelineEvent,
  type TimelineHead,
  type TimelineOptions,
} from './timeline/index.ts'
export { type Finished, finishWiping, noteOrder, takeOver } from './wiping.ts'
