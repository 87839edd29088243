/**
 * The small model that the simulations of replication stand on merges as the real extension does: the same changes, in any order, partly
 * and more than once, give the same rows in both. And what the rules of replication say of the extension is so.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import {
  asInserted,
  type ChangeRow,
  type ChangeValue,
  packKey,
  unpackKey,
  validateRow,
} from '../../src/store/sync/index.ts'
import { loadCrSqlite, type RealReplica } from '../store/sync/cr-sqlite.ts'
import { Replica } from '../store/sync/replica.ts'
import { SCHEMA } from '../store/sync/signing.ts'

const ROUNDS = Number(process.env.LOQA_ROUNDS ?? 60)
const seed = Number(process.env.LOQA_SEED ?? 1)

let open: () => RealReplica
beforeAll(async () => {
  const bare = await loadCrSqlite()
  open = () => {
    const replica = bare()
    replica.all(
      `CREATE TABLE timers (id TEXT PRIMARY KEY NOT NULL, label TEXT, rings_at INTEGER NOT NULL DEFAULT 0, sound BLOB)`,
    )
    replica.all(
      `CREATE TABLE seats (room TEXT NOT NULL, place INTEGER NOT NULL, node TEXT, PRIMARY KEY (room, place))`,
    )
    for (const table of SCHEMA.tables.keys()) replica.all('SELECT crsql_as_crr(?)', [table])
    return replica
  }
})

/** A real replica and its model, and how far its own changes were handed on. */
class Pair {
  readonly real: RealReplica
  readonly model: Replica
  #told = 0

  constructor(real: RealReplica) {
    this.real = real
    this.model = new Replica(real.site)
  }

