/**
 * Values one after the other in one piece of bytes: what a frame of many small messages is made of. Plain MessagePack, and
 * typed arrays as extension 0x74 (first byte: which kind), so that samples arrive as what they were.
 *
 * As in `msgpack-shape.ts` nothing is built before its shape is known. A value that is whole but not acceptable spoils only
 * itself; where it ends is known. Only when that is not known is the rest lost.
 */
import { unpackValue } from './codec.ts'
import { MAX_NESTING } from './limits.ts'

export type ValueFault =
  /** This value only: skip it. */
  | 'unacceptable'
  /** The rest cannot be read. */
  | 'broken'

export const TYPED_ARRAY = 0x74
/** By the first byte of the extension. */
export const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const

export class ValueSequence {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #left = new Int32Array(MAX_NESTING + 1)
  readonly #keyed = new Uint8Array(MAX_NESTING + 1)
  #items: number
  /** Where the value read last ends. */
  offset: number

  /** `most_items`: entries of all arrays and maps together; more is broken. */
  constructor(bytes: Uint8Array, offset: number, most_items: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#items = most_items
    this.offset = offset
  }

  get atEnd(): boolean {
    return this.offset >= this.#bytes.length
  }

  /** The next value. */
  next(): { readonly value: unknown } | ValueFault {
    const start = this.offset
    const fault = this.#scan()
    if (fault !== undefined) return fault
    try {
      return { value: unpackValue(this.#bytes, start, this.offset) }
    } catch {
      return 'unacceptable'
    }
  }

  /** Goes over one value without building anything. */
  #scan(): ValueFault | undefined {
    const left = this.#left
    const keyed = this.#keyed
    const bytes = this.#bytes
    const view = this.#view
    const size = bytes.length
    let at = this.offset
    let depth = 0
    let acceptable = true
    left[0] = 1
    keyed[0] = 0
    for (;;) {
      while (left[depth] === 0) {
        if (depth === 0) {
          if (at > size) return 'broken'
          this.offset = at
          return acceptable ? undefined : 'unacceptable'
        }
        depth -= 1
      }
      if (at >= size) return 'broken'
      const remaining = left[depth]!
      left[depth] = remaining - 1
      const head = bytes[at]!
      at += 1
      if (keyed[depth] === 1 && (remaining & 1) === 0 && !isStringHead(head)) acceptable = false
      if (head <= 0x7f || head >= 0xe0) continue
      let count = -1
      let isMap = false
      if (head <= 0x8f) {
        count = head & 0x0f
        isMap = true
      } else if (head <= 0x9f) count = head & 0x0f
      else if (head <= 0xbf) {
        at += head & 0x1f
        continue
      } else {
        if (head === 0xc1) return 'broken'
        const width = HEAD_WIDTH[head - 0xc0]!
        if (at + width > size) return 'broken'
        if (head >= 0xdc) {
          count = (head & 1) === 0 ? view.getUint16(at) : view.getUint32(at)
          isMap = head >= 0xde
          at += width
        } else if (SIZED[head - 0xc0] === 1) {
          const length = width === 1 ? bytes[at]! : width === 2 ? view.getUint16(at) : view.getUint32(at)
          at += width
          if (head >= 0xc7 && head <= 0xc9) {
            if (!isTypedArray(bytes, at, length)) acceptable = false
            at += 1
          }
          at += length
          continue
        } else {
          if (head >= 0xd4 && head <= 0xd8) acceptable = false
          at += width
          continue
        }
      }
      this.#items -= count
      const entries = isMap ? count * 2 : count
      if (this.#items < 0 || entries > size - at) return 'broken'
      if (depth < MAX_NESTING) {
        depth += 1
        left[depth] = entries
        keyed[depth] = isMap ? 1 : 0
      } else {
        // Too deep: read past it without going in.
        acceptable = false
        keyed[depth] = 0
        left[depth] = left[depth]! + entries
      }
    }
  }
}

const isStringHead = (head: number): boolean =>
  (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb)

/** `at` is the extension's type byte, `length` what follows it. */
function isTypedArray(bytes: Uint8Array, at: number, length: number): boolean {
  if (bytes[at] !== TYPED_ARRAY || length < 1) return false
  const kind = TYPED_ARRAYS[bytes[at + 1] ?? 255]
  return kind !== undefined && (length - 1) % kind.BYTES_PER_ELEMENT === 0
}

/** Of 0xc0 … 0xdf: bytes of the length field, or of the value itself. */
const HEAD_WIDTH = [
  0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4,
]
/** Of 0xc0 … 0xdb: 1 where that field is a length of bytes that follow. */
const SIZED = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
