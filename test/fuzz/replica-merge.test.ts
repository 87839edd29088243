/**
 * Whatever rows reach a merge, past all validation: a typed error or a merge, never a fault that spreads. When the engine breaks it is
 * replaced, what was durable is there, and honest rows go on being merged.
 */
import { expect, test } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import type { ReplicaDatabase } from '../../src/store/crdt/replica-database.ts'
import type { SqlValue } from '../../src/store/crdt/values.ts'
import type { ChangeRow } from '../../src/store/sync/rows.ts'
import { MortalDisk } from '../store/crdt/mortal-disk.ts'
import { codeOf, openDatabase } from '../store/crdt/opening.ts'

const ROUNDS = Number(process.env.LOQA_FUZZ_ROUNDS ?? 3_000)
const random = new SimulatedRandom(Number(process.env.LOQA_SEED ?? 5))
const pick = <T>(of: readonly T[]): T => of[random.below(of.length)]!

const INTEGERS = [0, 1, 2, 3, 1_000, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, -1, 0.5, Number.NaN]
const COLUMNS = ['-1', 'value', 'key', 'collection', '', 'x', 'VALUE', '__crsql_key', 'a"b', "a'b"]
const VALUES = [
  null,
  1,
  2n ** 62n,
  '',
  'x'.repeat(1_000),
  0.5,
  Number.NaN,
  new Uint8Array(5),
  '\ud800',
  undefined,
  {},
]

function damagedKey(pk: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(pk)
  switch (random.below(3)) {
    case 0:
      bytes[random.below(bytes.length)] = random.below(256)
      return bytes
    case 1:
      return bytes.subarray(0, random.below(bytes.length))
    default:
      return random.bytes(random.below(24))
  }
}

function mutated(row: ChangeRow): ChangeRow {
  const change: { -readonly [K in keyof ChangeRow]: ChangeRow[K] } = { ...row }
  for (let times = random.below(2); times >= 0; times -= 1) {
    const field = pick([
      'pk',
      'cid',
      'val',
      'table',
      'site_id',
      'cl',
      'col_version',
      'db_version',
      'seq',
    ] as const)
    if (field === 'pk') change.pk = damagedKey(row.pk)
    else if (field === 'cid') change.cid = pick(COLUMNS)
    else if (field === 'val') change.val = pick(VALUES) as SqlValue
    else if (field === 'table')
      change.table = pick(['', 'entries', 'ENTRIES', 'sqlite_master', 'crsql_master', '"'])
    else if (field === 'site_id') change.site_id = random.bytes(pick([0, 3, 16, 16, 17]))
    else change[field] = pick(INTEGERS)
  }
  return change
}

async function open(): Promise<ReplicaDatabase> {
  return (await openDatabase('/d', { files: new MortalDisk() })).database
}

test(`${ROUNDS} mutated rows`, { timeout: 300_000 }, async () => {
  const [honest, target] = [await open(), await open()]
  honest.write([
    { sql: "INSERT INTO entries VALUES ('c', 'k', 'v'), ('c', 'l', NULL), ('c', 'a longer key', 'text')" },
  ])
  const rows = honest.changesSince(0, 10).rows
  target.write([{ sql: "INSERT INTO entries VALUES ('own', 'kept', 'since the start')" }])
  target.flush()
  const found = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const code = codeOf(() => target.merge([mutated(pick(rows))]))
    found.set(code, (found.get(code) ?? 0) + 1)
    expect(code).toMatch(/^(worked|invalid-input|store-refused|store-engine)$/)
    if (code === 'store-engine' || round % 50 === 0) await target.discard()
  }
  // Every way out was taken.
  expect([...found.keys()].toSorted()).toEqual(['invalid-input', 'store-engine', 'store-refused', 'worked'])
  await target.discard()
  expect(target.read({ sql: 'SELECT * FROM entries' }, 10)).toEqual([['own', 'kept', 'since the start']])
  expect(target.merge(rows)).toBe(rows.length)
  expect(target.verify()).toEqual([])
})
