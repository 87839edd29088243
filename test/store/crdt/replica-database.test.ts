import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ReplicaDatabase } from '../../../src/store/crdt/replica-database.ts'
import { MIGRATIONS, type Migration } from '../../../src/store/crdt/schema.ts'
import type { ChangeRow } from '../../../src/store/sync/rows.ts'
import { MortalDisk } from './mortal-disk.ts'
import { codeOf, newSite, openDatabase, scratch } from './opening.ts'

const at = (name = 'db'): string => join(scratch(), name)

const put = (key: string, value: string | null) => ({
  sql: 'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  parameters: ['c', key, value],
})
const drop = (key: string) => ({
  sql: "DELETE FROM entries WHERE collection = 'c' AND key = ?",
  parameters: [key],
})
const entries = (database: ReplicaDatabase): unknown =>
  Object.fromEntries(database.read({ sql: 'SELECT key, value FROM entries ORDER BY key' }, 1_000) as [])

/** All that `from` knows, whoever wrote it. */
const everything = (from: ReplicaDatabase): ChangeRow[] =>
  from.sites().flatMap((site) => [...from.changesSince(0, 5_000, site).rows])

describe('the replica', () => {
  it('holds what was flushed, also after it was opened anew', async () => {
    const path = at()
    const site = newSite()
    const first = await openDatabase(path, { site })
    first.database.write([put('a', '1'), put('b', '2')])
    first.database.flush()
    first.database.write([put('a', '3')])
    first.database.flush()
    const version = first.database.version()
    first.close()
    const second = await openDatabase(path, { site })
    expect(entries(second.database)).toEqual({ a: '3', b: '2' })
    expect(second.database.version()).toBe(version)
    expect(second.database.site()).toEqual(site)
    expect(second.database.verify()).toEqual([])
    second.close()
  })

  it('keeps nothing of what was not flushed, and goes on from what was', async () => {
    const path = at()
    const { database, close } = await openDatabase(path)
    database.write([put('a', '1')])
    database.flush()
    const version = database.version()
    database.write([put('a', '2'), put('b', '2')])
    await database.discard()
    expect(entries(database)).toEqual({ a: '1' })
    expect(database.version()).toBe(version)
    database.write([put('b', '3')])
    database.flush()
    expect(entries(database)).toEqual({ a: '1', b: '3' })
    close()
  })

  it('writes all of a transaction or nothing', async () => {
    const { database, close } = await openDatabase(at())
    const wrong = { sql: 'INSERT INTO entries VALUES (?, ?, ?)', parameters: ['c', null, 'x'] }
    expect(codeOf(() => database.write([put('a', '1'), wrong]))).toBe('store-refused')
    expect(entries(database)).toEqual({})
    close()
  })

  it('survives a power cut with what was flushed, checked before it is used', async () => {
    const disk = new MortalDisk()
    const { database } = await openDatabase('/d/db', { files: disk })
    for (let i = 0; i < 20; i += 1) {
      database.write([put(`k${i}`, `v${i}`)])
      database.flush()
    }
    database.write([put('lost', 'x')])
    const again = await openDatabase('/d/db', { files: disk.afterCut(() => 0.3) })
    expect(again.pages.endedUnclean).toBe(true)
    expect(Object.keys(entries(again.database) as object)).toHaveLength(20)
    again.close()
  })

  it('names damage in whatever page it is, and hands nothing wrong out', async () => {
    const disk = new MortalDisk()
    const { database, close } = await openDatabase('/d/db', { files: disk })
    for (let i = 0; i < 100; i += 1) database.write([put(`k${i}`, 'v'.repeat(100))])
    database.flush()
    const expected = entries(database)
    close()
    const pages = disk.contents.get('/d/db')!.now.length / 4096
    for (let page = 0; page < pages; page += 1) {
      const damaged = disk.copy()
      damaged.contents.get('/d/db')!.now[page * 4096 + 1_000]! ^= 1
      const what = openDatabase('/d/db', { files: damaged }).then(({ database: found }) => {
        expect(found.verify()).toEqual([`page ${page} is not what was written`])
        expect(entries(found)).toEqual(expected)
      })
      // Either it is not needed for these rows, or it is named.
      await what.catch((thrown: unknown) => expect(thrown).toMatchObject({ code: 'store-damaged' }))
    }
    expect(pages).toBeGreaterThan(10)
  })

  it('takes thousands of rows in one commit', async () => {
    const { database, close, pages } = await openDatabase(at())
    database.write(Array.from({ length: 5_000 }, (_, i) => put(`k${i}`, 'v'.repeat(400))))
    database.flush()
    pages.checkpoint()
    expect(database.verify()).toEqual([])
    expect(database.read({ sql: 'SELECT count(*) FROM entries' }, 1)).toEqual([[5_000]])
    close()
  })
})

