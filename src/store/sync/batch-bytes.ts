/**
 * A batch as bytes: fixed widths, big-endian, one spelling for one batch, so that what is signed, kept and sent are the same bytes.
 * MessagePack is none of that, and has no integers beyond 2⁵³.
 *
 *   header     u8 version · u8 length + node id · u32 life · u32 schema · u64 edition · u64 base · u64 from · u64 to · u32 rows
 *   each row   u8 length + table · u16 length + pk · u8 length + cid · value · u64 col_version · u64 db_version · u64 cl · u32 seq
 *   value      u8: 0 null · 1 integer, i64 · 2 text, u32 length + UTF-8 · 3 blob, u32 length + bytes
 *   signature  64 bytes
 *
 * The site id is not among them: it follows from the header, so a row under another name cannot even be written down.
 */
import { assert, type NodeId } from '../../host/index.ts'
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_ROWS,
  MAX_BATCH_SPAN,
  MAX_DB_VERSION,
  MAX_EDITION,
  MAX_LIFE,
  MAX_SCHEMA,
} from './bounds.ts'
import type { Origin } from './origin.ts'
import type { ChangeRow, ChangeValue } from './rows.ts'

export const SIGNATURE_BYTES = 64
/** Append only. 1: the first. */
const BATCH_VERSION = 1
const MAX_NODE_ID = 64
const TAIL_BYTES = 4 + 4 + 8 * 4 + 4

const NULL = 0
const INTEGER = 1
const TEXT = 2
const BLOB = 3

/** What a batch says of itself. */
export interface Header {
  readonly origin: Origin
  /** Schema version the writer had. */
  readonly schema: number
  /** How often the writer compacted its log before; 0 before the first time. */
  readonly edition: number
  /** What this edition compacted ends here; transactions above it are as they were written. */
  readonly base: number
  /** Covers the transactions above this one … */
  readonly from: number
  /** … up to this one. */
  readonly to: number
}

export interface OpenedHeader extends Header {
  readonly count: number
  /** Where the rows begin. */
  readonly rowsAt: number
}

/** Bytes a row takes in a batch. */
export const sizeOfRow = ({ table, pk, cid, val }: ChangeRow): number =>
  1 + Buffer.byteLength(table) + 2 + pk.length + 1 + Buffer.byteLength(cid) + sizeOfValue(val) + 28

function sizeOfValue(value: ChangeValue): number {
  if (value === null) return 1
  if (typeof value === 'string') return 5 + Buffer.byteLength(value, 'utf8')
  return value instanceof Uint8Array ? 5 + value.length : 9
}

/** Without the signature. Writers call it with what they made themselves: what is out of bounds is a defect. */
export function encodeBatch(header: Header, rows: readonly ChangeRow[]): Uint8Array {
  const { origin, schema, edition, base, from, to } = header
  const id = Buffer.from(origin.node, 'latin1')
  const size = rows.reduce((sum, row) => sum + sizeOfRow(row), 2 + id.length + TAIL_BYTES)
  const bytes = Buffer.alloc(size)
  bytes[0] = BATCH_VERSION
  bytes[1] = id.length
  bytes.set(id, 2)
  let at = bytes.writeUInt32BE(origin.life, 2 + id.length)
  at = bytes.writeUInt32BE(schema, at)
  for (const version of [edition, base, from, to]) at = bytes.writeBigUInt64BE(BigInt(version), at)
  at = bytes.writeUInt32BE(rows.length, at)
  for (const row of rows) at = writeRow(bytes, at, row)
  assert(at === size, 'a batch is as long as its rows')
  assert(headerFault(header) === undefined, 'a writer keeps the bounds of a batch')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, size)
}

function writeRow(bytes: Buffer, start: number, row: ChangeRow): number {
  let at = bytes.writeUInt8(Buffer.byteLength(row.table), start)
  at += bytes.write(row.table, at, 'utf8')
  at = bytes.writeUInt16BE(row.pk.length, at)
  bytes.set(row.pk, at)
  at = bytes.writeUInt8(Buffer.byteLength(row.cid), at + row.pk.length)
  at += bytes.write(row.cid, at, 'utf8')
  at = writeValue(bytes, at, row.val)
  for (const version of [row.col_version, row.db_version, row.cl]) {
    at = bytes.writeBigUInt64BE(BigInt(version), at)
  }
  return bytes.writeUInt32BE(row.seq, at)
}

function writeValue(bytes: Buffer, start: number, value: ChangeValue): number {
  if (value === null) return bytes.writeUInt8(NULL, start)
  if (typeof value === 'number' || typeof value === 'bigint') {
    return bytes.writeBigInt64BE(BigInt(value), bytes.writeUInt8(INTEGER, start))
  }
  const content = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  const at = bytes.writeUInt32BE(content.length, bytes.writeUInt8(value === content ? BLOB : TEXT, start))
  bytes.set(content, at)
  return at + content.length
}

