/** Of a log is kept what leads through it from the beginning, in the latest edition there is; an answer is a part of that which fits. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_ANSWER_BATCHES, MAX_ANSWER_BYTES } from '../../../src/store/sync/bounds.ts'
import { answerFrom, extentOf, type LogEntry, wayThrough } from '../../../src/store/sync/index.ts'

const entry = (edition: number, from: number, to: number, base = 0, size = 100): LogEntry => ({
  edition,
  base,
  from,
  to,
  size,
})

const spans = (entries: readonly LogEntry[]): string =>
  entries.map(({ edition, from, to }) => `${edition}:${from}-${to}`).join(' ')

test('a new edition takes the place of the old as far as it has come', () => {
  const old = [entry(0, 0, 5), entry(0, 5, 9), entry(0, 9, 12)]
  expect(spans(wayThrough(old, 0))).toBe('0:0-5 0:5-9 0:9-12')
  const some = [...old, entry(1, 0, 7, 12)]
  expect(spans(wayThrough(some, 0))).toBe('1:0-7 0:5-9 0:9-12')
  const all = [...some, entry(1, 7, 12, 12)]
  expect(spans(wayThrough(all, 0))).toBe('1:0-7 1:7-12')
  expect(spans(wayThrough([...all, entry(1, 12, 13, 12)], 0))).toBe('1:0-7 1:7-12 1:12-13')
})

test('it ends at a gap', () => {
  expect(spans(wayThrough([entry(0, 0, 5), entry(0, 6, 9)], 0))).toBe('0:0-5')
  expect(wayThrough([entry(0, 2, 5)], 0)).toEqual([])
  expect(wayThrough([entry(0, 0, 5)], 5)).toEqual([])
})

test('how far a log goes, and which edition of it is whole', () => {
  expect(extentOf([])).toEqual({ version: 0, edition: 0, bytes: 0 })
  expect(extentOf([entry(0, 0, 5), entry(0, 5, 9)])).toEqual({ version: 9, edition: 0, bytes: 200 })
  expect(extentOf([entry(2, 0, 5, 9), entry(0, 5, 9)])).toEqual({ version: 9, edition: 0, bytes: 200 })
  expect(extentOf([entry(2, 0, 9, 9), entry(1, 9, 12, 4)])).toEqual({ version: 12, edition: 2, bytes: 200 })
})

test('an answer holds at least one batch, and no more than fit', () => {
  const large = [entry(0, 0, 1, 0, MAX_ANSWER_BYTES), entry(0, 1, 2)]
  expect(spans(answerFrom(large, 0, 0))).toBe('0:0-1')
  expect(spans(answerFrom(large, 1, 0))).toBe('0:1-2')
  const small = Array.from({ length: 200 }, (_, i) => entry(0, i, i + 1, 0, 1))
  expect(answerFrom(small, 0, 0).length).toBe(MAX_ANSWER_BATCHES)
  expect(answerFrom(small, 0, 1)).toEqual([])
})

test('any batches: no gap, no step that leads nowhere, and what is on the way leads as far as all of them', () => {
  const any = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 12 }))
    .map(([edition, from, length]) => entry(edition, from, from + length))
  fc.assert(
    fc.property(fc.array(any, { maxLength: 30 }), (entries) => {
      const way = wayThrough(entries, 0)
      let at = 0
      for (const step of way) {
        expect(step.from <= at && step.to > at).toBe(true)
        at = step.to
      }
      const reach = (from: number): number => {
        const next = entries.filter((step) => step.from <= from && step.to > from).map(({ to }) => to)
        return next.length === 0 ? from : reach(Math.max(...next))
      }
      expect(at).toBe(reach(0))
      expect(wayThrough(way, 0)).toEqual(way)
    }),
    { numRuns: 2_000 },
  )
})
