/**
 * One way to write down what is signed or hashed: every value as tag, length, content, behind a domain that says what it
 * is. Two different lists never give the same bytes, so a signature over a certificate can be taken for nothing else.
 */
import { assert } from '../../host/index.ts'

export type Field = string | number | boolean | null | Uint8Array | readonly Field[]

const TEXT = 1
const NUMBER = 2
const BYTES = 3
const LIST = 4
const NULL = 5
const FALSE = 6
const TRUE = 7
const HEADER_BYTES = 5

/** Numbers are integers in [0, 2⁵³); texts are well-formed (schemas refuse others before they come here). */
export function canonical(domain: string, fields: readonly Field[]): Uint8Array {
  const list = [domain, ...fields]
  const bytes = Buffer.allocUnsafe(lengthOf(list))
  write(bytes, 0, list)
  return bytes
}

function contentLength(field: Field): number {
  if (field === null || typeof field === 'boolean') return 0
  if (typeof field === 'number') return 8
  if (typeof field === 'string') return Buffer.byteLength(field, 'utf8')
  if (field instanceof Uint8Array) return field.length
  return field.reduce<number>((sum, part) => sum + lengthOf(part), 0)
}

const lengthOf = (field: Field): number => HEADER_BYTES + contentLength(field)

/** Writes one value at `offset`; returns where the next one goes. */
function write(bytes: Buffer, offset: number, field: Field): number {
  const content = offset + HEADER_BYTES
  const end = content + contentLength(field)
  bytes.writeUInt8(tagOf(field), offset)
  bytes.writeUInt32BE(end - content, offset + 1)
  if (typeof field === 'string') {
    assert(field.isWellFormed(), 'a signed text is well-formed')
    bytes.write(field, content, 'utf8')
  } else if (typeof field === 'number') {
    assert(Number.isSafeInteger(field) && field >= 0, 'a signed number is an integer from 0')
    bytes.writeBigUInt64BE(BigInt(field), content)
  } else if (field instanceof Uint8Array) bytes.set(field, content)
  else if (field !== null && typeof field !== 'boolean') {
    let at = content
    for (const part of field) at = write(bytes, at, part)
  }
  return end
}

function tagOf(field: Field): number {
  if (field === null) return NULL
  if (typeof field === 'boolean') return field ? TRUE : FALSE
  if (typeof field === 'string') return TEXT
  if (typeof field === 'number') return NUMBER
  return field instanceof Uint8Array ? BYTES : LIST
}