describe('change rows', () => {
  it('carry everything from one replica to another, exactly', async () => {
    const [a, b] = [await openDatabase(at()), await openDatabase(at())]
    a.database.write([put('x', 'naïve \0 😀'), put('y', ''), put('z', null), put('gone', '1')])
    a.database.write([drop('gone')])
    expect(b.database.merge(a.database.changesSince(0, 100).rows)).toBeGreaterThan(0)
    expect(entries(b.database)).toEqual({ x: 'naïve \0 😀', y: '', z: null })
    expect(everything(b.database)).toEqual(everything(a.database))
    expect(b.database.merge(a.database.changesSince(0, 100).rows)).toBe(0)
    a.close()
    b.close()
  })

  it('converge whatever the order and however often: the greater version wins, then the greater value', async () => {
    const replicas = await Promise.all(Array.from({ length: 3 }, () => openDatabase(at())))
    const [a, b, c] = replicas.map(({ database }) => database) as [
      ReplicaDatabase,
      ReplicaDatabase,
      ReplicaDatabase,
    ]
    a.write([put('x', 'a')])
    b.write([put('x', 'b'), put('y', 'b')])
    b.write([drop('y')])
    c.write([put('y', 'c')])
    c.write([put('y', 'cc')])
    for (let round = 0; round < 2; round += 1)
      for (const from of [c, a, b])
        for (const to of [b, c, a]) {
          const rows = everything(from)
          to.merge(rows.toReversed())
          to.merge(rows)
        }
    expect(entries(a)).toEqual(entries(b))
    expect(entries(b)).toEqual(entries(c))
    expect((entries(a) as { x: string }).x).toBe('b')
    for (const { close } of replicas) close()
  })

  it('come in whole transactions, bounded, and add up to all', async () => {
    const { database, close } = await openDatabase(at())
    for (let i = 0; i < 30; i += 1) database.write([put(`a${i}`, '1'), put(`b${i}`, '1'), put(`c${i}`, '1')])
    database.write(Array.from({ length: 20 }, (_, i) => put(`large${i}`, '1')))
    const sizes: number[] = []
    const keys = new Set<string>()
    for (let since = 0, more = true; more; ) {
      const batch = database.changesSince(since, 10)
      sizes.push(batch.rows.length)
      for (const { pk } of batch.rows) keys.add(Buffer.from(pk).toString('hex'))
      expect(batch.rows.every(({ db_version }) => db_version > batch.since && db_version <= batch.to)).toBe(
        true,
      )
      since = batch.to
      more = batch.more
    }
    expect(sizes).toEqual([...Array.from({ length: 10 }, () => 9), 20])
    expect(keys.size).toBe(110)
    expect(database.changesSince(database.version(), 10)).toMatchObject({ rows: [], more: false })
    close()
  })

  it('are merged together with what this node notes of them, or neither is', async () => {
    const notes: Migration = {
      version: 2,
      local: ['CREATE TABLE notes (site BLOB PRIMARY KEY NOT NULL, upto INTEGER)'],
    }
    const [a, b] = [
      await openDatabase(at()),
      await openDatabase(at(), { migrations: [...MIGRATIONS, notes] }),
    ]
    a.database.write([put('x', '1')])
    const { rows, to } = a.database.changesSince(0, 10)
    const note = { sql: 'INSERT INTO notes VALUES (?, ?)', parameters: [a.database.site(), to] }
    expect(codeOf(() => b.database.merge([{ ...rows[0]!, table: 'nowhere' }], [note]))).toBe('invalid-input')
    expect(b.database.read({ sql: 'SELECT * FROM notes' }, 10)).toEqual([])
    expect(b.database.merge(rows, [note])).toBe(1)
    expect(codeOf(() => b.database.merge(rows, [note]))).toBe('store-refused')
    expect(b.database.read({ sql: 'SELECT upto FROM notes' }, 10)).toEqual([[to]])
    // What is this node's alone is no change.
    expect(everything(b.database)).toEqual(rows)
    a.close()
    b.close()
  })

  it('of one site are told from those of others', async () => {
    const [a, b] = [await openDatabase(at()), await openDatabase(at())]
    a.database.write([put('x', '1')])
    b.database.merge(a.database.changesSince(0, 10).rows)
    b.database.write([put('y', '1')])
    expect(b.database.changesSince(0, 10).rows.map(({ site_id }) => site_id)).toEqual([b.database.site()])
    expect(b.database.changesSince(0, 10, a.database.site()).rows).toHaveLength(1)
    expect(b.database.sites()).toEqual([b.database.site(), a.database.site()])
    a.close()
    b.close()
  })

  it.each<[string, Partial<ChangeRow>]>([
    ['an empty key', { pk: new Uint8Array() }],
    ['a short site id', { site_id: new Uint8Array(3) }],
    ['a negative version', { col_version: -1 }],
    ['a version that is no integer', { db_version: 1.5 }],
    ['a table that is not replicated', { table: 'crsql_site_id' }],
    ['a column there is not', { cid: 'colour' }],
    ['a value that is none', { val: Number.NaN }],
  ])('with %s are refused whole, and the engine lives', async (_, wrong) => {
    const [a, b] = [await openDatabase(at()), await openDatabase(at())]
    a.database.write([put('x', '1'), put('y', '1')])
    const [first, second] = a.database.changesSince(0, 10).rows
    expect(codeOf(() => b.database.merge([first!, { ...second!, ...wrong }]))).toMatch(
      /^(invalid-input|store-refused)$/,
    )
    expect(entries(b.database)).toEqual({})
    expect(b.database.merge([first!, second!])).toBe(2)
    expect(everything(b.database)).toEqual(everything(a.database))
    a.close()
    b.close()
  })
})

