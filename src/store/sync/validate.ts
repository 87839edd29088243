/**
 * Whether a change may be inserted. cr-sqlite believes what it is given: an empty key panics it, a version near 2⁶³ wins for ever, an unknown
 * column aborts all that came along. So nothing reaches it that did not pass here.
 *
 * A pure function of one row and what the receiver knows; never throws. The order of the checks is the order of the faults below: a row
 * with several is refused for the first. Written out by hand: a schema library takes 1.2 µs a row for the shape alone, all of this 0.35 µs,
 * and it runs for every row of a bootstrap.
 */
import {
  MAX_CAUSAL_JUMP,
  MAX_CAUSAL_LENGTH,
  MAX_COL_VERSION,
  MAX_DB_VERSION,
  MAX_FIRST_VERSION,
  MAX_KEY_BYTES,
  MAX_NAME_LENGTH,
  MAX_SEQ,
  MAX_VALUE_BYTES,
  MAX_VERSION_JUMP,
  SITE_BYTES,
} from './bounds.ts'
import { unpackKey } from './packed-key.ts'
import { type ChangeRow, type ChangeValue, SENTINEL } from './rows.ts'
import type { ColumnRule, ReplicatedSchema } from './schema.ts'

export type RowFault =
  /** No row: fields missing, of other types, or more than there are. */
  | 'malformed'
  /** A key, name or value is longer than any of ours. */
  | 'too-large'
  /** The site id is not 16 bytes. */
  | 'bad-site'
  /** Written under the name of another site than the batch. */
  | 'other-site'
  /** A version, causal length or place is outside what it may be at all. */
  | 'version-range'
  /** A deletion that is a cell, a sentinel with a value, or a sentinel whose version is not its causal length. */
  | 'bad-sentinel'
  /** A table or column this schema does not have, in a batch that claims no newer one. */
  | 'unknown-table'
  | 'unknown-column'
  /** As those two, in a batch of a newer schema: kept until this node has it. */
  | 'newer-schema'
  /** The packed key is damaged, or none of this table's. */
  | 'bad-key'
  /** A value the column cannot hold. */
  | 'bad-value'
  /** Its version leaps far above what is known of the cell: set aside until another member builds on it. */
  | 'version-jump'

/** What is known here of the row and cell a change is about. */
export interface KnownVersions {
  readonly cl: number
  /** Of the cell, in the row's present life; undefined when there is none. */
  readonly col_version: number | undefined
}

export interface RowContext {
  readonly schema: ReplicatedSchema
  /** The schema version the batch was written under. */
  readonly written_under: number
  /** The site that signed the batch. */
  readonly site: Uint8Array
  /** Undefined when the row is not known here. */
  readonly known: (table: string, pk: Uint8Array, cid: string) => KnownVersions | undefined
}

export type RowVerdict =
  | { readonly ok: true; readonly row: ChangeRow }
  | { readonly ok: false; readonly fault: RowFault }

const FIELDS = 9
const refused = (fault: RowFault): RowVerdict => ({ ok: false, fault })

export function validateRow(value: unknown, context: RowContext): RowVerdict {
  const row = shapeOf(value)
  if (row === undefined) return refused('malformed')
  const fault = sizeFault(row) ?? siteFault(row, context.site) ?? rangeFault(row) ?? sentinelFault(row)
  const wrong = fault ?? schemaFault(row, context) ?? jumpFault(row, context)
  return wrong === undefined ? { ok: true, row } : refused(wrong)
}

/** A row of its own with the nine fields and no more, or undefined. */
function shapeOf(value: unknown): ChangeRow | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (Object.keys(value).length !== FIELDS) return undefined
  const { table, pk, cid, val, col_version, db_version, site_id, cl, seq } = value as Record<string, unknown>
  if (typeof table !== 'string' || typeof cid !== 'string') return undefined
  if (!(pk instanceof Uint8Array) || !(site_id instanceof Uint8Array) || !isValue(val)) return undefined
  if (!isInteger(col_version) || !isInteger(db_version) || !isInteger(cl) || !isInteger(seq)) return undefined
  return { table, pk, cid, val, col_version, db_version, site_id, cl, seq }
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)

