import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  followEntries,
  placedAddress,
  type Ref,
  readEntries,
  readEntry,
  writeEntries,
} from '../../src/actors/index.ts'
import { LoqaError, requestId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import {
  DataDirectoryBusy,
  openStore,
  ownDirectory,
  type Store,
  type StoreHealth,
  storePorts,
} from '../../src/store/index.ts'

const host = realHost()
const ACTOR: Ref = { address: placedAddress('skill', 'stage'), incarnation: 1 }
let directory: string
let open: Store[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'loqa-store-'))
})
afterEach(async () => {
  await Promise.all(open.map((store) => store.close()))
  open = []
  rmSync(directory, { recursive: true, force: true })
})

async function start(
  options: { max_pages?: number; onHealth?: (health: StoreHealth) => void } = {},
): Promise<Store> {
  const store = await openStore({ host, directory, ...options })
  open.push(store)
  return store
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'worked',
    (thrown: unknown) => (thrown instanceof LoqaError ? thrown.code : String(thrown)),
  )

const put = (key: string, value: unknown) => ({ change: 'put', key, value }) as const

describe('the store', () => {
  it('gives back what was written, also after it was closed', async () => {
    const first = await start()
    const values = { text: 'naïve \u0000 😀', list: [1, null, { deep: [true] }], nothing: null, float: 0.1 }
    await first.apply(
      'things',
      Object.entries(values).map(([key, value]) => put(key, value)),
    )
    await first.close()
    const second = await start()
    for (const [key, value] of Object.entries(values)) {
      expect(await second.get('things', key)).toEqual({ key, value })
    }
    expect(await second.get('things', 'absent')).toBeNull()
    expect(await second.get('others', 'text')).toBeNull()
  })

  it('lists the entries of one collection in order of their keys, by prefix when asked', async () => {
    const store = await start()
    await store.apply(
      'a',
      ['timer/2', 'timer/10', 'storage/x', 'timer', 'timer/%'].map((key) => put(key, key)),
    )
    await store.apply('b', [put('timer/3', 1)])
    const keys = async (prefix?: string) => (await store.list('a', prefix)).map(({ key }) => key)
    expect(await keys()).toEqual(['storage/x', 'timer', 'timer/%', 'timer/10', 'timer/2'])
    expect(await keys('timer/')).toEqual(['timer/%', 'timer/10', 'timer/2'])
    expect(await keys('timer/%')).toEqual(['timer/%'])
  })

  it('replaces and deletes within one transaction', async () => {
    const store = await start()
    await store.apply('a', [put('x', 1), put('y', 1)])
    await store.apply('a', [put('x', 2), { change: 'delete', key: 'y' }, { change: 'delete', key: 'never' }])
    expect(await store.list('a')).toEqual([{ key: 'x', value: 2 }])
  })

  it('reads what was written before, asked for at once', async () => {
    const store = await start()
    const writes = Array.from({ length: 200 }, (_, index) => store.apply('a', [put(`k${index % 10}`, index)]))
    const read = store.list('a')
    expect((await read).map(({ value }) => value)).toEqual([190, 191, 192, 193, 194, 195, 196, 197, 198, 199])
    await Promise.all(writes)
  })

  it.each([
    ['an empty collection name', '', [put('k', 1)]],
    ['a long collection name', 'c'.repeat(65), [put('k', 1)]],
    ['an empty key', 'c', [put('', 1)]],
    ['a long key', 'c', [put('k'.repeat(257), 1)]],
    ['a value that is no data', 'c', [put('k', undefined)]],
    ['a large value', 'c', [put('k', 'v'.repeat(300_000))]],
    ['too many changes', 'c', Array.from({ length: 1_025 }, (_, index) => put(`k${index}`, 1))],
  ])('refuses %s', async (_, collection, changes) => {
    const store = await start()
    expect(await codeOf(store.apply(collection, changes))).toBe('invalid-input')
  })

  it('keeps its files from other users', async () => {
    await rmSync(directory, { recursive: true })
    const own = await ownDirectory(host.disk, directory, process.pid)
    const store = await start()
    await store.apply('a', [put('k', 1)])
    const mode = (name: string): number => statSync(join(directory, name)).mode & 0o777
    expect(mode('')).toBe(0o700)
    for (const name of ['owner.lock', 'owner.pid', 'store.db', 'store.db-wal', 'store.db-shm']) {
      expect([name, mode(name)]).toEqual([name, 0o600])
    }
    own.release()
  })

  it('refuses work after it was closed', async () => {
    const store = await start()
    await store.close()
    expect(await codeOf(store.apply('a', [put('k', 1)]))).toBe('store-closed')
    expect(await codeOf(store.list('a'))).toBe('store-closed')
  })

  it('finishes what was asked for before it was closed', async () => {
    const store = await start()
    const writes = Array.from({ length: 50 }, (_, index) => store.apply('a', [put(`k${index}`, index)]))
    await Promise.all([...writes, store.close()])
    expect(await (await start()).list('a')).toHaveLength(50)
  })
})

