/**
 * The replication of real stores: what one node writes every other one holds, whoever was away meanwhile; what is deleted stays deleted;
 * nobody writes in another's name.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EntryChange } from '../../src/actors/index.ts'
import { House } from './house.ts'

const put = (key: string, value: unknown): EntryChange => ({ change: 'put', key, value })
const drop = (key: string): EntryChange => ({ change: 'delete', key })

describe('stores of one household', () => {
  it('hold what any of them wrote, and tell whoever follows', async () => {
    const house = new House()
    const [a, b, c] = [await house.move(1), await house.move(2), await house.move(3)]
    house.link(a, b)
    // c is reached through b alone.
    house.link(b, c)
    const heard: unknown[] = []
    c.store.follow('list', { hear: ({ changes }) => heard.push(...changes), failed: () => undefined })
    await a.store.apply('list', [put('milk', 1), put('eggs', 2)])
    await c.store.apply('list', [put('bread', 3)])
    await house.agreed()
    expect(await a.store.list('list')).toEqual(await c.store.list('list'))
    expect((await a.store.list('list')).map(({ key }) => key)).toEqual(['bread', 'eggs', 'milk'])
    await c.store.list('list')
    expect(heard).toEqual(expect.arrayContaining([put('milk', 1), put('eggs', 2), put('bread', 3)]))
  })

  it('agree after both sides of a cut went on, and what was deleted does not come back', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    house.link(a, b)
    await a.store.apply('list', [put('milk', 1), put('eggs', 1), put('soap', 1)])
    await house.agreed()
    house.cut(a, b)
    await a.store.apply('list', [drop('milk'), put('tea', 1)])
    await b.store.apply('list', [put('salt', 1), put('soap', 2)])
    await b.store.apply('list', [put('soap', 3)])
    await a.store.apply('list', [put('soap', 9)])
    house.link(a, b)
    await house.agreed()
    expect(await a.store.list('list')).toEqual([
      { key: 'eggs', value: 1 },
      { key: 'salt', value: 1 },
      // Written more often there.
      { key: 'soap', value: 3 },
      { key: 'tea', value: 1 },
    ])
  })

  it('agree although the link between them breaks again and again', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    for (let i = 0; i < 60; i += 1) {
      if (i % 3 === 0) house.link(a, b)
      if (i % 3 === 2) house.cut(a, b)
      await Promise.all([
        a.store.apply('c', [put(`a${i % 7}`, i), drop(`b${(i + 1) % 5}`)]),
        b.store.apply('c', [put(`b${i % 5}`, i)]),
      ])
    }
    house.link(a, b)
    await house.agreed()
    expect((await a.store.list('c')).filter(({ key }) => key.startsWith('a'))).toHaveLength(7)
  })

  it('give one that comes late everything, from whoever has it', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    house.link(a, b)
    for (let i = 0; i < 40; i += 1) {
      await a.store.apply(
        'many',
        Array.from({ length: 50 }, (_, j) => put(`k${i}-${j}`, 'v'.repeat(100))),
      )
    }
    await house.agreed()
    // The writer is gone for good; the other one has its log.
    house.cut(a, b)
    const late = await house.move(3)
    house.link(b, late)
    await house.agreed([b, late])
    expect(await late.store.list('many')).toHaveLength(2_000)
  }, 60_000)

  it('go on as another writer when a directory turns out to be an older copy', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    house.link(a, b)
    await a.store.apply('c', [put('before', 1)])
    await house.agreed()
    const copy = `${a.directory}-copy`
    // Closed in order, so that the copy is whole.
    house.cut(a, b)
    await a.store.close()
    cpSync(a.directory, copy, { recursive: true })
    house.homes.splice(house.homes.indexOf(a), 1)
    const original = await house.move(1, a.directory)
    house.link(original, b)
    await original.store.apply('c', [put('after', 1)])
    await house.agreed([original, b])
    house.cut(original, b)
    await original.store.close()
    house.homes.splice(house.homes.indexOf(original), 1)
    const older = await house.move(1, copy)
    house.link(older, b)
    await house.agreed([older, b])
    expect(older.notices).toEqual([expect.stringContaining('older copy')])
    await older.store.apply('c', [put('newest', 1)])
    await house.agreed([older, b])
    expect((await b.store.list('c')).map(({ key }) => key)).toEqual(['after', 'before', 'newest'])
  })

  it('fill the gap of one whose files were damaged', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    house.link(a, b)
    await a.store.apply('c', [put('mine', 1)])
    await b.store.apply('c', [put('theirs', 1)])
    await house.agreed()
    house.cut(a, b)
    await a.store.close()
    house.homes.splice(house.homes.indexOf(a), 1)
    const path = join(a.directory, 'replica-table')
    const bytes = readFileSync(path)
    for (let i = 40; i < bytes.length; i += 7) bytes[i]! ^= 0x55
    writeFileSync(path, bytes)
    const again = await house.move(1, a.directory)
    expect(again.notices).toEqual([expect.stringContaining('put aside')])
    expect(await again.store.list('c')).toEqual([])
    house.link(again, b)
    await house.agreed([again, b])
    expect((await again.store.list('c')).map(({ key }) => key)).toEqual(['mine', 'theirs'])
    await again.store.apply('c', [put('mine', 2)])
    await house.agreed([again, b])
    expect(await b.store.get('c', 'mine')).toEqual({ key: 'mine', value: 2 })
  })

  it('do not believe who is not of the household', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    await a.store.apply('c', [put('x', 1)])
    b.store.links.believe([])
    house.link(a, b)
    await b.store.apply('c', [put('y', 1)])
    await b.store.digest()
    expect((await b.store.list('c')).map(({ key }) => key)).toEqual(['y'])
    b.store.links.believe([a.id])
    house.cut(a, b)
    house.link(a, b)
    await house.agreed()
  })

  it('keep a log short that is written over and over', async () => {
    const house = new House()
    const [a, b] = [await house.move(1), await house.move(2)]
    house.link(a, b)
    const own = (): number =>
      a.store.replication()!.writers.find(({ origin }) => origin.startsWith(a.id))?.bytes ?? 0
    let most = 0
    for (let i = 0; i < 400; i += 1) {
      await a.store.apply('c', [put(`k${i % 4}`, `${i} `.repeat(300))])
      most = Math.max(most, own())
    }
    await house.agreed()
    while (own() > 100_000) await new Promise((resolve) => setImmediate(resolve))
    expect(most).toBeGreaterThan(64 * 1024)
    // A late one starts from what is left of it.
    house.cut(a, b)
    const late = await house.move(3)
    house.link(a, late)
    await house.agreed([a, late])
  }, 60_000)
})
