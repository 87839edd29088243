/** Nothing is forgotten that somebody may still need; a node away for up to 90 days comes back as it was. */
import { expect, test } from 'vitest'
import { ABSENT_MS, TOMBSTONE_MS } from '../../../src/store/sync/bounds.ts'
import { afterAbsence, compactionIsDue, isSettled, mayForget } from '../../../src/store/sync/index.ts'
import { A, B, C } from './signing.ts'
import { logOf, Stage } from './stage.ts'

test('a log is compacted when it is twice what is alive of it, and not for little', () => {
  expect(compactionIsDue(300_000, 100_000)).toBe(true)
  expect(compactionIsDue(200_000, 100_000)).toBe(false)
  expect(compactionIsDue(10_000, 0)).toBe(false)
})

test('only while every connected peer has told that it holds everything', () => {
  const held = new Map([
    [logOf(A), { version: 4, edition: 0, bytes: 10 }],
    [logOf(C), { version: 9, edition: 0, bytes: 10 }],
  ])
  const stage = new Stage({ held })
  expect(isSettled(stage.state)).toBe(false)
  stage.up(B)
  expect(isSettled(stage.state)).toBe(false)
  stage.told(B, { node: A, version: 4 }, { node: C, version: 8 })
  expect(isSettled(stage.state)).toBe(false)
  stage.told(B, { node: C, version: 9 })
  expect(isSettled(stage.state)).toBe(true)
  stage.up(C)
  expect(isSettled(stage.state)).toBe(false)
})

const tombstone = { origin: logOf(A), db_version: 7, cl: 2, held_ms: TOMBSTONE_MS }
const member = (absent_ms: number, version: number) => new Map([[B, { absent_ms, version }]])

test('a tombstone is forgotten when it is old, everybody of the last 90 days holds it, and nothing earlier lies in a log', () => {
  expect(mayForget(tombstone, { members: member(0, 7), other_cl: 0 })).toBe(true)
  expect(mayForget(tombstone, { members: member(ABSENT_MS + 1, 0), other_cl: 2 })).toBe(true)
  expect(mayForget({ ...tombstone, held_ms: TOMBSTONE_MS - 1 }, { members: new Map(), other_cl: 0 })).toBe(
    false,
  )
  expect(mayForget(tombstone, { members: member(ABSENT_MS, 6), other_cl: 0 })).toBe(false)
  expect(mayForget(tombstone, { members: member(0, 7), other_cl: 1 })).toBe(false)
})

test('whoever was away for longer comes back in its next life', () => {
  expect(afterAbsence(ABSENT_MS)).toBe('catch-up')
  expect(afterAbsence(ABSENT_MS + 1)).toBe('next-life')
})
