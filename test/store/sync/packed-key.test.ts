/** A packed key is read completely or refused, has one spelling, and never throws. */
import { describe, expect, test } from 'vitest'
import { packKey, unpackKey } from '../../../src/store/sync/index.ts'

test('what is packed is unpacked', () => {
  const blob = Uint8Array.of(0, 255)
  const key = packKey(['pasta', 7, '', blob, -1, 2 ** 40])
  expect(unpackKey(key, ['text', 'integer', 'text', 'blob', 'integer', 'integer'])).toEqual([
    'pasta',
    7n,
    '',
    blob,
    -1n,
    2n ** 40n,
  ])
})

test.each([0, 1, 127, 128, 255, 256, 32_767, 32_768, 2 ** 31, 2 ** 53 - 1, -1, -128, -129])(
  'the integer %i comes back',
  (value) => {
    expect(unpackKey(packKey([value]), ['integer'])).toEqual([BigInt(value)])
  },
)

describe('refused', () => {
  const text = packKey(['pasta'])
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a count alone', Uint8Array.of(1)],
    ['cut short', text.subarray(0, -1)],
    ['with bytes to spare', Uint8Array.of(...text, 0)],
    ['a count too high', Uint8Array.of(2, ...text.subarray(1))],
    ['a null', Uint8Array.of(1, 5)],
    ['a float', Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a length that lies', Uint8Array.of(1, 11, 200)],
    ['a length of eight bytes', Uint8Array.of(1, (8 << 3) | 3, 1, 0, 0, 0, 0, 0, 0, 0)],
    ['a length with a zero before it', Uint8Array.of(1, (2 << 3) | 3, 0, 1, 65)],
    ['bytes that are no text', Uint8Array.of(1, 11, 1, 0xff)],
    ['a width beyond eight', Uint8Array.of(1, (9 << 3) | 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)],
  ])('%s', (_, key) => {
    expect(unpackKey(key, ['text'])).toBeUndefined()
    expect(unpackKey(key, ['integer'])).toBeUndefined()
  })
})
