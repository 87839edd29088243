/**
 * Checks the shape of MessagePack bytes without building anything: lengths that fit what is there, bounded nesting and
 * item count, no extension types, string keys. A decoder is only given what passes, so a frame that claims ten million
 * entries costs a few nanoseconds, not eighty megabytes. (MessagePack specification, "Formats".)
 */
import { MAX_FRAME_ITEMS, MAX_NESTING } from './limits.ts'

export type ShapeFault =
  | 'truncated'
  | 'trailing-bytes'
  | 'too-deep'
  | 'too-many-items'
  | 'extension'
  | 'bad-key'
  | 'bad-type'

interface Cursor {
  readonly view: DataView
  offset: number
  items: number
}

/** The first fault, or undefined when `bytes` is exactly one acceptable value. */
export function shapeFault(bytes: Uint8Array): ShapeFault | undefined {
  const cursor: Cursor = {
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    offset: 0,
    items: 0,
  }
  const fault = walk(cursor, 0)
  if (fault) return fault
  return cursor.offset === bytes.length ? undefined : 'trailing-bytes'
}

function walk(cursor: Cursor, depth: number): ShapeFault | undefined {
  if (depth > MAX_NESTING) return 'too-deep'
  const { view } = cursor
  if (cursor.offset >= view.byteLength) return 'truncated'
  const head = view.getUint8(cursor.offset)
  cursor.offset += 1
  if (head <= 0x7f || head >= 0xe0) return undefined
  if (head <= 0x8f) return items(cursor, head & 0x0f, true, depth)
  if (head <= 0x9f) return items(cursor, head & 0x0f, false, depth)
  if (head <= 0xbf) return skip(cursor, head & 0x1f)
  switch (head) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return undefined
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return sized(cursor, 1, skip)
    case 0xc5: // bin 16
    case 0xda: // str 16
      return sized(cursor, 2, skip)
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return sized(cursor, 4, skip)
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return skip(cursor, 1)
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return skip(cursor, 2)
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return skip(cursor, 4)
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return skip(cursor, 8)
    case 0xdc: // array 16
      return sized(cursor, 2, (at, count) => items(at, count, false, depth))
    case 0xdd: // array 32
      return sized(cursor, 4, (at, count) => items(at, count, false, depth))
    case 0xde: // map 16
      return sized(cursor, 2, (at, count) => items(at, count, true, depth))
    case 0xdf: // map 32
      return sized(cursor, 4, (at, count) => items(at, count, true, depth))
    case 0xc1:
      return 'bad-type'
    default:
      return 'extension'
  }
}

function sized(
  cursor: Cursor,
  width: 1 | 2 | 4,
  then: (cursor: Cursor, count: number) => ShapeFault | undefined,
): ShapeFault | undefined {
  const { view, offset } = cursor
  if (offset + width > view.byteLength) return 'truncated'
  cursor.offset += width
  const count =
    width === 1 ? view.getUint8(offset) : width === 2 ? view.getUint16(offset) : view.getUint32(offset)
  return then(cursor, count)
}

function skip(cursor: Cursor, length: number): ShapeFault | undefined {
  cursor.offset += length
  return cursor.offset <= cursor.view.byteLength ? undefined : 'truncated'
}

function items(cursor: Cursor, count: number, keyed: boolean, depth: number): ShapeFault | undefined {
  cursor.items += count
  if (cursor.items > MAX_FRAME_ITEMS) return 'too-many-items'
  // Every entry takes at least one byte (two with a key): a count that cannot fit is refused before the loop.
  if (count * (keyed ? 2 : 1) > cursor.view.byteLength - cursor.offset) return 'truncated'
  for (let i = 0; i < count; i += 1) {
    if (keyed && !isString(cursor)) return 'bad-key'
    const fault = (keyed ? walk(cursor, depth + 1) : undefined) ?? walk(cursor, depth + 1)
    if (fault) return fault
  }
  return undefined
}

function isString(cursor: Cursor): boolean {
  if (cursor.offset >= cursor.view.byteLength) return false
  const head = cursor.view.getUint8(cursor.offset)
  return (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb)
}
