/** How busy a machine is, as it is told: D1 and D2. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LOAD_STEP, type Load, looked, UNKNOWN_LOAD } from '../../../src/cluster/running/load.ts'
import { realProcessors } from '../../../src/host/real-processors.ts'

/** Looks two seconds apart on two processors, each in use for that share of the time. */
function after(...shares: readonly number[]): Load[] {
  const first = looked(UNKNOWN_LOAD, { busy_ms: 0, all_ms: 0 })
  const loads = [first]
  for (const [i, share] of shares.entries()) {
    const before = loads[i]!
    const { busy_ms } = before.times!
    loads.push(looked(before, { busy_ms: busy_ms + share * 4_000, all_ms: 4_000 * (i + 1) }))
  }
  return loads
}
const told = (...shares: readonly number[]) => after(...shares).map((load) => load.told)

test('D1 is unknown at first, and then a share', () => {
  expect(told()).toEqual([null])
  expect(told(0.5)).toEqual([null, 0.5])
  expect(told(1, 1)).toEqual([null, 1, 1])
})

test('a machine that becomes busy is told within seconds', () => {
  expect(told(0, 1, 1, 1, 1)).toEqual([null, 0, 0.4, 0.65, 0.8, 0.8])
  expect(told(1, 0, 0, 0, 0, 0, 0).at(-1)).toBeLessThanOrEqual(0.1)
})

test('times that stand still or go back say nothing', () => {
  const [, known] = after(0.5)
  expect(looked(known!, known!.times!).told).toBe(0.5)
  expect(looked(known!, { busy_ms: 0, all_ms: 0 }).told).toBe(0.5)
})

test('D2 noise is not told, and what is told is never farther from the average than a step', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.45, max: 0.54, noNaN: true }), { minLength: 1, maxLength: 60 }),
      (noise) => {
        expect(new Set(told(...noise).slice(1)).size).toBe(1)
      },
    ),
  )
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }),
      (shares) => {
        for (const load of after(...shares).slice(1)) {
          expect(Math.abs(load.told! - load.share!)).toBeLessThanOrEqual(LOAD_STEP + 1e-9)
          expect(load.told).toBeGreaterThanOrEqual(0)
          expect(load.told).toBeLessThanOrEqual(1)
        }
      },
    ),
  )
})

test('the real processors count up, and are never busier than they are many', () => {
  const before = realProcessors()
  for (let i = 0, end = 2e7; i < end; i += 1) Math.sqrt(i)
  const now = realProcessors()
  expect(before.all_ms).toBeGreaterThan(0)
  expect(now.busy_ms).toBeGreaterThanOrEqual(before.busy_ms)
  expect(now.all_ms - before.all_ms).toBeGreaterThanOrEqual(now.busy_ms - before.busy_ms)
})
