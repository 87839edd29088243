/**
 * The log of commits since the last checkpoint. A commit is one record, appended and synced; it counts when it is whole.
 *
 *   header  64 bytes: "loqalog1", 8 epoch, 20 zero, 12 nonce, 16 tag (of nothing, bound to what stands before)
 *   record  64 bytes: 4 "LREC", 4 pages in it, 4 pages of the database after it, 4 bytes of its body, 8 sequence (from 0),
 *           12 nonce, 16 tag (of nothing, bound to what stands before), 12 nonce of the body
 *           body: for each page 4 number, PAGE_BYTES content; zeros; sealed, bound to the 52 bytes before its nonce; 16 tag
 *
 * Integers are little-endian; records begin at multiples of 64, so a sector of the disk (512 bytes) holds all of a record's head or none.
 * The key is the epoch's own.
 *
 * A power cut leaves at most the last record incomplete, because the one before was synced first: shorter than it says, or with sectors
 * never written, which read as zeros. That is a torn end and is cut off; nobody was told that it was saved. Anything else that does not
 * open is damage. A disk that shows old garbage in new files makes a torn end look like damage: it is reported, not guessed away.
 * Not noticed: whole records cut off at the end, which looks as if they had never been written; the other nodes would know.
 */
import { StoreDamaged } from '../errors.ts'
import { MAX_PAGES, PAGE_BYTES } from './page-table.ts'
import { NONCE_BYTES, type Sealer, TAG_BYTES } from './seal.ts'

export const LOG_HEADER_BYTES = 64
const RECORD_HEADER_BYTES = 64
const ALIGNMENT = 64
const SECTOR_BYTES = 512
const LOG_MAGIC = Buffer.from('loqalog1')
const RECORD_MAGIC = 0x4345524c
const LOG_BOUND_BYTES = 36
const RECORD_BOUND_BYTES = 24
const ENTRY_BYTES = 4 + PAGE_BYTES

/** One commit. */
export interface LogRecord {
  readonly sequence: number
  /** Pages of the database after it. */
  readonly count: number
  readonly pages: ReadonlyMap<number, Uint8Array>
}

export interface ScannedLog {
  readonly records: readonly LogRecord[]
  /** Bytes that count; what is behind them is a torn end. */
  readonly end: number
}

export function encodeLogHeader(epoch: number, sealer: Sealer): Uint8Array {
  const bytes = Buffer.alloc(LOG_HEADER_BYTES)
  LOG_MAGIC.copy(bytes)
  bytes.writeBigUInt64LE(BigInt(epoch), 8)
  signHead(bytes, LOG_BOUND_BYTES, sealer)
  return bytes
}

export function encodeRecord({ sequence, count, pages }: LogRecord, sealer: Sealer): Uint8Array {
  const plain = pages.size * ENTRY_BYTES
  const body = Math.ceil((plain + TAG_BYTES) / ALIGNMENT) * ALIGNMENT
  const plaintext = Buffer.alloc(body - TAG_BYTES)
  let at = 0
  for (const [page, content] of pages) {
    plaintext.writeUInt32LE(page, at)
    plaintext.set(content, at + 4)
    at += ENTRY_BYTES
  }
  const bytes = Buffer.alloc(RECORD_HEADER_BYTES + body)
  bytes.writeUInt32LE(RECORD_MAGIC, 0)
  bytes.writeUInt32LE(pages.size, 4)
  bytes.writeUInt32LE(count, 8)
  bytes.writeUInt32LE(body, 12)
  bytes.writeBigUInt64LE(BigInt(sequence), 16)
  signHead(bytes, RECORD_BOUND_BYTES, sealer)
  const sealed = sealer.seal(plaintext, boundOf(bytes))
  bytes.set(sealed.nonce, RECORD_HEADER_BYTES - NONCE_BYTES)
  bytes.set(sealed.bytes, RECORD_HEADER_BYTES)
  bytes.set(sealed.tag, bytes.length - TAG_BYTES)
  return bytes
}