  /** Runs statements in one transaction; what they changed goes into the model, and comes back. */
  write(run: (real: RealReplica) => void): readonly ChangeRow[] {
    this.real.transaction(() => run(this.real))
    const own = this.real.changes().filter(({ site_id }) => Buffer.compare(site_id, this.real.site) === 0)
    const changes = own.filter(({ db_version }) => db_version > this.#told)
    this.#told = Math.max(this.#told, ...changes.map(({ db_version }) => db_version))
    this.model.merge(changes)
    return changes
  }

  merge(changes: readonly ChangeRow[]): void {
    this.real.merge(changes.map(asInserted))
    this.model.merge(changes)
  }
}

const LABELS = ['', 'pasta', 'Tee', 'crème', '🥐', null]

function randomWrite(real: RealReplica, random: SimulatedRandom): void {
  const one = <T>(from: readonly T[]): T => from[random.below(from.length)]!
  const id = `t${random.below(5)}`
  const seat = [`k${random.below(2)}`, one([0, 1, 127, 128, 255, 256, 65_536, -1, -129, 2 ** 40])]
  switch (random.below(8)) {
    case 0:
    case 1:
      real.all(
        'INSERT INTO timers (id, label) VALUES (?, ?) ON CONFLICT DO UPDATE SET label = excluded.label',
        [id, one(LABELS)],
      )
      return
    case 2:
      real.all('UPDATE timers SET rings_at = ?, label = ? WHERE id = ?', [random.below(3), one(LABELS), id])
      return
    case 3:
      real.all('UPDATE timers SET sound = ? WHERE id = ?', [random.bytes(random.below(3)), id])
      return
    case 4:
      real.all('DELETE FROM timers WHERE id = ?', [id])
      return
    case 5:
      real.all('DELETE FROM timers WHERE id = ?', [id])
      real.all('INSERT INTO timers (id, rings_at) VALUES (?, ?)', [id, random.below(3)])
      return
    case 6:
      real.all('INSERT INTO seats VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET node = excluded.node', [
        ...seat,
        one(LABELS),
      ])
      return
    default:
      real.all('DELETE FROM seats WHERE room = ? AND place = ?', seat)
  }
}

test(`${ROUNDS} histories of three replicas: the model is like the real one after every step`, () => {
  const seen = { merges: 0, deletions: 0, revivals: 0, repeated: 0 }
  for (let round = 0; round < ROUNDS; round += 1) {
    const random = new SimulatedRandom(seed + round)
    const pairs = [0, 1, 2].map(() => new Pair(open()))
    const written: ChangeRow[][] = pairs.map(() => [])
    const received = pairs.map(() => pairs.map(() => 0))
    const pass = (from: number, to: number, upTo: number): void => {
      const start = Math.max(0, received[to]![from]! - random.below(4))
      if (start < received[to]![from]!) seen.repeated += 1
      const changes = written[from]!.slice(start, upTo)
      if (random.below(4) === 0) changes.reverse()
      pairs[to]!.merge(changes)
      received[to]![from] = Math.max(received[to]![from]!, upTo)
      seen.merges += 1
    }
    for (let step = 0; step < 40; step += 1) {
      const who = random.below(3)
      const pair = pairs[who]!
      if (random.below(2) === 0) {
        const changes = pair.write((real) => {
          for (let left = 1 + random.below(3); left > 0; left -= 1) randomWrite(real, random)
        })
        written[who]!.push(...changes)
        seen.deletions += changes.filter(({ cl }) => cl % 2 === 0).length
        seen.revivals += changes.filter(({ cl }) => cl > 1 && cl % 2 === 1).length
        for (const row of changes) expectValid(row, pair.real.site)
      } else {
        const to = (who + 1 + random.below(2)) % 3
        pass(who, to, random.below(written[who]!.length + 1))
      }
      for (const { real, model } of pairs) expect(model.digest(), `seed ${seed + round}`).toBe(real.digest())
    }
    for (const from of [0, 1, 2])
      for (const to of [0, 1, 2]) if (from !== to) pass(from, to, written[from]!.length)
    const digest = pairs[0]!.real.digest()
    const [rows] = pairs.map(({ real }) => contents(real))
    for (const { real, model } of pairs) {
      expect(real.digest(), `seed ${seed + round}`).toBe(digest)
      expect(model.digest(), `seed ${seed + round}`).toBe(digest)
      expect(contents(real)).toEqual(rows)
    }
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(ROUNDS)
})

const contents = (real: RealReplica): ChangeValue[][] => [
  ...real.all('SELECT * FROM timers ORDER BY id'),
  ...real.all('SELECT * FROM seats ORDER BY room, place'),
]

/** Whatever the extension tells of itself passes our own judgement, its keys read and written as it does. */
function expectValid(row: ChangeRow, site: Uint8Array): void {
  const context = { schema: SCHEMA, written_under: 1, site, known: () => undefined }
  expect(validateRow(row, context)).toEqual({ ok: true, row })
  const parts = unpackKey(row.pk, SCHEMA.tables.get(row.table)!.key)!
  expect(packKey(parts)).toEqual(row.pk)
}

describe('of two values of one version', () => {
  const values: readonly ChangeValue[] = [
    null,
    0,
    1,
    -5,
    2n ** 60n,
    'a',
    'Z',
    'é',
    '',
    '🥐',
    Uint8Array.of(),
    Uint8Array.of(0),
    Uint8Array.of(255),
    Uint8Array.of(1, 2),
  ]
  test('the same one wins in both, whichever comes first', () => {
    const real = open()
    real.all('CREATE TABLE anything (id INTEGER PRIMARY KEY NOT NULL, x)')
    real.all("SELECT crsql_as_crr('anything')")
    const model = new Replica(real.site)
    let id = 0
    for (const first of values) {
      for (const second of values) {
        id += 1
        const change = {
          table: 'anything',
          pk: packKey([id]),
          cid: 'x',
          col_version: 1,
          db_version: 1,
          cl: 1,
          seq: 0,
        }
        const changes = [
          { ...change, val: first, site_id: new Uint8Array(16).fill(1) },
          { ...change, val: second, site_id: new Uint8Array(16).fill(2) },
        ]
        real.merge(changes)
        model.merge(changes)
      }
    }
    expect(model.digest()).toBe(real.digest())
  })
})

describe('what the rules say of the extension', () => {
  const far = 2 ** 40
  const change = (real: RealReplica, db_version: number): ChangeRow => ({
    table: 'timers',
    pk: packKey(['pasta']),
    cid: 'label',
    val: 'z',
    col_version: 9,
    db_version,
    site_id: new Uint8Array(real.site).fill(3),
    cl: 1,
    seq: 0,
  })

  const word = 'INSERT INTO timers (id, label) VALUES (?, ?) ON CONFLICT DO UPDATE SET label = excluded.label'

  test('a change of others lifts the counter to its number, unless it is inserted under the lowest', () => {
    const lifted = open()
    lifted.merge([change(lifted, far)])
    expect(lifted.dbVersion).toBe(far)
    const kept = open()
    kept.all(word, ['tea', ''])
    kept.merge([asInserted(change(kept, far))])
    expect(kept.dbVersion).toBe(2)
  })

  test('the greatest number given is among the rows that are left, so a start goes on above it', () => {
    const real = open()
    const greatest = (): number => Math.max(...real.changes().map(({ db_version }) => db_version))
    for (const label of ['a', 'b', 'c']) real.all(word, ['pasta', label])
    expect(greatest()).toBe(3)
    // The last thing written here is overwritten by others, and deleted.
    real.merge([asInserted(change(real, far))])
    expect(greatest()).toBe(4)
    real.all("DELETE FROM timers WHERE id = 'pasta'")
    expect(greatest()).toBe(real.dbVersion)
  })
})
