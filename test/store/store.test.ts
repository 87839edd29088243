import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Followed,
  followEntries,
  type Ref,
  readEntries,
  readEntry,
  writeEntries,
} from '../../src/actors/index.ts'
import { LoqaError, requestId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import {
  DataDirectoryBusy,
  type HouseholdStore,
  openStore,
  ownDirectory,
  type StoreOptions,
  storePorts,
} from '../../src/store/index.ts'
import { writerOf } from './writers.ts'

const host = realHost()
let directory: string
let open: HouseholdStore[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'loqa-store-'))
})
afterEach(async () => {
  await Promise.all(open.map((store) => store.close()))
  open = []
  rmSync(directory, { recursive: true, force: true })
})

const KEY = new Uint8Array(32).fill(1)

async function start(options: Partial<StoreOptions> = {}): Promise<HouseholdStore> {
  const store = await openStore({ host, directory, key: KEY, writer: writerOf(1), ...options })
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
    ['a key that is long in bytes', 'c', [put('だ'.repeat(200), 1)]],
    ['a large value', 'c', [put('k', 'v'.repeat(70_000))]],
    ['too many changes', 'c', Array.from({ length: 513 }, (_, index) => put(`k${index}`, 1))],
    ['too much at once', 'c', Array.from({ length: 20 }, (_, index) => put(`k${index}`, 'v'.repeat(10_000)))],
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
    const names = readdirSync(directory)
    expect(names).toEqual(expect.arrayContaining(['owner.lock', 'owner.pid', 'replica', 'replica-table']))
    for (const name of names) expect([name, mode(name)]).toEqual([name, 0o600])
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
    const actor = { address: 'loqa://n/a', incarnation: 1 } as unknown as Ref
    const perform = (effect: ReturnType<typeof readEntries> | ReturnType<typeof writeEntries>) =>
      new Promise<unknown>((done) =>
        effect.type === 'read' ? ports.read(effect, done, actor) : ports.write(effect, done),
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

/** Waits for what a follower is told, one after the other. */
function listening(): { hear: (followed: Followed) => void; next: () => Promise<Followed> } {
  const told: Followed[] = []
  let waiting: ((followed: Followed) => void) | undefined
  return {
    hear(followed) {
      if (waiting === undefined) told.push(followed)
      else waiting(followed)
      waiting = undefined
    },
    next: () => {
      const known = told.shift()
      return known === undefined ? new Promise((resolve) => (waiting = resolve)) : Promise.resolve(known)
    },
  }
}

describe('who follows a collection', () => {
  it('hears all of it, then what its entries are now, and nothing after it stopped', async () => {
    const store = await start()
    await store.apply('a', [put('x', 1), put('y', 1)])
    const { hear, next } = listening()
    const stop = store.follow('a', { hear, failed: (error) => expect(error).toBeUndefined() })
    expect(await next()).toEqual({ whole: true, changes: [put('x', 1), put('y', 1)] })
    await store.apply('b', [put('x', 'of another collection')])
    await store.apply('a', [put('x', 2), { change: 'delete', key: 'y' }])
    expect(await next()).toEqual({ whole: false, changes: [put('x', 2), { change: 'delete', key: 'y' }] })
    await store.apply(
      'a',
      Array.from({ length: 300 }, (_, index) => put(`many${index}`, index)),
    )
    expect((await next()).whole).toBe(true)
    stop()
    await store.apply('a', [put('x', 3)])
    await store.apply('a', [put('x', 4)])
    const late = listening()
    store.follow('a', { hear: late.hear, failed: () => undefined })
    await late.next()
    const early = next()
    await store.apply('a', [put('x', 5)])
    await late.next()
    expect(await Promise.race([early, 'nothing'])).toBe('nothing')
  })

  it('as an actor, hears chunks until it cancels or ends', async () => {
    const store = await start()
    const ports = storePorts(store)
    const actor = { address: 'loqa://n/a', incarnation: 1 } as unknown as Ref
    const chunks: unknown[] = []
    const first = Promise.withResolvers<void>()
    ports.read(
      followEntries(requestId('f'), 'a'),
      (outcome) => {
        chunks.push(outcome)
        first.resolve()
      },
      actor,
    )
    await first.promise
    expect(chunks).toMatchObject([{ event: 'chunk', body: { whole: true, changes: [] } }])
    ports.actorGone(actor)
    await store.apply('a', [put('x', 1)])
    await store.list('a')
    expect(chunks).toHaveLength(1)
  })
})

describe('a thread that ends unasked', () => {
  it('fails what was under way and is replaced; who follows is told to begin anew', async () => {
    const replaced = Promise.withResolvers<void>()
    const store = await start({
      thread: new URL('./mortal-thread.ts', import.meta.url),
      onHealth: ({ state }) => state === 'ok' && replaced.resolve(),
    })
    await store.apply('a', [put('k', 1)])
    const followed = Promise.withResolvers<LoqaError>()
    const { hear, next } = listening()
    store.follow('a', { hear, failed: followed.resolve })
    await next()
    expect(await codeOf(store.list('die'))).toBe('store-closed')
    expect((await followed.promise).code).toBe('store-closed')
    expect(store.health().state).toBe('down')
    expect(await codeOf(store.list('a'))).toBe('store-closed')
    await replaced.promise
    expect(await store.list('a')).toEqual([{ key: 'k', value: 1 }])
  })
})

describe('files that are not as they were left', () => {
  const damage = (name: string): void => {
    const path = join(directory, name)
    const bytes = readFileSync(path)
    for (let i = 0; i < bytes.length; i += 97) bytes[i]! ^= 0x55
    writeFileSync(path, bytes)
  }

  it('damaged ones are put aside and said so; the node goes on as another writer', async () => {
    const first = await start()
    await first.apply('a', [put('k', 1)])
    await first.close()
    damage('replica')
    damage('replica-table')
    const notices: string[] = []
    const second = await start({ onNotice: (message) => notices.push(message) })
    expect(notices).toEqual([expect.stringContaining('put aside')])
    expect(await second.list('a')).toEqual([])
    expect(second.replication()!.life).toBeGreaterThan(0)
    expect(readdirSync(directory).filter((name) => name.startsWith('damaged-')).length).toBeGreaterThan(1)
    await second.apply('a', [put('k', 2)])
  })

  it('are put aside for a copy to go back to, which takes nothing away when it is none', async () => {
    const first = await start()
    await first.apply('a', [put('k', 'then')])
    const copy = join(directory, 'copy')
    mkdirSync(copy)
    await first.backup(join(copy, 'replica'))
    await first.apply('a', [put('k', 'now')])
    await first.close()
    expect(await codeOf(start({ restore: `${directory}/nowhere` }))).toBe('invalid-input')
    const second = await start({ restore: copy })
    expect(await second.get('a', 'k')).toEqual({ key: 'k', value: 'then' })
    expect(second.replication()!.life).toBeGreaterThan(0)
    expect(readdirSync(directory).some((name) => name.startsWith('replaced-'))).toBe(true)
  })

  it('sealed with another key they are left alone', async () => {
    await (await start()).close()
    const before = readdirSync(directory)
    expect(await codeOf(start({ key: new Uint8Array(32).fill(2) }))).toBe('store-key-wrong')
    expect(readdirSync(directory)).toEqual(before)
    await start()
  })

  it('of a node that was given a new identity go on under it', async () => {
    const first = await start()
    await first.apply('a', [put('x', 1), put('y', { deep: ['ä', null] })])
    await first.apply('b', [put('z', 'z'.repeat(60_000))])
    const { digest } = await first.digest()
    await first.close()
    const second = await start({ writer: writerOf(2) })
    expect((await second.digest()).digest).toBe(digest)
    expect(second.replication()!.writers.map(({ origin }) => origin.split('/')[0])).toEqual([
      writerOf(2).node,
    ])
    expect(readdirSync(directory).filter((name) => name.startsWith('former-'))).toEqual([])
  })

  it('of an earlier version are taken over once', async () => {
    const sqlite = new DatabaseSync(join(directory, 'store.db'))
    sqlite.exec(`CREATE TABLE entries (collection TEXT, key TEXT, value TEXT, sum INTEGER);
      INSERT INTO entries VALUES ('skill.timer', 'timer/t1', '{"due_wall":1,"delay_ms":2}', 0), ('store', 'probe', '1', 0)`)
    sqlite.close()
    const notices: string[] = []
    const store = await start({ onNotice: (message) => notices.push(message) })
    expect(notices).toEqual([expect.stringContaining('taken over')])
    expect(await store.list('skill.timer')).toEqual([
      { key: 'timer/t1', value: { due_wall: 1, delay_ms: 2 } },
    ])
    expect(await store.list('store')).toEqual([])
    expect(readdirSync(directory)).not.toContain('store.db')
  })
})

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
