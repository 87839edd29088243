/** Two to five nodes, anything in any order: what must hold at every step, and where it must end. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRevoked, isRotationDue, maySign, members, revoked } from '../../src/cluster/household/authority.ts'
import { MAX_PENDING } from '../../src/cluster/household/bounds.ts'
import { household } from '../../src/cluster/household/household.ts'
import { currentKey, keyId } from '../../src/cluster/household/keychain.ts'
import { isAlone, isFresh, isOpen } from '../../src/cluster/household/standing.ts'
import type { HouseholdInput, HouseholdState } from '../../src/cluster/household/state.ts'
import type { NodeId } from '../../src/host/index.ts'
import { householdOf, id, type Resident, Town } from '../cluster/household/town.ts'

const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

/** A town that checks every step of every node. */
class WatchedTown extends Town {
  /** By household: whom somebody rightly let in. */
  readonly admitted = new Map<string, Set<NodeId>>()
  readonly #revoked = new Map<Resident, Map<string, readonly NodeId[]>>()
  readonly #consented = new Map<Resident, Set<NodeId>>()
  readonly seen = { window: 0, approval: 0, revoked: 0, moved: 0, rotated: 0 }

  override input(resident: Resident, input: HouseholdInput): void {
    const before = resident.state
    const { effects, state: after } = household(before, input, {
      ...this.context,
      random: this.random.fork(),
    })
    for (const effect of effects) {
      if (effect.type === 'audit' && effect.what === 'household.admitted') {
        this.#rightly(resident, input, effect.object as NodeId, effect.outcome)
      }
      if (effect.type === 'audit' && effect.what === 'household.rotated') this.seen.rotated += 1
      if (effect.type === 'grant') expect(isRevoked(after.roster, effect.grant.node)).toBe(false)
      if (effect.type === 'enrol' && effect.consented) {
        const agreed = this.#consented.get(resident) ?? new Set()
        const may = isOpen(before, this.context) || input.type === 'return' || agreed.has(effect.node)
        expect(may).toBe(true)
        this.#consented.set(resident, new Set(agreed).add(effect.node))
      }
    }
    if (input.type === 'approve' && before.joining?.code === input.code) {
      this.#consented.set(resident, new Set(this.#consented.get(resident)).add(before.joining.node))
    }
    super.input(resident, input)
    this.#check(resident, before)
  }

  /** H1: by a window that was open, or by a person who gave the code that node shows. */
  #rightly({ state }: Resident, input: HouseholdInput, node: NodeId, because: string): void {
    if (because === 'window') {
      expect(isOpen(state, this.context) || input.type === 'open').toBe(true)
      this.seen.window += 1
    } else {
      const shown = state.pending.find(({ card }) => card.node === node)?.code
      expect(input).toEqual({ type: 'approve', code: shown })
      this.seen.approval += 1
    }
    const { household: where } = state.roster
    this.admitted.set(where, new Set(this.admitted.get(where)).add(node))
  }

  #check(resident: Resident, before: HouseholdState): void {
    const { state } = resident
    const { roster } = state
    const rightly = this.admitted.get(roster.household) ?? new Set()
    for (const node of members(roster)) {
      expect(node === roster.charter.founder || rightly.has(node)).toBe(true)
      // H2
      expect(isRevoked(roster, node)).toBe(false)
    }
    const known = this.#revoked.get(resident) ?? new Map<string, readonly NodeId[]>()
    const now = revoked(roster)
    expect(now).toEqual(expect.arrayContaining([...(known.get(roster.household) ?? [])]))
    this.#revoked.set(resident, known.set(roster.household, now))
    this.seen.revoked = Math.max(this.seen.revoked, now.length)
    // H4
    if (roster.household !== before.roster.household) {
      expect(isAlone(before) || (isFresh(before.roster) && isOpen(before, this.context))).toBe(true)
      this.seen.moved += 1
    }
    // H5, H6
    if (state.phase === 'removed') expect([state.keychain.length, state.pending.length]).toEqual([0, 0])
    expect(state.pending.length).toBeLessThanOrEqual(MAX_PENDING)
  }
}

const who = fc.nat(4)
const pair = (type: string) => fc.record({ type: fc.constant(type), a: who, b: who })
const one = (type: string) => fc.record({ type: fc.constant(type), a: who, b: fc.constant(0) })
const step = fc.oneof(
  { weight: 6, arbitrary: pair('introduce') },
  { weight: 5, arbitrary: pair('connect') },
  {
    weight: 12,
    arbitrary: fc.record({ type: fc.constant('deliver'), a: fc.integer({ min: 1, max: 6 }), b: who }),
  },
  { weight: 2, arbitrary: one('lose') },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('wait'), a: fc.integer({ min: 1, max: 120 }), b: who }),
  },
  { weight: 2, arbitrary: one('open') },
  { weight: 1, arbitrary: one('lock') },
  { weight: 8, arbitrary: pair('approve') },
  { weight: 2, arbitrary: pair('revoke') },
  { weight: 2, arbitrary: pair('join') },
  { weight: 1, arbitrary: pair('return') },
  { weight: 1, arbitrary: one('restart') },
)
type Step = { readonly type: string; readonly a: number; readonly b: number }

