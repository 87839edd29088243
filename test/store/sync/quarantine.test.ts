/** One member alone cannot make a value win for ever; a cell that another goes on writing is believed. */
import { expect, test } from 'vitest'
import { MAX_QUARANTINED, MAX_VERSION_JUMP } from '../../../src/store/sync/bounds.ts'
import {
  type ChangeRow,
  EMPTY_QUARANTINE,
  holdRow,
  packKey,
  type Quarantine,
} from '../../../src/store/sync/index.ts'

const site = (number: number): Uint8Array => new Uint8Array(16).fill(number)
const FAR = 2 ** 45
const leap = (by: number, col_version: number, changes: Partial<ChangeRow> = {}): ChangeRow => ({
  table: 'timers',
  pk: packKey(['pasta']),
  cid: 'rings_at',
  val: 1,
  col_version,
  db_version: 1,
  site_id: site(by),
  cl: 1,
  seq: 0,
  ...changes,
})
// Sites 1 and 11 are lives of one node.
const sameWriter = (a: Uint8Array, b: Uint8Array): boolean => a[0]! % 10 === b[0]! % 10
const hold = (quarantine: Quarantine, row: ChangeRow) => holdRow(quarantine, row, sameWriter)

test('one writer’s leaps stay aside, only the greatest of a cell is kept, its other lives do not vouch', () => {
  let quarantine = EMPTY_QUARANTINE
  for (const row of [leap(1, FAR), leap(1, FAR + 5), leap(1, FAR + 2), leap(11, FAR + 6), leap(1, FAR + 3)]) {
    const held = hold(quarantine, row)
    expect(held.released).toEqual([])
    quarantine = held.quarantine
  }
  expect(quarantine).toEqual([leap(11, FAR + 6)])
})

test('a second writer of the same cell, near the first, releases both', () => {
  const { quarantine } = hold(EMPTY_QUARANTINE, leap(1, FAR))
  const held = hold(quarantine, leap(2, FAR + 1))
  expect(held.released).toEqual([leap(1, FAR), leap(2, FAR + 1)])
  expect(held.quarantine).toEqual([])
})

test('not of another cell, nor far from the first', () => {
  const { quarantine } = hold(EMPTY_QUARANTINE, leap(1, FAR))
  for (const row of [
    leap(2, FAR, { cid: 'label' }),
    leap(2, FAR, { pk: packKey(['tea']) }),
    leap(2, FAR, { table: 'seats' }),
    leap(2, FAR + MAX_VERSION_JUMP + 1),
    leap(2, FAR - MAX_VERSION_JUMP - 1),
    leap(2, FAR, { cl: 1 + 2 * MAX_VERSION_JUMP }),
  ]) {
    expect(hold(quarantine, row).released).toEqual([])
  }
})

test('it is bounded: the oldest is forgotten first', () => {
  let quarantine = EMPTY_QUARANTINE
  for (let i = 0; i < MAX_QUARANTINED + 10; i += 1) {
    quarantine = hold(quarantine, leap(1, FAR, { pk: packKey([`t${i}`]) })).quarantine
  }
  expect(quarantine.length).toBe(MAX_QUARANTINED)
  expect(quarantine[0]!.pk).toEqual(packKey(['t10']))
})
