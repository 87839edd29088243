/** Nothing reaches the database that could panic it, poison a version, abort its neighbours, or stand under another's name. */
import { describe, expect, test } from 'vitest'
import {
  MAX_CAUSAL_JUMP,
  MAX_CAUSAL_LENGTH,
  MAX_COL_VERSION,
  MAX_DB_VERSION,
  MAX_FIRST_VERSION,
  MAX_KEY_BYTES,
  MAX_SEQ,
  MAX_VALUE_BYTES,
  MAX_VERSION_JUMP,
} from '../../../src/store/sync/bounds.ts'
import {
  type ChangeRow,
  packKey,
  type RowContext,
  SENTINEL,
  validateRow,
} from '../../../src/store/sync/index.ts'
import { SCHEMA } from './signing.ts'

const site = new Uint8Array(16).fill(7)
const GOOD: ChangeRow = {
  table: 'timers',
  pk: packKey(['pasta']),
  cid: 'rings_at',
  val: 1_800_000,
  col_version: 1,
  db_version: 3,
  site_id: site,
  cl: 1,
  seq: 0,
}
const DELETION: ChangeRow = { ...GOOD, cid: SENTINEL, val: null, col_version: 2, cl: 2 }

const context: RowContext = { schema: SCHEMA, written_under: 1, site, known: () => undefined }
const judge = (row: unknown, changes: Partial<RowContext> = {}): string => {
  const verdict = validateRow(row, { ...context, ...changes })
  return verdict.ok ? 'ok' : verdict.fault
}
const but = (changes: Record<string, unknown>): unknown => ({ ...GOOD, ...changes })

test('a cell, a deletion, a row brought back to life and a cell that outlived are inserted as they are', () => {
  for (const row of [
    GOOD,
    DELETION,
    { ...DELETION, cl: 3, col_version: 3 },
    { ...GOOD, col_version: 0, cl: 3 },
  ]) {
    expect(validateRow(row, context)).toEqual({ ok: true, row })
  }
})

describe('refused, by what is wrong', () => {
  const long = 'x'.repeat(MAX_VALUE_BYTES + 1)
  test.each<[string, unknown, string]>([
    ['nothing', null, 'malformed'],
    ['a list', [], 'malformed'],
    ['a row with a field too many', but({ more: 1 }), 'malformed'],
    ['a row with a field too few', (({ seq: _, ...rest }) => rest)(GOOD), 'malformed'],
    ['a fraction', but({ val: 1.5 }), 'malformed'],
    ['a negative zero', but({ val: -0 }), 'malformed'],
    ['a version that is a fraction', but({ col_version: 1.5 }), 'malformed'],
    ['a version that is a bigint', but({ db_version: 1n }), 'malformed'],
    ['a small integer as bigint', but({ val: 5n }), 'malformed'],
    ['an integer of 65 bits', but({ val: 2n ** 63n }), 'malformed'],
    ['half a character', but({ cid: 'label', val: '\ud800' }), 'malformed'],
    ['a text for a key', but({ pk: 'pasta' }), 'malformed'],
    ['a value that is an object', but({ val: {} }), 'malformed'],
    ['a long name', but({ cid: 'x'.repeat(65) }), 'too-large'],
    ['a long key', but({ pk: new Uint8Array(MAX_KEY_BYTES + 1) }), 'too-large'],
    ['a long text', but({ cid: 'label', val: long }), 'too-large'],
    [
      'a long text of long characters',
      but({ cid: 'label', val: 'é'.repeat(MAX_VALUE_BYTES / 2 + 1) }),
      'too-large',
    ],
    ['a long blob', but({ cid: 'sound', val: new Uint8Array(MAX_VALUE_BYTES + 1) }), 'too-large'],
    ['no site', but({ site_id: new Uint8Array() }), 'bad-site'],
    ['a short site', but({ site_id: new Uint8Array(3) }), 'bad-site'],
    ['a long site', but({ site_id: new Uint8Array(17) }), 'bad-site'],
    ['another site', but({ site_id: new Uint8Array(16).fill(8) }), 'other-site'],
    ['a negative version', but({ col_version: -1 }), 'version-range'],
    ['a version beyond all', but({ col_version: MAX_COL_VERSION + 1 }), 'version-range'],
    ['no transaction', but({ db_version: 0 }), 'version-range'],
    ['a transaction beyond all', but({ db_version: MAX_DB_VERSION + 1 }), 'version-range'],
    ['a row that never was', but({ cl: 0 }), 'version-range'],
    ['a row that lived too often', but({ cl: MAX_CAUSAL_LENGTH + 1 }), 'version-range'],
    ['a negative place', but({ seq: -1 }), 'version-range'],
    ['a place beyond all', but({ seq: MAX_SEQ + 1 }), 'version-range'],
    ['a cell of a deleted row', but({ cl: 2 }), 'bad-sentinel'],
    ['a deletion with a value', { ...DELETION, val: 1 }, 'bad-sentinel'],
    ['a deletion of another version', { ...DELETION, col_version: 1 }, 'bad-sentinel'],
    ['an unknown table', but({ table: 'passwords' }), 'unknown-table'],
    ['a table of the extension', but({ table: 'crsql_site_id' }), 'unknown-table'],
    ['a table with a quote', but({ table: 'timers"; drop table timers; --' }), 'unknown-table'],
    ['an unknown column', but({ cid: 'colour' }), 'unknown-column'],
    ['a key column as a cell', but({ cid: 'id' }), 'unknown-column'],
    ['a column every object has', but({ cid: 'constructor' }), 'unknown-column'],
    ['an empty key', but({ pk: new Uint8Array() }), 'bad-key'],
    ['a key of no columns', but({ pk: Uint8Array.of(0) }), 'bad-key'],
    ['a key of an integer', but({ pk: packKey([1]) }), 'bad-key'],
    ['a key of two columns', but({ pk: packKey(['a', 'b']) }), 'bad-key'],
    ['a text where an integer is', but({ val: 'soon' }), 'bad-value'],
    ['nothing where something must be', but({ val: null }), 'bad-value'],
    ['an integer where a text is', but({ cid: 'label' }), 'bad-value'],
  ])('%s', (_, row, fault) => {
    expect(judge(row)).toBe(fault)
  })
})

