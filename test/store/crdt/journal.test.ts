/**
 * The signed logs beside the tables they made: what was acknowledged can be told to others, whatever happens to process and power; what
 * comes from others is kept with its rows or not at all.
 */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { digestOf } from '../../../src/store/crdt/digest.ts'
import { MIGRATIONS, type Migration } from '../../../src/store/crdt/schema.ts'
import { nextLife } from '../../../src/store/crdt/writer.ts'
import { originKey, originOf } from '../../../src/store/sync/index.ts'
import { entriesOf, give, type Journaled, openJournaled, write } from './journaled.ts'
import { MortalDisk, PowerCut } from './mortal-disk.ts'
import { codeOf } from './opening.ts'

const own = ({ journal }: Journaled) => journal.ownExtent

describe('the own log', () => {
  it('J1 reaches as far as the tables after every flush, wherever the power was cut', async () => {
    const random = new SimulatedRandom(7)
    let cuts = 0
    for (let round = 0; round < 40; round += 1) {
      const disk = new MortalDisk()
      const first = await openJournaled(1, { path: '/d/db', files: disk })
      disk.left = 1 + random.below(30)
      const kept: Record<string, string> = {}
      let last: Record<string, string> = {}
      try {
        for (let i = 0; i < 12; i += 1) {
          last = { [`k${i % 4}`]: `v${round}-${i}`, [`l${i % 3}`]: `w${round}-${i}` }
          write(first, last)
          Object.assign(kept, last)
        }
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(PowerCut)
        cuts += 1
      }
      const again = await openJournaled(1, { path: '/d/db', files: disk.afterCut(() => random.float()) })
      // What was under way may have become durable as a whole.
      const found = entriesOf(again)
      expect([kept, { ...kept, ...last }]).toContainEqual(found)
      // Whoever is told the log holds the same.
      const other = await openJournaled(2)
      if (own(again).version > 0) expect(give(again, other)).toMatchObject({ fault: undefined, wrong: 0 })
      expect(entriesOf(other)).toEqual(found)
      write(again, { more: 'after' })
      give(again, other)
      expect(entriesOf(other)).toEqual(entriesOf(again))
      again.close()
      other.close()
    }
    expect(cuts).toBeGreaterThan(20)
  }, 120_000)

  it('refuses a transaction that fits no batch, and goes on', async () => {
    const a = await openJournaled(1)
    const large = Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`k${i}`, 'v']))
    expect(codeOf(() => write(a, large))).toBe('store-too-large')
    await a.database.discard()
    a.journal.reload()
    write(a, { small: '1' })
    expect(entriesOf(a)).toEqual({ small: '1' })
    a.close()
  })

  it('signed anew is short, and gives the same', async () => {
    const [a, b] = [await openJournaled(1), await openJournaled(2)]
    for (let i = 0; i < 200; i += 1) write(a, { [`k${i % 3}`]: `${i} `.repeat(200), [`d${i}`]: 'x' })
    for (let i = 0; i < 190; i += 1) write(a, { [`d${i}`]: null })
    const before = own(a)
    const held = new Map([[originKey(a.self), before.version]])
    expect(a.journal.compact(new Map([[originKey(a.self), before.version - 1]]))).toBe('moved-on')
    expect(a.journal.compact(held)).toBe('compacted')
    expect(a.journal.compact(held)).toBe('short')
    expect(own(a)).toMatchObject({ version: before.version, edition: 1 })
    expect(own(a).bytes).toBeLessThan(before.bytes / 2)
    a.journal.reload()
    for (let above = 0; above < own(a).version; ) above = give(a, b, above).through
    expect(entriesOf(b)).toEqual(entriesOf(a))
    expect(b.database.with(digestOf)).toEqual(a.database.with(digestOf))
    a.close()
    b.close()
  })
})

describe('logs of others', () => {
  it('J3 drag no counter along', async () => {
    const [a, b] = [await openJournaled(1), await openJournaled(2)]
    for (let i = 0; i < 300; i += 1) write(a, { k: `${i}` })
    give(a, b)
    write(b, { mine: '1' })
    expect(own(b).version).toBeLessThan(10)
    a.close()
    b.close()
  })

  it('are given on as they were signed, by whoever holds them', async () => {
    const [a, b, c] = [await openJournaled(1), await openJournaled(2), await openJournaled(3)]
    write(a, { x: '1' })
    write(a, { x: '2', y: '1' })
    give(a, b)
    const origin = originKey(a.self)
    c.journal.store(origin, b.journal.answer(origin, 0, 0))
    expect(entriesOf(c)).toEqual({ x: '2', y: '1' })
    expect(c.journal.answer(origin, 0, 0)).toEqual(a.journal.answer(origin, 0, 0))
    for (const { close } of [a, b, c]) close()
  })

  it('J2 with rows of a newer schema are parked, and read again when this node has it', async () => {
    const newer: Migration = {
      version: 2,
      alter: [{ table: 'entries', sql: ['ALTER TABLE entries ADD COLUMN note TEXT'] }],
    }
    const path = `${(await import('./opening.ts')).scratch()}/db`
    const [a, old] = [
      await openJournaled(1, { migrations: [...MIGRATIONS, newer] }),
      await openJournaled(2, { path }),
    ]
    a.database.write([{ sql: "INSERT INTO entries VALUES ('c', 'x', '1', 'of tomorrow')" }])
    a.journal.seal()
    a.database.flush()
    expect(give(a, old)).toMatchObject({ parked: true, wrong: 0, fault: undefined })
    expect(entriesOf(old)).toEqual({ x: '1' })
    expect([...old.journal.contents().parked.keys()]).toEqual([originKey(a.self)])
    old.database.flush()
    old.close()
    const updated = await openJournaled(2, { path, migrations: [...MIGRATIONS, newer] })
    const { above } = updated.journal.contents().parked.get(originKey(a.self))!
    expect(updated.journal.replay(originKey(a.self), above)).toBeUndefined()
    expect(updated.database.read({ sql: 'SELECT note FROM entries' }, 1)).toEqual([['of tomorrow']])
    a.close()
    updated.close()
  })

  it('of an earlier life of this node are another writer', async () => {
    const [a, b] = [await openJournaled(1), await openJournaled(2)]
    write(a, { x: 'first life' })
    give(a, b)
    const next = await nextLife(a.database, a.journal.contents())
    a.journal.adopt(next)
    const risen = { ...a, self: next }
    write(risen, { x: 'second life', y: '1' })
    expect(give(risen, b)).toMatchObject({ fault: undefined, wrong: 0 })
    expect(entriesOf(b)).toEqual({ x: 'second life', y: '1' })
    expect([...b.journal.contents().held.keys()].map((origin) => originOf(origin).life)).toEqual([0, 1])
    a.close()
    b.close()
  })
})
