/** Replicas that have merged the same changes hold the same tables, whatever was lost, repeated or reordered on the way. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReplicaDatabase } from '../../src/store/crdt/replica-database.ts'
import type { Migration } from '../../src/store/crdt/schema.ts'
import type { ChangeRow } from '../../src/store/sync/rows.ts'
import { MortalDisk } from '../store/crdt/mortal-disk.ts'
import { openDatabase } from '../store/crdt/opening.ts'

const RUNS = Number(process.env.LOQA_SEEDS ?? 40)
const KEYS = 6

/** Two columns, so that cells of one row are won by different replicas. */
const MIGRATION: Migration = {
  version: 1,
  create: [
    { table: 'rooms', sql: 'CREATE TABLE rooms (id TEXT PRIMARY KEY NOT NULL, name TEXT, light INTEGER)' },
  ],
}

type Step =
  | { readonly do: 'put'; readonly at: number; readonly key: number; readonly value: number }
  | { readonly do: 'set'; readonly at: number; readonly key: number; readonly value: number }
  | { readonly do: 'delete'; readonly at: number; readonly key: number }
  /** Some of what one replica knows reaches another, in some order, some of it twice. */
  | {
      readonly do: 'sync'
      readonly at: number
      readonly to: number
      readonly part: number
      readonly turn: number
    }

const replicas = fc.integer({ min: 2, max: 5 })
const steps = (count: number): fc.Arbitrary<Step[]> => {
  const at = fc.nat(count - 1)
  const key = fc.nat(KEYS - 1)
  const value = fc.nat(9)
  return fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('put' as const), at, key, value }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), at, key, value }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), at, key }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('sync' as const),
          at,
          to: at,
          part: fc.nat(100),
          turn: fc.nat(50),
        }),
      },
    ),
    { minLength: 100, maxLength: 100 },
  )
}

const everything = (from: ReplicaDatabase): ChangeRow[] =>
  from.sites().flatMap((site) => [...from.changesSince(0, 5_000, site).rows])

function perform(step: Step, all: readonly ReplicaDatabase[]): void {
  const database = all[step.at]!
  if (step.do === 'sync') {
    const rows = everything(database)
    const turned = [
      ...rows.slice(step.turn % (rows.length + 1)),
      ...rows.slice(0, step.turn % (rows.length + 1)),
    ]
    const part = turned.slice(0, Math.ceil((turned.length * step.part) / 100))
    all[step.to]!.merge([...part, ...part.slice(0, step.turn)])
    return
  }
  const id = `r${step.key}`
  if (step.do === 'put')
    database.write([
      {
        sql: 'INSERT OR REPLACE INTO rooms VALUES (?, ?, ?)',
        parameters: [id, `name ${step.value}`, step.value],
      },
    ])
  else if (step.do === 'set')
    database.write([{ sql: 'UPDATE rooms SET light = ? WHERE id = ?', parameters: [step.value, id] }])
  else database.write([{ sql: 'DELETE FROM rooms WHERE id = ?', parameters: [id] }])
}

/** What the table holds, and what the CRDT knows of each cell. */
const digest = (database: ReplicaDatabase): unknown => [
  database.read({ sql: 'SELECT * FROM rooms ORDER BY id' }, 100),
  everything(database)
    .map(({ pk, cid, val, col_version, cl }) =>
      JSON.stringify([Buffer.from(pk).toString('hex'), cid, val, col_version, cl]),
    )
    .toSorted(),
]

test(`${RUNS} histories of 100 operations on 2 to 5 replicas`, {
  timeout: 60_000 + RUNS * 2_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      replicas.chain((count) => fc.tuple(fc.constant(count), steps(count))),
      async ([count, history]) => {
        const opened = await Promise.all(
          Array.from({ length: count }, () =>
            openDatabase('/d', { files: new MortalDisk(), migrations: [MIGRATION] }),
          ),
        )
        const all = opened.map(({ database }) => database)
        for (const step of history) perform(step, all)
        const [first, ...others] = all as [ReplicaDatabase, ...ReplicaDatabase[]]
        for (const other of others) first.merge(everything(other))
        for (const other of others) other.merge(everything(first))
        for (const other of others) expect(digest(other)).toEqual(digest(first))
        for (const each of opened) each.close()
      },
    ),
    { numRuns: RUNS },
  )
})
