/**
 * The skills a household added: which they are, what each was granted, what waits, what was revoked; the same on every node.
 *
 * Pure: entries of the store in, decisions out (`changing.ts`, with its numbered promises); bytes of a package in, a skill that may run
 * out (`loading.ts`). Files, the store and the running skills are the node's business (`node/skill-*.ts`).
 *
 * Read `records.ts` first, then `changing.ts`.
 */
export {
  type Added,
  added,
  compareVersions,
  grantedTo,
  type Incoming,
  pinned,
  removed,
  type Who,
} from './changing.ts'
export { judged, type Loaded, load, skillFrom } from './loading.ts'
export { forget, joined, MAX_ALL_PACKAGES_BYTES, piecesOf, prefixOf } from './pieces.ts'
export {
  type AddedVersion,
  INSTALLED,
  PACKAGES,
  PUBLISHERS,
  publisherKey,
  publishersIn,
  REVOKED,
  type Records,
  type Revocation,
  recordsIn,
  revocationsIn,
  type SkillRecord,
} from './records.ts'
