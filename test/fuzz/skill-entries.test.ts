/** What other nodes store for a skill is kept or left out: the actor never throws on it, and never keeps more than its bounds. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Context, EntryChange } from '../../src/actors/index.ts'
import { placedAddress } from '../../src/actors/index.ts'
import { monotonic, nodeId, requestId, wall } from '../../src/host/index.ts'
import { type SkillArgs, type SkillMessage, type SkillState, skill } from '../../src/skills/index.ts'

const ARGS: SkillArgs = {
  ...{ name: 'pet', node: nodeId('here'), confirm: {}, intents: [], may_speak: true, zone: 'UTC' },
}
const NOW = 1_767_000_000_000

const context = (now: number): Context => ({
  ...{ self: { address: placedAddress('skill', 'pet'), incarnation: 1 }, entropy: 1 },
  ...{
    now: monotonic(now),
    wall: wall(NOW + now),
    replyTo: undefined,
    deadline_ms: undefined,
    sender: undefined,
  },
})

const told = (whole: boolean, changes: readonly EntryChange[]): SkillMessage => ({
  ...{ type: 'outcome', id: requestId('state'), event: 'chunk', body: { whole, changes } },
})

const names = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('t', '__proto__', 'constructor', 'toString', 'length', ''),
)
const keys = fc.oneof(
  fc.tuple(fc.constantFrom('timer/', 'storage/'), names).map(([prefix, name]) => prefix + name),
  names,
)
const times = fc.oneof(fc.double(), fc.integer({ min: NOW - 10_000, max: NOW + 10_000 }), fc.maxSafeInteger())
const timers = fc.record(
  { due_wall: times, delay_ms: times, by: names, room: names, more: fc.jsonValue() },
  { requiredKeys: [] },
)
const changes = fc.array(
  fc.oneof(
    fc.record({
      change: fc.constant('put' as const),
      key: keys,
      value: fc.oneof(timers, fc.jsonValue(), fc.string()),
    }),
    fc.record({ change: fc.constant('delete' as const), key: keys }),
  ),
  { maxLength: 20 },
)

test('5,000 stores of a broken or hostile member', () => {
  const met = { timers: 0, texts: 0, rings: 0 }
  fc.assert(
    fc.property(changes, fc.array(changes, { maxLength: 5 }), (first, later) => {
      let { state } = skill.start(ARGS, context(0))
      const tell = (message: SkillMessage, now: number): void => {
        const step = skill.receive(state, message, context(now))
        state = step.state as SkillState
        for (const effect of step.effects) {
          if (effect.type === 'schedule') expect(effect.delay_ms).toBeGreaterThanOrEqual(0)
        }
        met.rings += step.effects.filter(({ type }) => type === 'invoke').length
      }
      tell(told(true, first), 1)
      for (const [index, chunk] of later.entries()) tell(told(false, chunk), 10 * (index + 1))
      for (const timer of Object.values(state.kept.timers)) {
        expect(Number.isFinite(timer.due) && Number.isFinite(timer.ripe)).toBe(true)
        expect(timer.due - 100).toBeLessThanOrEqual(timer.delay_ms)
      }
      for (const text of Object.values(state.kept.storage)) expect(typeof text).toBe('string')
      expect(({} as Record<string, unknown>).due).toBeUndefined()
      met.timers += Object.keys(state.kept.timers).length
      met.texts += Object.keys(state.kept.storage).length
    }),
    { numRuns: 5_000, seed: 2027 },
  )
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(50)
})

test('more than a household has is left out, and there is room again when some are gone', () => {
  let { state } = skill.start(ARGS, context(0))
  const tell = (message: SkillMessage): void => {
    state = skill.receive(state, message, context(1)).state as SkillState
  }
  const value = { due_wall: NOW + 60_000, delay_ms: 60_000 }
  const put = (key: string): EntryChange[] => [
    { change: 'put', key: `timer/${key}`, value },
    { change: 'put', key: `storage/${key}`, value: key },
  ]
  tell(told(true, Array.from({ length: 5_000 }, (_, index) => put(`t${index}`)).flat()))
  const count = () => [Object.keys(state.kept.timers).length, Object.keys(state.kept.storage).length]
  expect(count()).toEqual([1_024, 4_096])
  tell(
    told(false, [
      ...put('new'),
      { change: 'delete', key: 'timer/t0' },
      { change: 'delete', key: 'storage/t0' },
    ]),
  )
  expect(count()).toEqual([1_023, 4_095])
  tell(told(false, put('new')))
  expect(count()).toEqual([1_024, 4_096])
  expect(state.kept.timers.new).toBeDefined()
})
