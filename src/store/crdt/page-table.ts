/**
 * The page table: which bytes are the right ones for every page of the page file. It is replaced as a whole at each checkpoint, so it
 * is also what moves the database from one state to the next. A page that was moved, torn, or put back from an older state opens
 * with no entry but its own former one.
 *
 *   0   8   "loqatab1"
 *   8   4   bytes of a page
 *   12  8   epoch: checkpoints so far
 *   20  4   pages
 *   24  16  salt, random per database
 *   40  16  key check
 *   56  4   CRC-32 of bytes 0 to 55
 *   60  12  nonce
 *   72  16  tag
 *   88  28 a page: nonce, tag; sealed together, bound to bytes 0 to 59
 *
 * Integers are little-endian. The checksum tells damage from a wrong key; that nobody wrote it but us, the tag tells.
 */
import { crc32 } from 'node:zlib'
import { StoreDamaged } from '../errors.ts'
import { StoreKeyWrong } from './errors.ts'
import { CHECK_BYTES, NONCE_BYTES, SALT_BYTES, type Sealers, type SealersOf, TAG_BYTES } from './seal.ts'

export const PAGE_BYTES = 4096
/** 4 GiB, and a table of 28 MB: a thousand times what a household coordinates. */
export const MAX_PAGES = 1 << 20

export interface PageEntry {
  readonly nonce: Uint8Array
  readonly tag: Uint8Array
}

export interface PageTable {
  readonly epoch: number
  readonly salt: Uint8Array
  readonly entries: readonly PageEntry[]
}

const MAGIC = Buffer.from('loqatab1')
const HEADER_BYTES = 60
const NONCE_AT = HEADER_BYTES
const TAG_AT = NONCE_AT + NONCE_BYTES
const BODY_AT = TAG_AT + TAG_BYTES
const ENTRY_BYTES = NONCE_BYTES + TAG_BYTES

export function encodeTable({ epoch, salt, entries }: PageTable, sealers: Sealers): Uint8Array {
  const bytes = Buffer.alloc(BODY_AT + entries.length * ENTRY_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(PAGE_BYTES, 8)
  bytes.writeBigUInt64LE(BigInt(epoch), 12)
  bytes.writeUInt32LE(entries.length, 20)
  bytes.set(salt, 24)
  bytes.set(sealers.check, 40)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 56)), 56)
  const body = Buffer.alloc(entries.length * ENTRY_BYTES)
  for (const [i, { nonce, tag }] of entries.entries()) {
    body.set(nonce, i * ENTRY_BYTES)
    body.set(tag, i * ENTRY_BYTES + NONCE_BYTES)
  }
  const sealed = sealers.sealer('table').seal(body, bytes.subarray(0, HEADER_BYTES))
  bytes.set(sealed.nonce, NONCE_AT)
  bytes.set(sealed.tag, TAG_AT)
  bytes.set(sealed.bytes, BODY_AT)
  return bytes
}

/** Errors: `store-damaged`, `store-key-wrong`. */
export function decodeTable(file: string, read: Uint8Array, sealersOf: SealersOf): PageTable {
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.length)
  const damaged = (): StoreDamaged => new StoreDamaged(file, 'its page table is not what was written')
  if (bytes.length < BODY_AT || !bytes.subarray(0, 8).equals(MAGIC)) throw damaged()
  if (bytes.readUInt32LE(56) !== crc32(bytes.subarray(0, 56))) throw damaged()
  const count = bytes.readUInt32LE(20)
  const epoch = Number(bytes.readBigUInt64LE(12))
  if (bytes.readUInt32LE(8) !== PAGE_BYTES || count > MAX_PAGES || !Number.isSafeInteger(epoch))
    throw damaged()
  if (bytes.length !== BODY_AT + count * ENTRY_BYTES) throw damaged()
  const salt = Uint8Array.from(bytes.subarray(24, 24 + SALT_BYTES))
  const sealers = sealersOf(salt)
  if (!bytes.subarray(40, 40 + CHECK_BYTES).equals(sealers.check)) throw new StoreKeyWrong(file)
  const sealed = {
    nonce: bytes.subarray(NONCE_AT, TAG_AT),
    tag: bytes.subarray(TAG_AT, BODY_AT),
    bytes: bytes.subarray(BODY_AT),
  }
  const body = sealers.sealer('table').open(sealed, bytes.subarray(0, HEADER_BYTES))
  if (body === undefined) throw damaged()
  const entries: PageEntry[] = []
  for (let at = 0; at < body.length; at += ENTRY_BYTES) {
    entries.push({
      nonce: body.subarray(at, at + NONCE_BYTES),
      tag: body.subarray(at + NONCE_BYTES, at + ENTRY_BYTES),
    })
  }
  return { epoch, salt, entries }
}