describe('the schema', () => {
  const one: Migration = {
    version: 1,
    create: [{ table: 'rooms', sql: 'CREATE TABLE rooms (id TEXT PRIMARY KEY NOT NULL, name TEXT)' }],
  }
  const two: Migration = {
    version: 2,
    alter: [{ table: 'rooms', sql: ["ALTER TABLE rooms ADD COLUMN colour TEXT NOT NULL DEFAULT 'white'"] }],
    create: [{ table: 'lamps', sql: 'CREATE TABLE lamps (id TEXT PRIMARY KEY NOT NULL, room TEXT)' }],
  }

  it('is brought up to date step by step, with what is there and what replicates', async () => {
    const path = at()
    const old = await openDatabase(path, { migrations: [one] })
    old.database.write([{ sql: "INSERT INTO rooms VALUES ('k', 'kitchen')" }])
    old.database.flush()
    old.close()
    const now = await openDatabase(path, { migrations: [one, two] })
    expect(now.database.schema()).toBe(2)
    now.database.write([
      { sql: "UPDATE rooms SET colour = 'blue'" },
      { sql: "INSERT INTO lamps VALUES ('l', 'k')" },
    ])
    const fresh = await openDatabase(at(), { migrations: [one, two] })
    fresh.database.merge(now.database.changesSince(0, 100).rows)
    expect(fresh.database.read({ sql: 'SELECT * FROM rooms, lamps' }, 10)).toEqual([
      ['k', 'kitchen', 'blue', 'l', 'k'],
    ])
    now.close()
    fresh.close()
  })

  it('of a newer program is left alone', async () => {
    const path = at()
    ;(await openDatabase(path, { migrations: [one, two] })).close()
    await expect(openDatabase(path, { migrations: [one] })).rejects.toMatchObject({ code: 'store-too-new' })
    const again = await openDatabase(path, { migrations: [one, two] })
    expect(again.database.schema()).toBe(2)
    again.close()
  })

  it('is not half made when a step fails', async () => {
    const path = at()
    const wrong: Migration = {
      version: 2,
      alter: [{ table: 'rooms', sql: ['ALTER TABLE rooms ADD COLUMN id TEXT'] }],
    }
    ;(await openDatabase(path, { migrations: [one] })).close()
    await expect(openDatabase(path, { migrations: [one, wrong] })).rejects.toMatchObject({
      code: 'store-refused',
    })
    const again = await openDatabase(path, { migrations: [one, two] })
    again.database.write([{ sql: "INSERT INTO rooms VALUES ('k', 'kitchen', 'red')" }])
    expect(again.database.changesSince(0, 10).rows).toHaveLength(2)
    again.close()
  })
})