function play(town: Town, { type, a, b }: Step): void {
  const nodes = town.residents
  const [one, other] = [nodes[a % nodes.length]!, nodes[b % nodes.length]!]
  if (type === 'deliver') for (let i = 0; i < a; i += 1) town.deliverAny()
  else if (type === 'lose') town.parcels.splice(town.random.below(town.parcels.length + 1), 1)
  else if (type === 'wait') town.wait(a * 1_000)
  else if (type === 'open') town.input(one, { type: 'open', span_ms: 60_000 })
  else if (type === 'lock') town.input(one, { type: 'lock' })
  else if (type === 'restart') town.restart(one)
  else if (one === other) return
  else if (type === 'introduce') town.introduce(one, other)
  else if (type === 'connect') town.connect(one, other)
  else if (type === 'approve')
    town.input(one, { type: 'approve', code: one.state.pending[0]?.code ?? (town.code(other) || '000000') })
  else if (type === 'revoke') town.input(one, { type: 'revoke', node: id(other) })
  else if (type === 'join') town.input(one, { type: 'join', node: id(other) })
  else if (type === 'return') town.input(one, { type: 'return', node: id(other) })
}

const everyPair = (nodes: readonly Resident[]): [Resident, Resident][] =>
  nodes.flatMap((one, i) => nodes.slice(i + 1).map((other): [Resident, Resident] => [one, other]))

/** All faults over: everybody meets everybody until nothing changes. */
function calm(town: Town): void {
  for (let round = 0; round < 4; round += 1) {
    town.deliverAll()
    for (const [one, other] of everyPair(town.residents)) {
      if (!town.connect(one, other) && householdOf(one) === householdOf(other)) {
        town.input(one, { type: 'return', node: id(other) })
        town.deliverAll()
        town.input(other, { type: 'return', node: id(one) })
      }
      town.deliverAll()
    }
    town.wait(60_000)
  }
}

describe('two to five nodes in any order of events', () => {
  it('let nobody in unasked, never take a removed one back, and agree in the end', () => {
    const seen = { window: 0, approval: 0, revoked: 0, moved: 0, rotated: 0 }
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
        (seed, count, locked, steps) => {
          const town = new WatchedTown(seed)
          for (let i = 0; i < count; i += 1) town.settle(`n${i}`, { locked: locked[i]! })
          for (const next of steps) play(town, next)
          calm(town)
          for (const [one, other] of everyPair(town.residents)) {
            const [a, b] = [one.state, other.state]
            const together =
              a.phase === 'member' && b.phase === 'member' && householdOf(one) === householdOf(other)
            // One may not have heard that the other was removed: then it is the other way round at least.
            const both =
              together && members(a.roster).includes(id(other)) && members(b.roster).includes(id(one))
            if (!both) continue
            expect(members(a.roster)).toEqual(members(b.roster))
            expect(revoked(a.roster)).toEqual(revoked(b.roster))
            expect(keyId(currentKey(a.keychain, a.roster)!)).toBe(keyId(currentKey(b.keychain, b.roster)!))
            if (maySign(a.roster, id(one))) expect(isRotationDue(a.roster)).toBe(false)
          }
          for (const key of Object.keys(seen) as (keyof typeof seen)[]) seen[key] += town.seen[key]
        },
      ),
      { numRuns: Number(process.env.LOQA_PROPERTY_RUNS ?? 25), seed: SEED },
    )
    // The steps reached what they are meant to try.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
  }, 120_000)
})

describe('windows that meet', () => {
  it('end as one household with the same id everywhere, whatever is late, and when two messages are lost', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.oneof(one('deliver'), one('wait')), { minLength: 5, maxLength: 40 }),
        fc.uniqueArray(fc.nat(40), { maxLength: 2 }),
        (seed, count, steps, lost) => {
          const town = new WatchedTown(seed)
          for (let i = 0; i < count; i += 1) town.settle(`n${i}`)
          const meet = (): void => {
            for (const [one, other] of everyPair(town.residents)) town.introduce(one, other)
          }
          meet()
          for (const [at, { type, a }] of steps.entries()) {
            if (lost.includes(at)) play(town, { type: 'lose', a: 0, b: 0 })
            play(town, { type, a: type === 'wait' ? 1 : a + 1, b: 0 })
            meet()
          }
          // Two minutes at most are spent on those that seemed not to answer.
          for (let i = 0; i < 40 && new Set(town.residents.map(householdOf)).size > 1; i += 1) {
            town.deliverAll()
            town.wait(5_000)
            meet()
          }
          expect(new Set(town.residents.map(householdOf)).size).toBe(1)
        },
      ),
      { numRuns: Number(process.env.LOQA_PROPERTY_RUNS ?? 25), seed: SEED },
    )
  }, 120_000)
})
