/** Which node each placed actor lives on: M1 to M4. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  claim,
  FORGET_MS,
  forget,
  MAX_ENTRIES,
  MAX_PLACEMENTS,
  merge,
  NO_PLACEMENTS,
  orphans,
  type Placement,
  type Placements,
  pages,
  placementsSchema,
  release,
  whereIs,
} from '../../../src/cluster/placement/placements.ts'
import { nodeId } from '../../../src/host/index.ts'

const [a, b] = [nodeId('a'), nodeId('b')]
const KEY = 'loqa:/session/1'
const plain = ({ entries, digest }: Placements) => ({
  digest,
  entries: [...entries.values()].map(({ address, node, epoch }) => `${address} ${node} ${epoch}`).sort(),
})

describe('the map of placements', () => {
  it('tells where an actor is, after a claim and until it is released', () => {
    const claimed = claim(NO_PLACEMENTS, KEY, a, 0)!
    expect(whereIs(claimed.placements, KEY)).toBe(a)
    expect(release(claimed.placements, KEY, b, 0)).toBeUndefined()
    const released = release(claimed.placements, KEY, a, 0)!
    expect(whereIs(released.placements, KEY)).toBeUndefined()
    expect(merge(released.placements, [claimed.entry], 1).news).toEqual([])
    expect(forget(released.placements, FORGET_MS + 1)).toEqual(NO_PLACEMENTS)
  })

  it('M2 of two claims at once the smaller node keeps it, and the other learns that it lost', () => {
    const byA = claim(NO_PLACEMENTS, KEY, a, 0)!
    const byB = claim(NO_PLACEMENTS, KEY, b, 0)!
    const atB = merge(byB.placements, [byA.entry], 0)
    expect(atB.lost(b)).toEqual([KEY])
    expect(whereIs(atB.placements, KEY)).toBe(a)
    const atA = merge(byA.placements, [byB.entry], 0)
    expect(atA.news).toEqual([])
    expect(plain(atA.placements)).toEqual(plain(atB.placements))
  })

  it('M3 a dead node owns nothing: whoever takes over counts, even when it comes back', () => {
    const { placements, entry } = claim(NO_PLACEMENTS, KEY, a, 0)!
    expect(orphans(placements, (node) => node !== a)).toEqual([KEY])
    const taken = claim(placements, KEY, b, 0)!
    expect(whereIs(merge(taken.placements, [entry], 0).placements, KEY)).toBe(b)
  })

  it('M4 takes nothing new at the bound, and no address that is none', () => {
    const entries: Placement[] = Array.from({ length: MAX_PLACEMENTS }, (_, i) => ({
      address: `loqa:/timer/${i}`,
      node: a,
      epoch: 1,
    }))
    const full = merge(NO_PLACEMENTS, entries, 0).placements
    expect(claim(full, KEY, a, 0)).toBeUndefined()
    expect(claim(full, 'loqa:/timer/0', b, 0)).toBeDefined()
    expect(claim(NO_PLACEMENTS, 'loqa://a/x', a, 0)).toBeUndefined()
    const sent = pages(full)
    expect(sent.every(({ entries: each }) => each.length <= MAX_ENTRIES)).toBe(true)
    expect(sent.every((message) => placementsSchema.safeParse(message).success)).toBe(true)
  })

  it('M1 nodes that have exchanged everything agree, whatever the order and repetition', () => {
    const entry = fc.record({
      address: fc.constantFrom('loqa:/s/1', 'loqa:/s/2', 'loqa:/s/3'),
      node: fc.constantFrom(a, b, nodeId('c'), null),
      epoch: fc.integer({ min: 1, max: 4 }),
    })
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 80 }),
        (entries, order) => {
          const straight = merge(NO_PLACEMENTS, entries, 0).placements
          let other = NO_PLACEMENTS
          for (const i of order)
            if (entries.length > 0) other = merge(other, [entries[i % entries.length]!], 0).placements
          for (const each of [...entries].reverse()) other = merge(other, [each], 0).placements
          expect(plain(other)).toEqual(plain(straight))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
