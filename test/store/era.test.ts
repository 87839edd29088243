/** Orders to wipe: which counts, whom they bind, and what is no order. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signaturesWith } from '../../src/store/crdt/signatures.ts'
import {
  binds,
  compareEras,
  decodeEra,
  encodeEra,
  giveOrder,
  isGenuine,
  readKeptOrder,
  type WipeOrder,
} from '../../src/store/era.ts'
import { writerOf } from './writers.ts'

const [a, b, c] = [1, 2, 3].map(writerOf) as [
  ReturnType<typeof writerOf>,
  ReturnType<typeof writerOf>,
  ReturnType<typeof writerOf>,
]
const signatures = signaturesWith(a.seed)
const everybody = (): boolean => true
const orderBy = (writer: typeof a, before?: WipeOrder, id = '00000000000000aa'): WipeOrder =>
  giveOrder(before, { id, by: writer.node, at: 5, members: [a.node, b.node] }, signaturesWith(writer.seed))

describe('an order to wipe', () => {
  it('E1 is later than those it counts; of two given apart the greater id is', () => {
    const first = orderBy(a)
    const second = orderBy(b, first)
    const apart = orderBy(b, undefined, '00000000000000ab')
    expect(compareEras(undefined, undefined)).toBe(0)
    expect(compareEras(first, { ...first })).toBe(0)
    for (const [earlier, later] of [
      [undefined, first],
      [first, second],
      [first, apart],
      [apart, second],
    ] as const) {
      expect(compareEras(earlier, later)).toBeLessThan(0)
      expect(compareEras(later, earlier)).toBeGreaterThan(0)
    }
  })

  it('E2 binds who belonged when it was given', () => {
    const order = orderBy(a)
    expect([a, b, c].map(({ node }) => binds(order, node))).toEqual([true, true, false])
  })

  it('E3 counts when a member signed all of it', () => {
    const order = orderBy(b)
    expect(isGenuine(order, signatures, everybody)).toBe(true)
    expect(isGenuine(order, signatures, (node) => node !== b.node)).toBe(false)
    const changes: Partial<WipeOrder>[] = [
      { count: 2 },
      { id: '00000000000000ab' },
      { by: a.node },
      { at: 6 },
      { members: [a.node, b.node, c.node] },
      { signature: '0'.repeat(128) },
    ]
    for (const change of changes)
      expect(isGenuine({ ...order, ...change }, signatures, everybody)).toBe(false)
  })

  it('comes over a link as it was sent, and so does that there is none', () => {
    for (const era of [undefined, orderBy(a)]) expect(decodeEra(encodeEra(a.node, era))).toEqual({ era })
  })

  it('is not made of anything else, whatever comes', () => {
    const frame = encodeEra(a.node, orderBy(a))
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(40), (at, byte, cut) => {
        const bytes = Uint8Array.from(frame.subarray(0, frame.length - (cut > 30 ? cut - 30 : 0)))
        if (at < bytes.length) bytes[at] = byte
        const shown = decodeEra(bytes)
        if (shown?.era === undefined) return
        const same = Buffer.compare(bytes, frame) === 0
        // What decodes is whole; what was changed in it is not signed.
        if (!same && compareEras(shown.era, orderBy(a)) !== 0)
          expect(isGenuine(shown.era, signatures, everybody)).toBe(false)
      }),
      { numRuns: 10_000, seed: 20_261_126 },
    )
    for (const text of ['', '{}', 'null', '{"order":{},"done":true}', '[1]', '{"order":null,"done":false}'])
      expect(readKeptOrder(text)).toBeUndefined()
    expect(readKeptOrder(JSON.stringify({ order: orderBy(a), done: false }))).toEqual({
      order: orderBy(a),
      done: false,
    })
  })
})