test('a table or column of a newer schema is kept for later, if the batch claims one', () => {
  expect(judge(but({ table: 'rooms' }), { written_under: 2 })).toBe('newer-schema')
  expect(judge(but({ cid: 'room' }), { written_under: 2 })).toBe('newer-schema')
  expect(judge(but({ pk: new Uint8Array() }), { written_under: 2 })).toBe('bad-key')
  expect(judge(GOOD, { written_under: 2 })).toBe('ok')
})

describe('a version that leaps is set aside', () => {
  const known = (cl: number, col_version: number | undefined) => () => ({ cl, col_version })

  test('above what is known of the cell by more than may be missed', () => {
    const leap = but({ col_version: 8 + MAX_VERSION_JUMP })
    expect(judge(leap, { known: known(1, 8) })).toBe('ok')
    expect(judge(leap, { known: known(1, 7) })).toBe('version-jump')
  })

  test('of a cell nobody here knows, only far above what any counter reaches', () => {
    expect(judge(but({ col_version: MAX_FIRST_VERSION }))).toBe('ok')
    expect(judge(but({ col_version: MAX_FIRST_VERSION + 1 }))).toBe('version-jump')
    expect(judge(but({ col_version: MAX_FIRST_VERSION + 1, cl: 3 }), { known: known(1, 8) })).toBe(
      'version-jump',
    )
  })

  test('of the row itself', () => {
    const cl = 2 * MAX_CAUSAL_JUMP
    const deletion = { ...DELETION, cl, col_version: cl }
    expect(judge(deletion)).toBe('version-jump')
    expect(judge(deletion, { known: known(cl - MAX_CAUSAL_JUMP, undefined) })).toBe('ok')
    expect(judge(deletion, { known: known(cl - MAX_CAUSAL_JUMP - 1, undefined) })).toBe('version-jump')
  })

  test('and what an unknown cell brought is outgrown by the next honest write', () => {
    const next = but({ col_version: MAX_FIRST_VERSION + 1 })
    expect(judge(next, { known: known(1, MAX_FIRST_VERSION) })).toBe('ok')
  })
})
