/**
 * cr-sqlite's packed primary keys (its `pack_columns.rs`): a byte that counts the columns, then per column a byte of type (low three bits)
 * and length of the length (high five), the length or integer big-endian in that many bytes, the content. An empty or cut one panics
 * the extension, so all of it is read here first. Only the shortest spelling counts: a key has one.
 */
import { MAX_KEY_BYTES, MAX_KEY_COLUMNS } from './bounds.ts'
import type { KeyType } from './schema.ts'

const INTEGER = 1
const TEXT = 3
const BLOB = 4
const TYPES: Readonly<Record<number, KeyType>> = { [INTEGER]: 'integer', [TEXT]: 'text', [BLOB]: 'blob' }

export type KeyPart = bigint | string | Uint8Array

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

/** The columns' values, or undefined when it is no packed key of columns of these types. Never throws. */
export function unpackKey(bytes: Uint8Array, types: readonly KeyType[]): readonly KeyPart[] | undefined {
  if (bytes.length < 2 || bytes.length > MAX_KEY_BYTES) return undefined
  const count = bytes[0]!
  if (count !== types.length || count > MAX_KEY_COLUMNS) return undefined
  const cursor: Cursor = { bytes, at: 1 }
  const parts: KeyPart[] = []
  for (const type of types) {
    const part = unpackPart(cursor, type)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return cursor.at === bytes.length ? parts : undefined
}

function unpackPart(cursor: Cursor, wanted: KeyType): KeyPart | undefined {
  const head = cursor.bytes[cursor.at]
  if (head === undefined) return undefined
  const width = head >> 3
  cursor.at += 1
  if (TYPES[head & 7] !== wanted || width > 8) return undefined
  const value = unpackNumber(cursor, width)
  if (value === undefined) return undefined
  if (wanted === 'integer') return BigInt.asIntN(64, value)
  if (width > 4 || value > BigInt(cursor.bytes.length - cursor.at)) return undefined
  const content = cursor.bytes.subarray(cursor.at, cursor.at + Number(value))
  cursor.at += content.length
  return wanted === 'blob' ? content : textOf(content)
}

/** Big-endian and unsigned, without a leading zero byte. */
function unpackNumber(cursor: Cursor, width: number): bigint | undefined {
  if (cursor.at + width > cursor.bytes.length) return undefined
  let value = 0n
  for (let i = 0; i < width; i += 1) value = (value << 8n) | BigInt(cursor.bytes[cursor.at + i]!)
  if (width > 0 && cursor.bytes[cursor.at] === 0) return undefined
  cursor.at += width
  return value
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** The packed key of these values; numbers and bigints are integers. */
export function packKey(parts: readonly (number | KeyPart)[]): Uint8Array {
  const chunks: Uint8Array[] = [Uint8Array.of(parts.length)]
  for (const part of parts) {
    if (typeof part === 'number' || typeof part === 'bigint') chunks.push(packNumber(INTEGER, BigInt(part)))
    else {
      const content = typeof part === 'string' ? Buffer.from(part, 'utf8') : part
      chunks.push(packNumber(typeof part === 'string' ? TEXT : BLOB, BigInt(content.length)), content)
    }
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function packNumber(type: number, value: bigint): Uint8Array {
  const digits: number[] = []
  for (let rest = BigInt.asUintN(64, value); rest > 0n; rest >>= 8n) digits.unshift(Number(rest & 0xffn))
  return Uint8Array.of((digits.length << 3) | type, ...digits)
}
