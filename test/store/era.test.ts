/** Orders to wipe: which counts, whom they bind, and what is no order. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { realHost } from '../../src/host/real.ts'
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
import { finishWiping, noteOrder, takeOver } from '../../src/store/wiping.ts'
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

describe('an order to wipe on a disk', () => {
  const { disk, random } = realHost()
  const begin = (): string => {
    const directory = mkdtempSync(join(tmpdir(), 'loqa-wipe-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    mkdirSync(join(directory, 'backups', 'then'), { recursive: true })
    for (const name of [
      'store.key',
      'replica',
      'replica-log-3',
      'timeline.db-wal',
      'damaged-1-replica',
      'audit.log',
    ])
      writeFileSync(join(directory, name), 'content')
    writeFileSync(join(directory, 'backups', 'then', 'replica'), 'content')
    return directory
  }

  it('is carried out at the next start, wherever the last one ended, and once', async () => {
    const directory = begin()
    expect(await finishWiping({ disk, random }, directory, a.node)).toEqual({ era: undefined, wiped: false })
    expect(readdirSync(directory)).toContain('store.key')
    const order = orderBy(b)
    await noteOrder(disk, directory, a.node, order)
    // The process ended in the middle of it.
    rmSync(join(directory, 'replica'))
    expect(await finishWiping({ disk, random }, directory, a.node)).toEqual({ era: order, wiped: true })
    expect(readdirSync(directory).toSorted()).toEqual(['audit.log', 'backups', 'wiped.json'])
    expect(readdirSync(join(directory, 'backups', 'then'))).toEqual([])
    writeFileSync(join(directory, 'store.key'), 'a new one')
    expect(await finishWiping({ disk, random }, directory, a.node)).toEqual({ era: order, wiped: false })
    expect(readdirSync(directory)).toContain('store.key')
  })

  it('leaves alone whom it does not bind, and is nothing to a node that was given a new identity', async () => {
    const directory = begin()
    await takeOver(disk, directory, c.node, orderBy(a))
    expect(await finishWiping({ disk, random }, directory, c.node)).toEqual({ era: orderBy(a), wiped: false })
    expect(await finishWiping({ disk, random }, directory, b.node)).toEqual({ era: undefined, wiped: false })
    expect(readdirSync(directory)).toContain('replica')
  })
})

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
    const kept = { order: orderBy(a), node: a.node, done: false }
    expect(readKeptOrder(JSON.stringify(kept))).toEqual(kept)
  })
})
