/** The small parts: who hears whom, rumours, the roster as a value, the window of sequence numbers. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MEMBERSHIP_PRESETS, memberOf } from '../../../src/cluster/index.ts'
import { isRepeated, withSeq } from '../../../src/cluster/membership/hearing.ts'
import { distances, neighboursOf, printOf } from '../../../src/cluster/membership/neighbours.ts'
import { newMember } from '../../../src/cluster/membership/newcomer.ts'
import {
  allMembers,
  EMPTY_ROSTER,
  withMember,
  withoutMember,
} from '../../../src/cluster/membership/roster.ts'
import { rumour, takeNews, tellings } from '../../../src/cluster/membership/rumours.ts'
import { nodeId } from '../../../src/host/index.ts'

const config = MEMBERSHIP_PRESETS.lan
const named = (count: number) =>
  Array.from({ length: count }, (_, n) => nodeId(`n${n}`)).map((id) => ({ id, print: printOf(id) }))

const hearing = (size: number): Map<string, string[]> => {
  const all = named(size)
  return new Map(
    all.map((self) => [
      self.id,
      neighboursOf(
        self,
        all.filter((one) => one !== self),
        config,
      ),
    ]),
  )
}

describe('neighbours', () => {
  test.each([2, 3, 32])('of %i members are all the others', (size) => {
    for (const [, neighbours] of hearing(size)) expect(neighbours).toHaveLength(size - 1)
  })

  test.each([33, 40, 100, 1_000])('of %i are at most sixteen, on both sides, and never oneself', (size) => {
    const ears = hearing(size)
    for (const [id, neighbours] of ears) {
      expect(neighbours.length).toBeLessThanOrEqual(16)
      expect(neighbours.length).toBeGreaterThanOrEqual(15)
      expect(neighbours).not.toContain(id)
      for (const other of neighbours) expect(ears.get(other)).toContain(id)
    }
  })

  test('of a thousand: news reaches all in five steps', () => {
    const ears = hearing(1_000)
    let reached = new Set(['n0'])
    for (let step = 0; step < 5; step += 1) {
      reached = new Set([...reached].flatMap((id) => [id, ...ears.get(id)!]))
    }
    expect(reached.size).toBe(1_000)
  })

  test('stand at distances that are all different and within half the ring', () => {
    for (let size = 33; size < 2_048; size += 7) {
      const all = distances(size, 8)
      expect(new Set(all).size).toBe(8)
      expect(Math.max(...all)).toBeLessThanOrEqual(Math.floor(size / 2))
      expect(all[0]).toBe(1)
    }
  })
})

describe('rumours', () => {
  const ids = ['a', 'b', 'c', 'd'].map(nodeId)

  test('ride least told first, so many times, one a member', () => {
    let rumours = ids.reduce((all, id) => rumour(all, id), [] as ReturnType<typeof rumour>)
    rumours = rumour(rumours, ids[0]!)
    expect(rumours).toHaveLength(4)
    const told = new Map<string, number>()
    while (rumours.length > 0) {
      const taken = takeNews(rumours, 3, 5)
      expect(taken.told.length).toBeLessThanOrEqual(3)
      for (const { id } of taken.told) told.set(id, (told.get(id) ?? 0) + 1)
      expect(
        Math.max(...told.values()) - Math.min(...ids.map((id) => told.get(id) ?? 0)),
      ).toBeLessThanOrEqual(2)
      rumours = taken.left
    }
    expect([...told.values()]).toEqual([5, 5, 5, 5])
  })

  test('are told more often in a larger cluster, by its logarithm', () => {
    expect(tellings(4, 1)).toBe(7)
    expect(tellings(4, 999)).toBe(40)
  })
})

test('a roster is a value: members come, change and go, and what was before stays as it was', () => {
  const ids = named(40).map(({ id }) => id)
  const operation = fc.record({ put: fc.boolean(), id: fc.constantFrom(...ids), incarnation: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      let roster = EMPTY_ROSTER
      const model = new Map<string, number>()
      for (const { put, id, incarnation } of operations) {
        const before = roster
        const frozen = allMembers(before)
        roster = put
          ? withMember(roster, newMember(id, { boot: 1, incarnation }, 0))
          : withoutMember(roster, id)
        if (put) model.set(id, incarnation)
        else model.delete(id)
        expect(allMembers(before)).toEqual(frozen)
      }
      expect(roster.slots.size).toBe(model.size)
      for (const id of ids) expect(memberOf(roster, id)?.life.incarnation).toBe(model.get(id))
    }),
    { numRuns: 200, seed: 1 },
  )
})

test('the window lets each number through once, whatever the order, and none from before it (M8)', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (numbers) => {
      let recent: readonly number[] = []
      const accepted = new Set<number>()
      for (const seq of numbers) {
        if (isRepeated(recent, seq)) continue
        expect(accepted.has(seq)).toBe(false)
        accepted.add(seq)
        recent = withSeq(recent, seq)
        expect(recent.length).toBeLessThanOrEqual(8)
        expect([...recent]).toEqual([...recent].sort((a, b) => a - b))
      }
    }),
    { numRuns: 500, seed: 2 },
  )
})
