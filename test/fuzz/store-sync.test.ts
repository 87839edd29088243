/**
 * Whatever a member sends about the household's state is accepted or refused, never thrown on; what is accepted could not panic the database,
 * poison a version, or stand under another's name; and what was signed is accepted as it was signed, or not at all.
 */
import { expect, test } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { readRows } from '../../src/store/sync/batch-bytes.ts'
import {
  MAX_CAUSAL_LENGTH,
  MAX_COL_VERSION,
  MAX_DB_VERSION,
  MAX_KEY_BYTES,
  MAX_SEQ,
  MAX_VALUE_BYTES,
} from '../../src/store/sync/bounds.ts'
import {
  admitBatch,
  type ChangeRow,
  type ChangeValue,
  decodeSync,
  packKey,
  readHeader,
  SENTINEL,
  signBatch,
  siteOf,
  unpackKey,
  validateRow,
} from '../../src/store/sync/index.ts'
import { A, NEXT_SCHEMA, SCHEMA, signaturesOf } from '../store/sync/signing.ts'

const ROUNDS = Number(process.env.LOQA_FUZZ_ROUNDS ?? 100_000)
const seed = Number(process.env.LOQA_SEED ?? 20_261_126)

const origin = { node: A, life: 0 }
const signatures = signaturesOf(A)
const site = siteOf(origin, signatures)

const CELL: ChangeRow = {
  table: 'timers',
  pk: packKey(['pasta']),
  cid: 'rings_at',
  val: 5,
  col_version: 3,
  db_version: 7,
  site_id: site,
  cl: 1,
  seq: 0,
}
const ROWS: readonly ChangeRow[] = [
  CELL,
  { ...CELL, cid: 'label', val: 'Brötchen', seq: 1 },
  { ...CELL, cid: 'sound', val: Uint8Array.of(0, 1, 255), seq: 2 },
  { ...CELL, cid: 'label', val: null, cl: 3, seq: 3 },
  { ...CELL, val: -(2n ** 62n), db_version: 8, seq: 0 },
  { ...CELL, cid: SENTINEL, val: null, col_version: 2, cl: 2, db_version: 8, seq: 1 },
  { ...CELL, table: 'seats', pk: packKey(['k', 300]), cid: 'node', val: '', db_version: 9, seq: 0 },
]

const NUMBERS = [
  0,
  -1,
  1,
  2,
  1.5,
  2 ** 31,
  2 ** 40,
  2 ** 48,
  2 ** 48 + 1,
  2 ** 53,
  2 ** 60,
  Number.NaN,
  Infinity,
  -0,
]
const ODD: readonly unknown[] = [
  null,
  undefined,
  true,
  '',
  '-1',
  'timers',
  '__proto__',
  '\ud800',
  'x'.repeat(70_000),
  [],
  {},
  [[[[]]]],
  5n,
  2n ** 63n - 1n,
  2n ** 63n,
  new Uint8Array(),
  new Uint8Array(16),
  new Uint8Array(70_000),
  () => 1,
  ...NUMBERS,
]

const draw = <T>(random: SimulatedRandom, from: readonly T[]): T => from[random.below(from.length)]!

/** A good row with up to three fields replaced, damaged, removed or added. */
function distort(random: SimulatedRandom): unknown {
  const row: Record<string, unknown> = { ...draw(random, ROWS) }
  for (let i = random.below(4); i > 0; i -= 1) {
    const field = draw(random, Object.keys(row).length > 0 ? Object.keys(row) : ['table'])
    const value = row[field]
    switch (random.below(5)) {
      case 0:
        row[field] = draw(random, ODD)
        break
      case 1:
        row[field] = draw(random, NUMBERS)
        break
      case 2:
        if (value instanceof Uint8Array) row[field] = damage(random, value)
        else row[field] = draw(random, ROWS)[field as keyof ChangeRow]
        break
      case 3:
        delete row[field]
        break
      default:
        row[draw(random, ['more', 'constructor', '0'])] = draw(random, ODD)
    }
  }
  return row
}

function damage(random: SimulatedRandom, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1)
  const copy = new Uint8Array(bytes)
  switch (random.below(5)) {
    case 0:
      for (let i = random.below(6); i >= 0 && copy.length > 0; i -= 1) {
        copy[random.below(copy.length)]! ^= 1 << random.below(8)
      }
      return copy
    case 1:
      return copy.subarray(0, at)
    case 2:
      return Buffer.concat([copy.subarray(0, at), random.bytes(random.below(24)), copy.subarray(at)])
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(random.below(bytes.length + 1))])
    default:
      return random.bytes(random.below(200))
  }
}

const within = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high

const sizeOf = (value: ChangeValue): number =>
  typeof value === 'string' ? Buffer.byteLength(value) : value instanceof Uint8Array ? value.length : 8

