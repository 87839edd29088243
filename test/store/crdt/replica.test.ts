import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LoqaError } from '../../../src/host/index.ts'
import {
  type ChangeRow,
  MAX_PENDING,
  MAX_PENDING_BYTES,
  openReplica,
  type Replica,
  type ReplicaOptions,
  restore,
  type Stored,
} from '../../../src/store/crdt/index.ts'
import { originKey } from '../../../src/store/sync/index.ts'
import { writerOf } from '../writers.ts'
import { code, KEY, pageOptions, random, scratch } from './opening.ts'

async function start(path = join(scratch(), 'db'), options: Partial<ReplicaOptions> = {}): Promise<Replica> {
  const replica = await openReplica({ path, key: KEY, writer: writerOf(1), ...options })
  onTestFinished(() => replica.close())
  return replica
}

/** What one wrote, told to the other. */
async function tell(from: Replica, to: Replica): Promise<Stored> {
  const origin = originKey(from.opened.contents.self)
  await to.believe([from.opened.contents.self.node])
  return to.store(origin, await from.answer(origin, 0))
}

const put = (key: string, value: string) => ({
  sql: 'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  parameters: ['c', key, value],
})
const count = async (replica: Replica): Promise<unknown> =>
  (await replica.read({ sql: 'SELECT count(*) FROM entries' }))[0]?.[0]

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'worked',
    (thrown: unknown) => (thrown instanceof LoqaError ? thrown.code : String(thrown)),
  )

/** Waits for as many rows of a watched table. */
function gathered(wanted: number): {
  hear: (rows: readonly ChangeRow[]) => void
  rows: Promise<ChangeRow[]>
} {
  const rows: ChangeRow[] = []
  let enough = (_: ChangeRow[]): void => undefined
  const done = new Promise<ChangeRow[]>((resolve) => {
    enough = resolve
  })
  const hear = (more: readonly ChangeRow[]): void => {
    rows.push(...more)
    if (rows.length >= wanted) enough(rows)
  }
  return { hear, rows: done }
}

describe('the replica in its thread', () => {
  it('gives back what was written, also after it was closed', async () => {
    const path = join(scratch(), 'db')
    const first = await start(path)
    const self = { node: writerOf(1).node, life: 0 }
    expect(first.opened).toMatchObject({ contents: { self, schema: 1 }, recovered: false })
    await first.write([put('a', 'naïve \0 😀')])
    await first.close()
    const second = await start(path)
    expect(second.opened.recovered).toBe(false)
    expect(await second.read({ sql: 'SELECT value FROM entries WHERE key = ?', parameters: ['a'] })).toEqual([
      ['naïve \0 😀'],
    ])
  })

  it('does everything in the order it was asked, and finishes it before it closes', async () => {
    const path = join(scratch(), 'db')
    const replica = await start(path)
    const writes = Array.from({ length: 100 }, (_, i) => replica.write([put(`k${i}`, `${i}`)]))
    const read = count(replica)
    const later = Array.from({ length: 100 }, (_, i) => replica.write([put(`l${i}`, `${i}`)]))
    await Promise.all([replica.close(), ...writes, ...later])
    expect(await read).toBe(100)
    expect(await count(await start(path))).toBe(200)
  })

  it('refuses one write without harm to those beside it', async () => {
    const replica = await start()
    const codes = await Promise.all([
      codeOf(replica.write([put('a', '1')])),
      codeOf(replica.write([put('b', '1'), { sql: 'INSERT INTO nowhere VALUES (1)' }])),
      codeOf(replica.write([put('c', '1')])),
      codeOf(replica.read({ sql: 'SELECT nothing' })),
      codeOf(replica.write([])),
      codeOf(replica.write([put('d', 'x'.repeat(2_000_000))])),
    ])
    expect(codes).toEqual([
      'worked',
      'store-refused',
      'worked',
      'store-refused',
      'invalid-input',
      'invalid-input',
    ])
    expect(await replica.read({ sql: 'SELECT key FROM entries ORDER BY key' })).toEqual([['a'], ['c']])
  })

  it('says that it has too much to do, at once, and does what it took on', async () => {
    const replica = await start()
    const codes = Array.from({ length: MAX_PENDING + 50 }, (_, i) =>
      codeOf(replica.write([put(`k${i}`, 'v')])),
    )
    const said = await Promise.all(codes)
    expect(said.filter((code) => code === 'overloaded')).toHaveLength(50)
    expect(await count(replica)).toBe(MAX_PENDING)
  })

  it('holds no more in memory than it says', async () => {
    const replica = await start()
    const codes = Array.from({ length: 240 }, (_, i) =>
      codeOf(replica.write([put(`k${i}`, 'v'.repeat(150_000))])),
    )
    const said = await Promise.all(codes)
    expect(said.filter((code) => code === 'worked')).toHaveLength(Math.floor(MAX_PENDING_BYTES / 150_100))
    expect(said.at(-1)).toBe('overloaded')
    expect(await codeOf(replica.write([put('again', 'v')]))).toBe('worked')
  })

  it('has one owner', async () => {
    const path = join(scratch(), 'db')
    const replica = await start(path)
    expect(await codeOf(openReplica({ path, key: KEY, writer: writerOf(1) }))).toBe('data-directory-busy')
    await replica.close()
    expect(await codeOf(start(path))).toBe('worked')
  })

  it('tells a wrong key from damage', async () => {
    const path = join(scratch(), 'db')
    await (await start(path)).close()
    expect(await codeOf(openReplica({ path, key: new Uint8Array(32).fill(9), writer: writerOf(1) }))).toBe(
      'store-key-wrong',
    )
    expect(await codeOf(start(path))).toBe('worked')
  })

  it('keeps its files from other users, with nothing readable in them', async () => {
    const directory = scratch()
    const replica = await start(join(directory, 'db'))
    await replica.write([put('canary', 'the canary sings at midnight')])
    const held = (): string[] =>
      readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes('canary'))
    expect(held()).toEqual([])
    await replica.close()
    expect(held()).toEqual([])
    for (const name of readdirSync(directory))
      expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600])
  })

  it('refuses work after it was closed', async () => {
    const replica = await start()
    await replica.close()
    expect(await codeOf(replica.write([put('a', '1')]))).toBe('store-closed')
  })
})