describe('the ports of the store', () => {
  it('answer actors with outcomes', async () => {
    const ports = storePorts(await start())
    const perform = (effect: ReturnType<typeof readEntries> | ReturnType<typeof writeEntries>) =>
      new Promise<unknown>((done) =>
        effect.type === 'read' ? ports.read(effect, done, ACTOR) : ports.write(effect, done),
      )
    const id = requestId('r')
    expect(await perform(writeEntries(id, 'c', [put('k', { a: 1 })]))).toEqual({
      type: 'outcome',
      id,
      event: 'done',
      body: undefined,
    })
    expect(await perform(readEntries(id, 'c'))).toMatchObject({ body: [{ key: 'k', value: { a: 1 } }] })
    expect(await perform(readEntry(id, 'c', 'k'))).toMatchObject({ body: { key: 'k', value: { a: 1 } } })
    expect(await perform({ ...readEntry(id, 'c', 'k'), op: 'drop' })).toMatchObject({
      event: 'failed',
      error: { code: 'invalid-input' },
    })
  })
})

describe('following a collection', () => {
  it('brings all of it, then what is written to it, after the write is done; until it is cancelled', async () => {
    const store = await start()
    const ports = storePorts(store)
    await store.apply('c', [put('a', 1), put('b', 1)])
    const heard: unknown[] = []
    const write = (name: string, ...changes: Parameters<typeof writeEntries>[2][number][]) =>
      new Promise<void>((done) =>
        ports.write(writeEntries(requestId(name), 'c', changes), ({ event }) => {
          heard.push(`${name} ${event}`)
          done()
        }),
      )
    ports.read(followEntries(requestId('f'), 'c'), (outcome) => heard.push(outcome), ACTOR)
    const writes = [write('w1', put('a', 2)), write('w2', put('c', 1), { change: 'delete', key: 'b' })]
    await store.apply('other', [put('a', 9)])
    await Promise.all(writes)
    ports.cancel('f', ACTOR)
    await write('w3', put('a', 3))
    const chunk = (whole: boolean, ...changes: unknown[]) => ({
      ...{ type: 'outcome', id: 'f', event: 'chunk' },
      body: { whole, changes },
    })
    expect(heard).toEqual([
      chunk(true, put('a', 1), put('b', 1)),
      'w1 done',
      chunk(false, put('a', 2)),
      'w2 done',
      chunk(false, put('c', 1), { change: 'delete', key: 'b' }),
      'w3 done',
    ])
  })

  it('fails when the store is gone', async () => {
    const store = await start()
    await store.close()
    const heard = await new Promise((done) =>
      storePorts(store).read(followEntries(requestId('f'), 'c'), done, ACTOR),
    )
    expect(heard).toMatchObject({ event: 'failed', error: { code: 'store-closed' } })
  })
})