const MOST = 2n ** 63n

function isValue(value: unknown): value is ChangeValue {
  if (value === null || value instanceof Uint8Array) return true
  if (typeof value === 'string') return value.isWellFormed()
  // One integer has one spelling, else equal rows would differ.
  if (typeof value === 'bigint') {
    return value >= -MOST && value < MOST && !Number.isSafeInteger(Number(value))
  }
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}

function sizeFault({ table, pk, cid, val }: ChangeRow): RowFault | undefined {
  if (table.length > MAX_NAME_LENGTH || cid.length > MAX_NAME_LENGTH || pk.length > MAX_KEY_BYTES) {
    return 'too-large'
  }
  if (typeof val === 'string') {
    // A character takes three bytes at most (two of UTF-16 make one of four): most texts need no counting.
    const long = val.length * 3 > MAX_VALUE_BYTES && Buffer.byteLength(val, 'utf8') > MAX_VALUE_BYTES
    return long ? 'too-large' : undefined
  }
  return val instanceof Uint8Array && val.length > MAX_VALUE_BYTES ? 'too-large' : undefined
}

function siteFault({ site_id }: ChangeRow, site: Uint8Array): RowFault | undefined {
  if (site_id.length !== SITE_BYTES) return 'bad-site'
  return Buffer.compare(site_id, site) === 0 ? undefined : 'other-site'
}

const within = (value: number, low: number, high: number): boolean => value >= low && value <= high

function rangeFault({ col_version, db_version, cl, seq }: ChangeRow): RowFault | undefined {
  const ranged =
    within(col_version, 0, MAX_COL_VERSION) &&
    within(db_version, 1, MAX_DB_VERSION) &&
    within(cl, 1, MAX_CAUSAL_LENGTH) &&
    within(seq, 0, MAX_SEQ)
  return ranged ? undefined : 'version-range'
}

function sentinelFault({ cid, val, col_version, cl }: ChangeRow): RowFault | undefined {
  if (cid === SENTINEL) return val === null && col_version === cl ? undefined : 'bad-sentinel'
  return cl % 2 === 1 ? undefined : 'bad-sentinel'
}

function schemaFault({ table, pk, cid, val }: ChangeRow, context: RowContext): RowFault | undefined {
  const newer = context.written_under > context.schema.version
  const rule = context.schema.tables.get(table)
  if (rule === undefined) return newer ? 'newer-schema' : 'unknown-table'
  if (unpackKey(pk, rule.key) === undefined) return 'bad-key'
  if (cid === SENTINEL) return undefined
  const column = rule.columns.get(cid)
  if (column === undefined) return newer ? 'newer-schema' : 'unknown-column'
  return holds(column, val) ? undefined : 'bad-value'
}

function holds({ type, nullable }: ColumnRule, value: ChangeValue): boolean {
  if (value === null) return nullable
  if (value instanceof Uint8Array) return type === 'blob'
  return type === (typeof value === 'string' ? 'text' : 'integer')
}

function jumpFault(
  { table, pk, cid, col_version, cl }: ChangeRow,
  { known }: RowContext,
): RowFault | undefined {
  // No leap, whatever is known: looking it up costs half as much as inserting the row.
  if (cl <= MAX_CAUSAL_JUMP && col_version <= MAX_VERSION_JUMP) return undefined
  const before = known(table, pk, cid)
  if (before === undefined) return cl > MAX_CAUSAL_JUMP ? 'version-jump' : firstFault(col_version, cid)
  if (cl - before.cl > MAX_CAUSAL_JUMP) return 'version-jump'
  // In another life of the row its cells begin anew: nothing is known of them.
  if (cid === SENTINEL || cl !== before.cl || before.col_version === undefined) {
    return firstFault(col_version, cid)
  }
  return col_version - before.col_version > MAX_VERSION_JUMP ? 'version-jump' : undefined
}

const firstFault = (col_version: number, cid: string): RowFault | undefined =>
  cid !== SENTINEL && col_version > MAX_FIRST_VERSION ? 'version-jump' : undefined