describe('what is watched', () => {
  it('is told when it is durable: own writes and merged ones, only what changed', async () => {
    const [a, b] = [await start(), await start(undefined, { writer: writerOf(2) })]
    const { hear, rows } = gathered(3)
    const stop = await b.watch('entries', hear)
    await a.write([put('x', 'from a'), put('y', 'lost')])
    await b.write([put('y', 'one'), put('z', 'own')])
    await b.write([put('y', 'wins')])
    expect(await tell(a, b)).toMatchObject({ through: 1, wrong: 0, fault: undefined })
    // Known already: nothing to tell.
    await tell(a, b)
    expect((await rows).map(({ val }) => val)).toEqual(expect.arrayContaining(['own', 'from a']))
    await stop()
    const before = (await rows).length
    await b.write([put('x', 'unheard')])
    await b.read({ sql: 'SELECT 1' })
    expect((await rows).length).toBe(before)
  })

  it('gives, applied in order, what the table holds', async () => {
    const [a, b] = [await start(), await start(undefined, { writer: writerOf(2) })]
    const known = new Map<string, unknown>()
    await b.watch('entries', (rows) => {
      for (const { pk, cl, val } of rows) {
        const key = Buffer.from(pk).toString('latin1')
        if (cl % 2 === 0) known.delete(key)
        else known.set(key, val)
      }
    })
    for (let round = 0; round < 20; round += 1) {
      await a.write([put(`k${round % 5}`, `a${round}`)])
      await Promise.all([
        b.write([put(`k${(round * 3) % 5}`, `b${round}`)]),
        tell(a, b),
        b.write([{ sql: 'DELETE FROM entries WHERE key = ?', parameters: [`k${(round * 2) % 5}`] }]),
      ])
    }
    const held = await b.read({ sql: 'SELECT value FROM entries ORDER BY value' })
    expect([...known.values()].sort()).toEqual(held.map(([value]) => value))
  })
})

describe('a thread that ends unasked', () => {
  it('fails what was under way, and leaves what was acknowledged to the next', async () => {
    const path = join(scratch(), 'db')
    const thread = new URL('../mortal-thread.ts', import.meta.url)
    let tell = (): void => undefined
    const lost = new Promise<void>((resolve) => {
      tell = resolve
    })
    const replica = await start(path, { thread, onLost: tell })
    await replica.write([put('a', '1')])
    expect(
      await Promise.all([codeOf(replica.read({ sql: 'die' })), codeOf(replica.write([put('b', '1')]))]),
    ).toEqual(['store-closed', 'store-closed'])
    await lost
    expect(await codeOf(replica.write([put('c', '1')]))).toBe('store-closed')
    const next = await start(path)
    expect(next.opened.recovered).toBe(true)
    expect(await next.read({ sql: 'SELECT key FROM entries' })).toEqual([['a']])
  })
})

describe('a backup', () => {
  it('is made while others write, and what is restored from it writes in a later life', async () => {
    const directory = scratch()
    const replica = await start(join(directory, 'db'))
    await Promise.all(Array.from({ length: 500 }, (_, i) => replica.write([put(`k${i}`, 'v'.repeat(200))])))
    const during = Array.from({ length: 50 }, (_, i) => replica.write([put(`d${i}`, 'v')]))
    const backup = replica.backup(join(directory, 'backup'))
    await Promise.all([...during, backup, replica.write([put('after', 'v')])])
    expect(await codeOf(replica.backup(join(directory, 'backup')))).toBe('invalid-input')
    expect(existsSync(join(directory, 'db'))).toBe(true)
    const target = pageOptions(join(directory, 'restored'))
    await restore({ backup: pageOptions(join(directory, 'backup')), target, random, code })
    const restored = await start(join(directory, 'restored'))
    expect(restored.opened.contents.self.life).toBeGreaterThan(0)
    expect(await count(restored)).toBe(550)
    expect(await restored.verify()).toEqual([])
    // What the original wrote after the backup is its log's, and comes back from whoever has it.
    await restored.write([put('k0', 'restored')])
    await tell(replica, restored)
    expect(await count(restored)).toBe(551)
    await tell(restored, replica)
    expect(await replica.digest()).toEqual(await restored.digest())
  })
})
