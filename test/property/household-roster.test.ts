/** The roster as a set: any order, any number of copies, one meaning. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  certificateOf,
  isRevoked,
  maySign,
  members,
  revoked,
  rotationOf,
  windowOf,
} from '../../src/cluster/household/authority.ts'
import { canonical, type Field } from '../../src/cluster/household/canonical.ts'
import { found, newSelf } from '../../src/cluster/household/founding.ts'
import {
  issueCertificate,
  issueRotation,
  issueTombstone,
  issueWarrant,
  issueWindow,
} from '../../src/cluster/household/issue.ts'
import { batches } from '../../src/cluster/household/messages.ts'
import { type HouseholdRecord, recordSchema } from '../../src/cluster/household/records.ts'
import { emptyRoster, merge, recordsOf } from '../../src/cluster/household/roster.ts'
import type { Self } from '../../src/cluster/household/state.ts'
import type { Roster } from '../../src/cluster/household/tables.ts'
import { keyOf, monotonic, nodeIdOf, wall } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'

/** The same runs every time: what they have to meet, they always meet. `LOQA_SEED` draws others. */
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

const NOW = Date.UTC(2026, 0, 1)
const random = new SimulatedRandom(11)
const selves = ['a', 'b', 'c', 'd', 'stranger'].map((name) => newSelf(name, random))
const [founder] = selves as [Self]
const base = found(founder, { now: monotonic(0), wall: wall(NOW), random }, { locked: false }).roster

/** One thing that one of them signs, entitled or not. */
interface Act {
  readonly kind: 'warrant' | 'certificate' | 'tombstone' | 'window' | 'rotation'
  readonly by: number
  readonly of: number
  readonly at: number
}
const act = fc.record<Act>({
  kind: fc.constantFrom(
    'warrant',
    'warrant',
    'certificate',
    'certificate',
    'tombstone',
    'window',
    'rotation',
  ),
  by: fc.constantFrom(0, 0, 1, 2, 3, 4),
  of: fc.nat(4),
  at: fc.nat(3),
})

function signed(roster: Roster, { kind, by, of, at }: Act): HouseholdRecord {
  const [self, other] = [selves[by]!, selves[of]!]
  const signer = { node: self.card.node, identity: self.identity }
  const time = wall(NOW + at * 1_000)
  if (kind === 'warrant') return issueWarrant(roster, signer, other.card.node, time)
  if (kind === 'certificate') return issueCertificate(roster, signer, other.card, time)
  if (kind === 'tombstone') return issueTombstone(roster, signer, other.card.node, time)
  if (kind === 'window') return issueWindow(roster, signer, time, at * 1_000)
  return issueRotation(roster, signer, self.sealing, time)
}

const judged = (roster: Roster) => ({
  records: recordsOf(roster)
    .map((record) => JSON.stringify(record))
    .sort(),
  members: members(roster),
  revoked: revoked(roster),
  signers: selves.map(({ card }) => maySign(roster, card.node)),
  certificates: selves.map(({ card }) => certificateOf(roster, card.node)),
  window: windowOf(roster),
  rotation: rotationOf(roster),
})

const shuffled = (records: readonly HouseholdRecord[], seed: number): HouseholdRecord[] => {
  const draw = new SimulatedRandom(seed)
  return records
    .flatMap((record) => (draw.below(3) === 0 ? [record, record] : [record]))
    .map((record) => ({ record, place: draw.uint32() }))
    .sort((a, b) => a.place - b.place)
    .map(({ record }) => record)
}

describe('a roster', () => {
  it('is the same after any order, any copies, in one batch or many; and who is out stays out on the way', () => {
    let revocations = 0
    fc.assert(
      fc.property(
        fc.array(act, { minLength: 4, maxLength: 18 }),
        fc.integer(),
        fc.integer(),
        (acts, one, two) => {
          // Signed as things go on, so that tombstones name whom they keep.
          const records: HouseholdRecord[] = recordsOf(base)
          let grown = base
          for (const next of acts) {
            records.push(signed(grown, next))
            grown = merge(grown, records.slice(-1)).roster
          }
          const empty = emptyRoster(base.charter)!
          const atOnce = merge(empty, shuffled(records, one)).roster
          let inBatches = empty
          const out = new Set<string>()
          const order = shuffled(records, two)
          // Sent twice, as members do when they meet again: what came before its signer is taken up then.
          for (const batch of [...batches(order), ...order.map((record) => [record]), ...batches(order)]) {
            inBatches = merge(inBatches, batch).roster
            for (const node of revoked(inBatches)) out.add(node)
            for (const node of out) {
              expect(isRevoked(inBatches, node as never)).toBe(true)
              expect(members(inBatches)).not.toContain(node)
              expect(maySign(inBatches, node as never)).toBe(false)
            }
          }
          expect(judged(inBatches)).toEqual(judged(atOnce))
          revocations += out.size
          // R3: nobody without a warrant has signed anything that was taken up.
          const warranted = new Set([founder.card.node, ...atOnce.warrant.keys()])
          for (const record of recordsOf(atOnce)) {
            if (record.kind !== 'charter') expect(warranted.has(record.by)).toBe(true)
            expect(recordSchema.safeParse(record).success).toBe(true)
          }
        },
      ),
      { numRuns: Number(process.env.LOQA_PROPERTY_RUNS ?? 80), seed: SEED },
    )
    expect(revocations).toBeGreaterThan(20)
  }, 120_000)
})

describe('what is signed', () => {
  const leaf: fc.Arbitrary<Field> = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeNat(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 9 }),
  )
  const field: fc.Arbitrary<Field> = fc.oneof(
    leaf,
    fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), { maxLength: 4 }),
  )
  const shape = (value: unknown): string =>
    JSON.stringify(value, (_key, item: unknown) => (item instanceof Uint8Array ? { bytes: [...item] } : item))

  it('differs when anything in it differs', () => {
    fc.assert(
      fc.property(fc.array(field), fc.array(field), fc.string(), fc.string(), (one, other, here, there) => {
        const [a, b] = [canonical(here, one), canonical(there, other)]
        expect(Buffer.from(a).equals(b)).toBe(shape([here, one]) === shape([there, other]))
        expect(Buffer.from(canonical(here, one)).equals(a)).toBe(true)
      }),
    )
    // Neighbours that a careless encoding takes for each other.
    const pairs: [Field[], Field[]][] = [
      [
        ['ab', 'c'],
        ['a', 'bc'],
      ],
      [[['a'], 'b'], [['a', 'b']]],
      [[1], ['1']],
      [[null], [[]]],
      [[''], [new Uint8Array()]],
      [[false], [0]],
    ]
    for (const [one, other] of pairs) expect(canonical('x', one)).not.toEqual(canonical('x', other))
  })
})

it('a node id is its key, both ways, spelt as libp2p spells it', () => {
  // @libp2p/peer-id of the key in libp2p's specification of peer ids.
  expect(nodeIdOf('1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e')).toBe(
    '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq',
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const key = Buffer.from(bytes).toString('hex')
      const id = nodeIdOf(key)
      expect(id).toMatch(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/)
      expect(keyOf(id)).toBe(key)
    }),
  )
})
