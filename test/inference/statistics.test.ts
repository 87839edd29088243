/** What is told of an engine's speed follows change, and is not forgotten over a pause. */
import { expect, test } from 'vitest'
import { Recent } from '../../src/inference/statistics.ts'

const minute = 60_000

test('nothing is known before the first', () => {
  expect([new Recent().p95(0), new Recent().median(0), new Recent().count(0)]).toEqual([null, null, 0])
})

test('the 95th percentile of many', () => {
  const waits = new Recent()
  for (let i = 0; i < 1_000; i += 1) waits.add(1_000, 0)
  for (let i = 1; i <= 128; i += 1) waits.add(i, 0)
  expect(waits.p95(0)).toBe(121)
  expect(waits.median(0)).toBe(64)
})

test('one outlier among a few is no measure', () => {
  const waits = new Recent()
  for (const wait of [20, 22, 3_000, 21]) waits.add(wait, 0)
  expect(waits.p95(0)).toBe(22)
})

test('where much is done the last half minute counts', () => {
  const waits = new Recent()
  for (let i = 0; i < 50; i += 1) waits.add(400, i * 500)
  for (let i = 0; i < 8; i += 1) waits.add(20, minute + i)
  expect(waits.p95(minute + 10)).toBe(20)
})

test('what is always slow stays slow over a pause, and is tried again after a long one', () => {
  const waits = new Recent()
  for (let i = 0; i < 8; i += 1) waits.add(400, i)
  expect(waits.p95(5 * minute)).toBe(400)
  expect(waits.p95(11 * minute)).toBe(null)
})