/** What a batch says of itself, without looking at its rows; undefined when it is no batch or out of bounds. Never throws. */
export function readHeader(bytes: Uint8Array): OpenedHeader | undefined {
  if (bytes.length > MAX_BATCH_BYTES || bytes.length < 2) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = view[1]!
  const rowsAt = 2 + length + TAIL_BYTES
  if (view[0] !== BATCH_VERSION || length === 0 || length > MAX_NODE_ID) return undefined
  if (bytes.length < rowsAt + SIGNATURE_BYTES) return undefined
  const node = view.toString('latin1', 2, 2 + length)
  if (!/^[0-9A-Za-z._-]+$/.test(node)) return undefined
  const at = 2 + length
  const long = (offset: number): number => Number(view.readBigUInt64BE(at + offset))
  const header = {
    origin: { node: node as NodeId, life: view.readUInt32BE(at) },
    schema: view.readUInt32BE(at + 4),
    edition: long(8),
    base: long(16),
    from: long(24),
    to: long(32),
    count: view.readUInt32BE(at + 40),
    rowsAt,
  }
  if (header.count > MAX_BATCH_ROWS || headerFault(header) !== undefined) return undefined
  return header
}

function headerFault({ origin, schema, edition, base, from, to }: Header): string | undefined {
  if (origin.life > MAX_LIFE) return 'life'
  if (schema < 1 || schema > MAX_SCHEMA) return 'schema'
  if (edition > MAX_EDITION || base > MAX_DB_VERSION) return 'edition'
  // Before the first compaction nothing is compacted.
  if ((edition === 0) !== (base === 0)) return 'base'
  // A batch lies on one side of the base: what is compacted and what is not are never mixed.
  if (from < base && to > base) return 'mixed'
  return from < to && to <= MAX_DB_VERSION && to - from <= MAX_BATCH_SPAN ? undefined : 'range'
}

interface Cursor {
  readonly bytes: Buffer
  at: number
  readonly end: number
}

/** The rows, each under the site of the batch; undefined when the bytes are anything but what `encodeBatch` writes. Never throws. */
export function readRows(bytes: Uint8Array, header: OpenedHeader, site: Uint8Array): ChangeRow[] | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const cursor: Cursor = { bytes: view, at: header.rowsAt, end: bytes.length - SIGNATURE_BYTES }
  const rows: ChangeRow[] = []
  for (let i = 0; i < header.count; i += 1) {
    const row = readRow(cursor, site)
    if (row === undefined) return undefined
    rows.push(row)
  }
  return cursor.at === cursor.end ? rows : undefined
}

function readRow(cursor: Cursor, site_id: Uint8Array): ChangeRow | undefined {
  const table = textOf(take(cursor, readUnsigned(cursor, 1)))
  const pk = take(cursor, readUnsigned(cursor, 2))
  const cid = textOf(take(cursor, readUnsigned(cursor, 1)))
  const val = readValue(cursor)
  const tail = take(cursor, 28)
  if (table === undefined || cid === undefined || pk === undefined) return undefined
  if (val === undefined || tail === undefined) return undefined
  const [col_version, db_version, cl] = [0, 8, 16].map((at) => Number(tail.readBigUInt64BE(at)))
  const seq = tail.readUInt32BE(24)
  return {
    table,
    pk: new Uint8Array(pk),
    cid,
    val,
    col_version: col_version!,
    db_version: db_version!,
    site_id,
    cl: cl!,
    seq,
  }
}

/** The next bytes, or undefined when there are not that many. */
function take(cursor: Cursor, length: number | undefined): Buffer | undefined {
  if (length === undefined || length > cursor.end - cursor.at) return undefined
  cursor.at += length
  return cursor.bytes.subarray(cursor.at - length, cursor.at)
}

const readUnsigned = (cursor: Cursor, width: 1 | 2 | 4): number | undefined =>
  take(cursor, width)?.readUIntBE(0, width)

function readValue(cursor: Cursor): ChangeValue | undefined {
  switch (readUnsigned(cursor, 1)) {
    case NULL:
      return null
    case INTEGER: {
      const value = take(cursor, 8)?.readBigInt64BE()
      if (value === undefined) return undefined
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    }
    case TEXT:
      return textOf(take(cursor, readUnsigned(cursor, 4)))
    case BLOB: {
      const content = take(cursor, readUnsigned(cursor, 4))
      return content === undefined ? undefined : new Uint8Array(content)
    }
    default:
      return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
