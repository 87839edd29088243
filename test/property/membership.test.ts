/** Any inputs in any order, honest or not, at any pace, keep the invariants of membership; the same ones give the same. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MemberEntry, MembershipMessage } from '../../src/cluster/index.ts'
import type { NodeId } from '../../src/host/index.ts'
import { A, B, C, D, E, Stage } from '../cluster/membership/stage.ts'
import { derivedIsTrue } from '../sim/cluster/checks.ts'

const id = fc.constantFrom(A, B, C, D, E)
const incarnation = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom(900, 2 ** 21, 2 ** 51))
const boot = fc.integer({ min: 1, max: 3 })
const status = fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const)
const header = { boot, seq: fc.integer({ min: 1, max: 60 }), incarnation }
const entry = fc
  .record({ id, boot, incarnation, status, by: fc.option(id, { nil: undefined }) })
  .map(({ by, ...rest }): MemberEntry => (by === undefined ? rest : { ...rest, by }))
const probe = fc.integer({ min: 0, max: 3 })

const message: fc.Arbitrary<MembershipMessage> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('heartbeat' as const),
      ...header,
      digest: fc.integer(),
      news: fc.array(entry, { maxLength: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('heartbeat' as const),
      ...header,
      digest: fc.integer(),
      leaving: fc.boolean(),
      you: fc.record({ boot, incarnation, status }),
      news: fc.constant<MemberEntry[]>([]),
    }),
  },
  fc.record({ type: fc.constant('ping' as const), ...header, probe, origin: id }),
  fc.record({ type: fc.constant('probe-request' as const), ...header, probe, target: id }),
  fc.record({ type: fc.constant('ack' as const), ...header, probe, origin: id, about: id }),
  fc.record({ type: fc.constant('sync' as const), ...header, entries: fc.array(entry, { maxLength: 64 }) }),
)

type Action =
  | { readonly do: 'say'; readonly from: NodeId; readonly message: MembershipMessage }
  | { readonly do: 'pass' | 'sleep'; readonly ms: number }
  | { readonly do: 'open' | 'close'; readonly peer: NodeId }
  | { readonly do: 'expel'; readonly peer: NodeId }
  | { readonly do: 'tick' | 'leave' }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('say' as const), from: id, message }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 9_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'close' as const), peer: id }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expel' as const), peer: id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 0.2 * 5, arbitrary: fc.record({ do: fc.constant('leave' as const) }) },
)

function perform(stage: Stage, one: Action): void {
  switch (one.do) {
    case 'say':
      stage.say(one.from, one.message)
      return
    case 'pass':
      stage.pass(one.ms)
      return
    case 'sleep':
      stage.sleep(one.ms)
      return
    case 'open':
      stage.give({ type: 'stream-opened', peer: one.peer })
      return
    case 'close':
      stage.give({ type: 'stream-closed', peer: one.peer })
      return
    case 'expel':
      stage.strangers.add(one.peer)
      return
    case 'tick':
    case 'leave':
      stage.give({ type: one.do })
  }
}

const RUNS = Number(process.env.LOQA_TEST_RUNS ?? 600)

describe('whatever comes', () => {
  test('the invariants hold', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const stage = new Stage()
        for (const one of actions) {
          const before = stage.state
          perform(stage, one)
          const { state, effects, config } = stage
          expect(state.self.incarnation).toBeGreaterThanOrEqual(before.self.incarnation)
          expect(stage.member(A)).toBeUndefined()
          expect(state.awareness).toBeLessThanOrEqual(config.awareness_max)
          expect(state.rumours.length).toBeLessThanOrEqual(state.roster.slots.size + 1)
          // 4 neighbours: heartbeats, calls, 2 pages, probes; and answers.
          expect(effects.length).toBeLessThan(200)
          derivedIsTrue(state)
        }
      }),
      { numRuns: RUNS, seed: 20_261_126 },
    )
  })

  test('the same inputs give the same state and effects, and change no state given', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        const [one, two] = [new Stage(), new Stage()]
        for (const step of actions) {
          const before = structuredClone(one.state)
          const held = one.state
          perform(one, step)
          perform(two, step)
          expect(held).toEqual(before)
          expect(one.state).toEqual(two.state)
          expect(one.effects).toEqual(two.effects)
        }
      }),
      { numRuns: 60, seed: 7 },
    )
  })
})