describe('a full disk', () => {
  it('refuses writes whole, keeps reading, says so, and recovers by itself', async () => {
    const states: string[] = []
    const store = await start({ max_pages: 64, onHealth: ({ state }) => states.push(state) })
    await store.apply('a', [put('before', 1)])
    const large = Array.from({ length: 200 }, (_, index) => put(`large/${index}`, 'x'.repeat(10_000)))
    expect(await codeOf(store.apply('a', large))).toBe('store-full')
    expect(store.health()).toMatchObject({ state: 'read-only', error: { code: 'store-full' } })
    expect(await store.list('a', 'large/')).toEqual([])
    expect(await store.get('a', 'before')).toEqual({ key: 'before', value: 1 })
    await store.apply('a', [put('after', 2)])
    expect(store.health()).toEqual({ state: 'ok' })
    expect(states).toEqual(['read-only', 'ok'])
  })

  it('does not let one large write keep small ones out', async () => {
    const store = await start({ max_pages: 64 })
    const large = Array.from({ length: 200 }, (_, index) => put(`large/${index}`, 'x'.repeat(10_000)))
    const codes = await Promise.all([
      codeOf(store.apply('a', [put('one', 1)])),
      codeOf(store.apply('a', large)),
      codeOf(store.apply('a', [put('two', 2)])),
    ])
    expect(codes).toEqual(['worked', 'store-full', 'worked'])
  })
})

describe('a thread that ends unasked', () => {
  it('fails what was under way and is replaced', async () => {
    let back = (): void => undefined
    const replaced = new Promise<void>((done) => {
      back = done
    })
    const store = await openStore({
      host,
      directory,
      thread: new URL('./mortal-thread.ts', import.meta.url),
      onHealth: ({ state }) => state === 'ok' && back(),
    })
    open.push(store)
    await store.apply('a', [put('k', 1)])
    expect(await codeOf(store.list('die'))).toBe('store-closed')
    expect(store.health().state).toBe('down')
    expect(await codeOf(store.list('a'))).toBe('store-closed')
    await replaced
    expect(await store.list('a')).toEqual([{ key: 'k', value: 1 }])
  })
})

describe('a damaged file', () => {
  it('that is no database is named', async () => {
    writeFileSync(join(directory, 'store.db'), 'this was never a database, it only has its name'.repeat(100))
    await expect(start()).rejects.toMatchObject({
      code: 'store-damaged',
      message: expect.stringContaining('store.db'),
    })
  })

  it('of a newer version is left alone', async () => {
    await (await start()).close()
    const sqlite = new DatabaseSync(join(directory, 'store.db'))
    sqlite.exec("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    sqlite.close()
    await expect(start()).rejects.toMatchObject({ code: 'store-too-new' })
  })

  it('with one flipped bit is noticed, or gives back exactly what was written', {
    timeout: 60_000,
  }, async () => {
    const store = await start()
    const written = Array.from({ length: 60 }, (_, index) =>
      put(`key ${index}`, `value ${index} `.repeat(20)),
    )
    await store.apply('a', written)
    await store.close()
    const file = join(directory, 'store.db')
    const whole = readFileSync(file)
    const expected = written
      .map(({ key, value }) => ({ key, value }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    let noticed = 0
    for (let round = 0; round < 120; round += 1) {
      const damaged = Buffer.from(whole)
      const bit = Math.floor(((round + 0.5) / 120) * damaged.length * 8)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      writeFileSync(file, damaged)
      noticed += readsBack(file, expected) ? 0 : 1
    }
    expect(noticed).toBeGreaterThan(40)
  })
})

/** False when the damage was reported; throws when it was neither reported nor harmless. */
function readsBack(file: string, expected: readonly { key: string; value: unknown }[]): boolean {
  let database: Database | undefined
  let found: { key: string; value: string }[]
  try {
    database = openDatabase(file)
    found = database.list('a', '', 1_000)
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: expect.stringMatching(/^store-(damaged|too-new|io)$/) })
    return false
  } finally {
    database?.close()
  }
  expect(found.map(({ key, value }) => ({ key, value: JSON.parse(value) as unknown }))).toEqual(expected)
  return true
}

describe('the owner of a data directory', () => {
  it('is one process; another is told its pid', async () => {
    const own = await ownDirectory(host.disk, directory, 4_711)
    const other = ownDirectory(host.disk, directory, 4_712)
    await expect(other).rejects.toBeInstanceOf(DataDirectoryBusy)
    await expect(other).rejects.toMatchObject({ pid: 4_711, code: 'data-directory-busy' })
    own.release()
    const next = await ownDirectory(host.disk, directory, 4_712)
    next.release()
  })
})
