/**
 * Replication of the household's state: every node holds the signed log of every writer, whatever the order, loss or duplication of
 * messages. Pure, without database, streams or keys; those come in through small ports.
 *
 * Read `sync.ts` first (the promises), then `batch.ts` (what travels), `validate.ts` (what may be inserted), `growth.ts` (what is forgotten).
 */
export { type Admission, type AdmissionContext, admitBatch, type BatchFault } from './admission.ts'
export { cutIntoBatches, signBatch, TransactionTooLargeError } from './batch.ts'
export { type Header, readHeader } from './batch-bytes.ts'
export { afterAbsence, compactionIsDue, isSettled, mayForget } from './growth.ts'
export { answerFrom, extentOf, type LogEntry, type LogExtent, wayThrough } from './log.ts'
export { decodeSync, type SyncMessage } from './messages.ts'
export { type Origin, type OriginKey, originKey, originOf, type Signatures, siteOf } from './origin.ts'
export { packKey, unpackKey } from './packed-key.ts'
export { EMPTY_QUARANTINE, holdRow, type Quarantine } from './quarantine.ts'
export { asInserted, type ChangeRow, type ChangeValue, isDeletion, SENTINEL } from './rows.ts'
export type { ReplicatedSchema, TableRule } from './schema.ts'
export type { PeerFault, SyncContext, SyncEffect, SyncInput, SyncState, SyncStep } from './state.ts'
export { beginSync, type SyncStart, sync } from './sync.ts'
export { type RowContext, type RowFault, type RowVerdict, validateRow } from './validate.ts'