/** Errors: `store-damaged`. */
export function scanLog(file: string, read: Uint8Array, epoch: number, sealer: Sealer): ScannedLog {
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.length)
  const damaged = (): StoreDamaged => new StoreDamaged(file, 'its log is not what was written')
  const head = bytes.subarray(0, LOG_HEADER_BYTES)
  const isOurs = head.length === LOG_HEADER_BYTES && isSigned(head, LOG_BOUND_BYTES, sealer)
  if (!isOurs || head.readBigUInt64LE(8) !== BigInt(epoch)) throw damaged()
  const records: LogRecord[] = []
  let at = LOG_HEADER_BYTES
  while (at < bytes.length) {
    const record = readRecord(bytes, at, records.length, sealer)
    if (record === 'damaged') throw damaged()
    if (record === 'torn') break
    records.push(record.record)
    at = record.end
  }
  return { records, end: at }
}

type Found = { readonly record: LogRecord; readonly end: number } | 'torn' | 'damaged'

function readRecord(bytes: Buffer, at: number, sequence: number, sealer: Sealer): Found {
  const head = bytes.subarray(at, at + RECORD_HEADER_BYTES)
  if (!isRecordHead(head, sealer)) {
    if (hasRecordAfter(bytes, at, sealer)) return 'damaged'
    return head.length < RECORD_HEADER_BYTES || isZero(head) ? 'torn' : 'damaged'
  }
  const [held, count, body] = [head.readUInt32LE(4), head.readUInt32LE(8), head.readUInt32LE(12)]
  if (Number(head.readBigUInt64LE(16)) !== sequence) return 'damaged'
  const end = at + RECORD_HEADER_BYTES + body
  if (end > bytes.length) return 'torn'
  const plaintext = sealer.open(
    {
      nonce: head.subarray(RECORD_HEADER_BYTES - NONCE_BYTES),
      bytes: bytes.subarray(at + RECORD_HEADER_BYTES, end - TAG_BYTES),
      tag: bytes.subarray(end - TAG_BYTES, end),
    },
    boundOf(head),
  )
  if (plaintext === undefined) {
    return end === bytes.length && hasUnwrittenSector(bytes, at, end) ? 'torn' : 'damaged'
  }
  const pages = readPages(plaintext, held, count)
  return pages === undefined ? 'damaged' : { record: { sequence, count, pages }, end }
}

function readPages(plaintext: Uint8Array, held: number, count: number): Map<number, Uint8Array> | undefined {
  if (held * ENTRY_BYTES > plaintext.length || count > MAX_PAGES) return undefined
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.length)
  const pages = new Map<number, Uint8Array>()
  for (let i = 0; i < held; i += 1) {
    const at = i * ENTRY_BYTES
    pages.set(view.getUint32(at, true), Uint8Array.from(plaintext.subarray(at + 4, at + ENTRY_BYTES)))
  }
  return pages
}

/** What a body is bound to: all of its head but the body's own nonce. */
const boundOf = (head: Uint8Array): Uint8Array => head.subarray(0, RECORD_HEADER_BYTES - NONCE_BYTES)

const NOTHING = new Uint8Array()

function signHead(bytes: Uint8Array, bound: number, sealer: Sealer): void {
  const { nonce, tag } = sealer.seal(NOTHING, bytes.subarray(0, bound))
  bytes.set(nonce, bound)
  bytes.set(tag, bound + NONCE_BYTES)
}

function isSigned(bytes: Uint8Array, bound: number, sealer: Sealer): boolean {
  const nonce = bytes.subarray(bound, bound + NONCE_BYTES)
  const tag = bytes.subarray(bound + NONCE_BYTES, bound + NONCE_BYTES + TAG_BYTES)
  return sealer.open({ nonce, tag, bytes: NOTHING }, bytes.subarray(0, bound)) !== undefined
}

const isRecordHead = (head: Buffer, sealer: Sealer): boolean =>
  head.length === RECORD_HEADER_BYTES &&
  head.readUInt32LE(0) === RECORD_MAGIC &&
  isSigned(head, RECORD_BOUND_BYTES, sealer)

function hasRecordAfter(bytes: Buffer, at: number, sealer: Sealer): boolean {
  for (let next = at + ALIGNMENT; next < bytes.length; next += ALIGNMENT) {
    if (isRecordHead(bytes.subarray(next, next + RECORD_HEADER_BYTES), sealer)) return true
  }
  return false
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

function hasUnwrittenSector(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; ) {
    const next = Math.min(to, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES)
    if (isZero(bytes.subarray(at, next))) return true
    at = next
  }
  return false
}
