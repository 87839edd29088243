/**
 * Writes plain data as MessagePack straight into a buffer. The library's writer writes things no reader of ours accepts; this one refuses
 * them where they are made, and stops at a bound. It is no faster: 0.29 µs for 102 bytes, as the library's with one copy.
 *
 * Plain data is null, booleans, numbers, text, arrays, typed arrays of up to 64-bit floats, and objects by their own fields. Fields that
 * are undefined are left out, in arrays they are null.
 */
import { MAX_NESTING } from './limits.ts'
import { TYPED_ARRAY, TYPED_ARRAYS } from './values.ts'

/** It is no plain data: a function, a date, a map, a bigint, or nested too deeply. */
export class UnwritableError extends Error {}

// One writer at a time, and nothing here gives control away: plain variables are quicker than fields.
let buffer: Buffer = Buffer.alloc(0)
let view = new DataView(buffer.buffer)
let at = 0
let limit = 0

const FULL = -1

/** Appends `value` to `into` at `start`; returns where it ends, or −1 when that would be beyond `end`. Errors: `UnwritableError`. */
export function encodeValue(value: unknown, into: Buffer, start: number, end: number): number {
  if (buffer !== into) {
    buffer = into
    view = new DataView(into.buffer, into.byteOffset, into.byteLength)
  }
  at = start
  limit = end
  return write(value, 0) ? at : FULL
}

/** False: no room. */
function write(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return writeText(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return writeByte(value ? 0xc3 : 0xc2)
    case 'undefined':
      return writeByte(0xc0)
    case 'object':
      if (value === null) return writeByte(0xc0)
      if (Array.isArray(value)) return writeArray(value, depth)
      return writeObject(value, depth)
    default:
      throw new UnwritableError(`a ${typeof value} is no plain data`)
  }
}

function writeByte(byte: number): boolean {
  if (at >= limit) return false
  buffer[at] = byte
  at += 1
  return true
}

function writeNumber(value: number): boolean {
  if (at + 9 > limit) return false
  if (Number.isInteger(value) && !Object.is(value, -0)) {
    if (value >= 0) {
      if (value < 0x80) {
        buffer[at++] = value
        return true
      }
      if (value <= 0xffff_ffff) {
        if (value < 0x100) {
          buffer[at++] = 0xcc
          buffer[at++] = value
        } else if (value < 0x1_0000) {
          buffer[at++] = 0xcd
          buffer[at++] = value >> 8
          buffer[at++] = value & 0xff
        } else {
          buffer[at++] = 0xce
          view.setUint32(at, value)
          at += 4
        }
        return true
      }
    } else if (value >= -0x20) {
      buffer[at++] = value & 0xff
      return true
    } else if (value >= -0x8000_0000) {
      buffer[at++] = 0xd2
      view.setInt32(at, value)
      at += 4
      return true
    }
  }
  buffer[at++] = 0xcb
  view.setFloat64(at, value)
  at += 8
  return true
}

/** Up to here a loop is quicker than a call into the runtime. */
const SHORT_TEXT = 64

function writeText(text: string): boolean {
  const { length } = text
  if (length <= SHORT_TEXT) {
    const head = length < 0x20 ? 1 : 2
    if (at + head + length > limit) return false
    let to = at + head
    let i = 0
    for (; i < length; i += 1) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) break
      buffer[to++] = code
    }
    if (i === length) {
      if (head === 1) buffer[at] = 0xa0 | length
      else {
        buffer[at] = 0xd9
        buffer[at + 1] = length
      }
      at = to
      return true
    }
  }
  const bytes = Buffer.byteLength(text, 'utf8')
  if (!writeHead(bytes, 0xa0, 0x20, 0xd9, 0xda, 0xdb)) return false
  if (at + bytes > limit) return false
  at += buffer.write(text, at, bytes, 'utf8')
  return true
}

/** `most`: below, the number is part of the first byte; `one` 0 where there is no form with one byte. */
function writeHead(
  count: number,
  small: number,
  most: number,
  one: number,
  two: number,
  four: number,
): boolean {
  if (at + 5 > limit) return false
  if (count < most) buffer[at++] = small | count
  else if (one !== 0 && count < 0x100) {
    buffer[at++] = one
    buffer[at++] = count
  } else if (count < 0x1_0000) {
    buffer[at++] = two
    buffer[at++] = count >> 8
    buffer[at++] = count & 0xff
  } else {
    buffer[at++] = four
    view.setUint32(at, count)
    at += 4
  }
  return true
}

function writeArray(values: readonly unknown[], depth: number): boolean {
  if (depth >= MAX_NESTING) throw new UnwritableError('it is nested too deeply')
  if (!writeHead(values.length, 0x90, 0x10, 0, 0xdc, 0xdd)) return false
  for (let i = 0; i < values.length; i += 1) if (!write(values[i], depth + 1)) return false
  return true
}

function writeObject(value: object, depth: number): boolean {
  const kind = value.constructor
  if (kind !== Object) {
    if (ArrayBuffer.isView(value)) return writeSamples(value)
    if (NOT_PLAIN.some((each) => value instanceof each)) {
      throw new UnwritableError(`a ${kind?.name} is no plain data`)
    }
  }
  if (depth >= MAX_NESTING) throw new UnwritableError('it is nested too deeply')
  const fields = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(value)
  let count = keys.length
  for (let i = 0; i < keys.length; i += 1) if (fields[keys[i]!] === undefined) count -= 1
  if (!writeHead(count, 0x80, 0x10, 0, 0xde, 0xdf)) return false
  for (let i = 0; i < keys.length; i += 1) {
    const field = fields[keys[i]!]
    if (field === undefined) continue
    if (!writeText(keys[i]!) || !write(field, depth + 1)) return false
  }
  return true
}

const NOT_PLAIN = [Map, Set, WeakMap, WeakSet, Date, RegExp, Error, Promise, ArrayBuffer, SharedArrayBuffer]

/** Extension: kind of array, then its bytes as they are in memory, which is little-endian on all machines Node runs on. */
function writeSamples(samples: ArrayBufferView): boolean {
  const name = Buffer.isBuffer(samples) ? 'Uint8Array' : samples.constructor.name
  const kind = TYPED_ARRAYS.findIndex((each) => each.name === name)
  if (kind < 0) throw new UnwritableError(`a ${name} is no plain data`)
  const bytes = samples.byteLength
  if (at + bytes + 7 > limit) return false
  writeHead(bytes + 1, 0, 0, 0xc7, 0xc8, 0xc9)
  buffer[at++] = TYPED_ARRAY
  buffer[at++] = kind
  buffer.set(new Uint8Array(samples.buffer, samples.byteOffset, bytes), at)
  at += bytes
  return true
}
