/** Values in a row: what was written is read again; what cannot be is refused where it is made; a bad one spoils itself only. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeValue, limits, UnwritableError, ValueSequence } from '../../src/host/index.ts'

const buffer = Buffer.alloc(64 * 1024)
const written = (...values: readonly unknown[]): Uint8Array => {
  let at = 0
  for (const value of values) at = encodeValue(value, buffer, at, buffer.length)
  return Uint8Array.from(buffer.subarray(0, at))
}
const readAll = (bytes: Uint8Array): unknown[] => {
  const values = new ValueSequence(bytes, 0, 10_000)
  const read: unknown[] = []
  while (!values.atEnd) {
    const next = values.next()
    read.push(typeof next === 'string' ? next : next.value)
    if (next === 'broken') break
  }
  return read
}

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.string({ minLength: 30, maxLength: 300 }),
    fc.int16Array(),
    fc.float32Array(),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 20 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value

describe('values in a row', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1, maxLength: 5 }), (values) => {
        expect(readAll(written(...values))).toEqual(values)
      }),
      { numRuns: 3_000 },
    )
  })

  it('lose what is undefined, and take the fields of an object of a class', () => {
    class Thing {
      readonly a = 1
      readonly #hidden = 2
      get b() {
        return this.#hidden
      }
    }
    expect(readAll(written({ a: undefined, b: [undefined], c: new Thing() }))).toEqual([
      { b: [null], c: { a: 1 } },
    ])
  })

  it.each([
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a set', new Set()],
    ['an error', new Error('x')],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['bigints', new BigInt64Array(1)],
    ['a buffer without a kind', new ArrayBuffer(2)],
    ['a view without a kind', new DataView(new ArrayBuffer(2))],
  ])('are refused where they are made: %s', (_what, value) => {
    expect(() => encodeValue({ deep: [value] }, buffer, 0, buffer.length)).toThrow(UnwritableError)
  })

  it('are refused where they are made when they are too deep, circles among them', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(() => encodeValue(circle, buffer, 0, buffer.length)).toThrow(UnwritableError)
    let deep: unknown = 1
    for (let i = 0; i < limits.MAX_NESTING; i += 1) deep = [deep]
    expect(readAll(written(deep))).toEqual([deep])
    expect(() => encodeValue([deep], buffer, 0, buffer.length)).toThrow(UnwritableError)
  })

  it('never go beyond the room that is left', () => {
    fc.assert(
      fc.property(plain, fc.nat(400), (value, room) => {
        buffer.fill(0xee, 0, 1_000)
        const end = encodeValue(value, buffer, 10, 10 + room)
        expect(end).toBeLessThanOrEqual(10 + room)
        expect(buffer.subarray(10 + room, 500 + room).every((byte) => byte === 0xee)).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['an extension nobody knows', [0xd4, 0x01, 0x00]],
    ['a time', [0xd6, 0xff, 0, 0, 0, 1]],
    ['samples of half a size', [0xc7, 4, 0x74, 3, 0, 1, 2]],
    ['samples of an unknown kind', [0xc7, 2, 0x74, 9, 0]],
    ['a key that is no text', [0x81, 0x01, 0x02]],
    ['too deep', [...Array(30).fill(0x91), 0xc0]],
  ])('spoil only themselves when they are unacceptable: %s', (_what, bytes) => {
    expect(readAll(Uint8Array.from([0x01, ...bytes, 0x02]))).toEqual([1, 'unacceptable', 2])
  })

  it.each([
    ['cut off', [0x92, 0x01]],
    ['a length of more than there is', [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['four thousand million entries', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a byte that means nothing', [0xc1]],
  ])('end the reading when nobody can tell where they end: %s', (_what, bytes) => {
    expect(readAll(Uint8Array.from([0x01, ...bytes])).slice(0, 2)).toEqual([1, 'broken'])
  })
})