test(`${ROUNDS} rows: judged, and what passes is within every bound and can be outgrown`, () => {
  const random = new SimulatedRandom(seed)
  const seen: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round += 1) {
    const value = distort(random)
    const known = random.below(2) === 0 ? undefined : { cl: 1, col_version: 3 }
    const context = { schema: SCHEMA, written_under: 1 + random.below(2), site, known: () => known }
    const verdict = validateRow(value, context)
    const outcome = verdict.ok ? 'ok' : verdict.fault
    seen[outcome] = (seen[outcome] ?? 0) + 1
    if (!verdict.ok) continue
    const { row } = verdict
    const rule = SCHEMA.tables.get(row.table)!
    expect(unpackKey(row.pk, rule.key)).toBeDefined()
    expect(row.cid === SENTINEL || rule.columns.has(row.cid)).toBe(true)
    expect(row.pk.length <= MAX_KEY_BYTES && sizeOf(row.val) <= MAX_VALUE_BYTES).toBe(true)
    expect(Buffer.compare(row.site_id, site)).toBe(0)
    expect(within(row.col_version, 0, MAX_COL_VERSION) && within(row.db_version, 1, MAX_DB_VERSION)).toBe(
      true,
    )
    expect(within(row.cl, 1, MAX_CAUSAL_LENGTH) && within(row.seq, 0, MAX_SEQ)).toBe(true)
    if (row.cid === SENTINEL) continue
    const next = { ...row, col_version: row.col_version + 1 }
    const after = { cl: row.cl, col_version: row.col_version }
    expect(
      validateRow(next, { ...context, known: () => after }).ok,
      'the next write of the cell counts',
    ).toBe(true)
  }
  for (const fault of [
    'ok',
    'malformed',
    'too-large',
    'bad-site',
    'other-site',
    'version-range',
    'bad-sentinel',
  ]) {
    expect(seen[fault] ?? 0, fault).toBeGreaterThan(0)
  }
  for (const fault of [
    'unknown-table',
    'unknown-column',
    'newer-schema',
    'bad-key',
    'bad-value',
    'version-jump',
  ]) {
    expect(seen[fault] ?? 0, fault).toBeGreaterThan(0)
  }
})

const header = { origin, schema: 1, edition: 0, base: 0, from: 6, to: 9 }
const BATCHES = [
  signBatch(header, ROWS, signatures),
  signBatch({ ...header, from: 9, to: 12 }, [], signatures),
  signBatch({ ...header, edition: 2, base: 9, from: 0 }, ROWS, signatures),
]
const context = { signatures, schema: NEXT_SCHEMA, known: () => undefined, mayWrite: () => true }

test(`${ROUNDS} damaged batches: none is taken for signed`, () => {
  const random = new SimulatedRandom(seed + 1)
  for (const batch of BATCHES) expect(admitBatch(batch, context).ok).toBe(true)
  const seen: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = damage(random, draw(random, BATCHES))
    const admission = admitBatch(bytes, context)
    const outcome = admission.ok ? 'ok' : admission.fault
    seen[outcome] = (seen[outcome] ?? 0) + 1
    if (admission.ok) expect(BATCHES.some((batch) => Buffer.compare(batch, bytes) === 0)).toBe(true)
  }
  expect(seen.malformed ?? 0).toBeGreaterThan(ROUNDS / 100)
  expect(seen.forged ?? 0).toBeGreaterThan(ROUNDS / 100)
})

test(`${ROUNDS} damaged batches of a member that signs anything: read or refused, row by row`, () => {
  const random = new SimulatedRandom(seed + 2)
  const seen: Record<string, number> = {}
  // Whoever has the key can sign whatever it likes.
  const anything = { ...context, signatures: { ...signatures, verify: () => true } }
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = damage(random, draw(random, BATCHES))
    const admission = admitBatch(bytes, anything)
    const outcome = admission.ok ? 'ok' : admission.fault
    seen[outcome] = (seen[outcome] ?? 0) + 1
    const opened = readHeader(bytes)
    if (opened === undefined) continue
    const rows = readRows(bytes, opened, site)
    expect((rows?.length ?? 0) <= opened.count).toBe(true)
    if (!admission.ok) continue
    for (const { db_version } of admission.rows)
      expect(db_version > opened.from && db_version <= opened.to).toBe(true)
    for (const { fault } of admission.wrong) seen[fault] = (seen[fault] ?? 0) + 1
  }
  for (const outcome of ['ok', 'malformed', 'disordered', 'bad-key', 'unknown-table', 'version-range']) {
    expect(seen[outcome] ?? 0, outcome).toBeGreaterThan(0)
  }
})

const MESSAGES: readonly Record<string, unknown>[] = [
  { type: 'heads', heads: [{ node: A, life: 0, version: 3, edition: 0 }] },
  { type: 'pull', number: 1, node: A, life: 0, above: 3, edition: 0 },
  { type: 'batches', number: 1, batches: [BATCHES[0]!] },
  { type: 'busy', number: 1 },
]

test(`${ROUNDS} messages: decoded or refused`, () => {
  const random = new SimulatedRandom(seed + 3)
  const seen: Record<string, number> = {}
  const many = [...ODD, new Array(10_000_000), new Array(2_000).fill(BATCHES[0]), [new Uint8Array(300_000)]]
  for (let round = 0; round < ROUNDS; round += 1) {
    const message: Record<string, unknown> = { ...draw(random, MESSAGES) }
    for (let i = random.below(3); i > 0; i -= 1)
      message[draw(random, Object.keys(message))] = draw(random, many)
    const decoded = decodeSync(random.below(20) === 0 ? draw(random, many) : message)
    const outcome = decoded.ok ? 'ok' : decoded.why
    seen[outcome] = (seen[outcome] ?? 0) + 1
  }
  expect(Object.keys(seen).sort()).toEqual(['malformed', 'ok', 'too-large', 'unknown-type'])
})
