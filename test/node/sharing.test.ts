/** Runs go to the node that delivers soonest, as it says and as it was seen to; to a newcomer at once, and back when it is gone. */
import { beforeEach, expect, test } from 'vitest'
import { placedAddress, type Ref } from '../../src/actors/index.ts'
import type { Sheet } from '../../src/cluster/index.ts'
import { nodeId, requestId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { type Capability, type EngineEvent, type InferPort, openRun } from '../../src/inference/index.ts'
import { AddedCapacity } from '../../src/node/added-capacity.ts'
import { type Shared, shareEngines } from '../../src/node/sharing.ts'

const [HERE, JETSON] = ['here', 'jetson'].map(nodeId) as [
  ReturnType<typeof nodeId>,
  ReturnType<typeof nodeId>,
]
const ACTOR: Ref = { address: placedAddress('skill', 'notes'), incarnation: 1 }
const TAG = 'llm.llama:small'

let clock: SimulatedClock
let takes_ms: Record<string, number>
let lag_ms: number | undefined
let begun: string[]
let told: Map<ReturnType<typeof nodeId>, { boot: string; sheet: Sheet }>
let shared: Shared
let lines: (readonly [message: string, adds: unknown])[]
let capacity: AddedCapacity

/** An engine that answers after `takes_ms` of its node. */
const engineOf = (node: string): InferPort => ({
  request({ id, op }, deliver) {
    if (op !== 'open') return
    begun.push(node)
    clock.after(takes_ms[node]!, () => {
      const token: EngineEvent = { type: 'token', text: 'x' }
      deliver({ type: 'outcome', id, event: 'chunk', body: token })
      deliver({ type: 'outcome', id, event: 'done', body: { type: 'done', usage: { compute_ms: 1 } } })
    })
  },
  cancel() {},
  actorGone() {},
})

const own: Capability = {
  ...{ name: 'llm', tag: TAG, model: 'small', state: 'ready', p95_ms: 310, real_time_factor: null },
  ...{ tokens_per_s: null, restarts: 0, rss_mb: null, load: 0 },
}
const sheet = (p95_ms: number, lag_ms = 0): Sheet => ({
  ...{ version: 1, room: 'hall', program: '1', load: 0.1 },
  capabilities: [
    {
      ...{ tag: TAG, ready: true, p95_ms, real_time_factor: null, tokens_per_s: null, room: 16, running: 0 },
      lag_ms,
    },
  ],
})
const comes = (p95_ms: number, lag_ms?: number): void => {
  told.set(JETSON, { boot: 'b', sheet: sheet(p95_ms, lag_ms) })
  capacity.listener.sheet?.(JETSON, sheet(p95_ms))
}

beforeEach(() => {
  clock = new SimulatedClock()
  takes_ms = { here: 310, jetson: 60 }
  lag_ms = undefined
  begun = []
  told = new Map()
  lines = []
  shared = shareEngines({
    ...{
      self: HERE,
      clock,
      local: engineOf('here'),
      capabilities: () => [{ ...own, p95_ms: takes_ms.here!, lag_ms }],
      load: () => 0.1,
      room: 16,
    },
    cluster: () => ({
      sheets: () => told,
      members: () =>
        [...told.keys()].map(
          (id) => ({ id, standing: { status: 'alive' }, repute: { steady: true } }) as never,
        ),
      linkTo: (node) => (told.has(node) ? ({} as never) : undefined),
      rttOf: () => 2,
    }),
    far: (node) => engineOf(node) as never,
    ...{ lent() {}, moved() {}, waited() {}, hedge() {} },
  })
  capacity = new AddedCapacity({
    ...{ self: HERE, clock, offers: shared.offers, nameOf: () => 'jetson' },
    log: {
      info: (message: string, values: object) => lines.push([message, Object.values(values).at(-1)]),
    } as never,
  })
})

let number = 0
function run(): string {
  number += 1
  const effect = openRun(requestId(`run:${number}`), 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 })
  shared.port.request(effect, () => undefined, ACTOR)
  clock.advance(5_000)
  return begun.at(-1)!
}
const runs = (count: number): string[] => Array.from({ length: count }, run)

test('the first run after a faster node came is its, and the first after it went is not', () => {
  expect(run()).toBe('here')
  comes(60)
  expect(run()).toBe('jetson')
  told.clear()
  expect(run()).toBe('here')
})

test('an engine that is behind while it is fed is left at once, however quick it is once it has all, and taken again when the other is worse', () => {
  takes_ms = { here: 40, jetson: 90 }
  comes(90, 20)
  lag_ms = 20
  expect(run()).toBe('here')
  lag_ms = 1_400
  expect(run()).toBe('jetson')
  // Relieved, it is remembered to be slow for a while; less of a difference than work stays where it is for moves nothing.
  lag_ms = 60
  expect(run()).toBe('jetson')
  comes(90, 700)
  expect(run()).toBe('here')
  told.clear()
  lag_ms = 1_400
  expect(run()).toBe('here')
})

test('a node that says it is fast and is late is left after three runs', () => {
  takes_ms = { here: 100, jetson: 240 }
  comes(60)
  expect(runs(6)).toEqual(['jetson', 'jetson', 'jetson', 'here', 'here', 'here'])
})

test('one late answer of a fast node moves nothing', () => {
  comes(60)
  runs(6)
  takes_ms.jetson = 900
  run()
  takes_ms.jetson = 60
  expect(runs(3)).toEqual(['jetson', 'jetson', 'jetson'])
})

test('what a newcomer adds is said once, shown while it is there, and said to be gone when it is', () => {
  runs(4)
  comes(60)
  expect([lines, capacity.of(JETSON)]).toEqual([[], null])
  clock.advance(2_000)
  comes(58)
  clock.advance(20_000)
  const text = 'llm p95 310 → 62 ms'
  expect(lines).toEqual([['A node adds capacity', text]])
  // As fast as it is now.
  expect(capacity.of(JETSON)?.text).toBe('llm p95 310 → 60 ms')
  expect(capacity.of(HERE)).toBe(null)
  capacity.listener.member?.({ id: JETSON, status: 'suspect' } as never)
  expect(lines.length).toBe(1)
  capacity.listener.member?.({ id: JETSON, status: 'dead' } as never)
  expect(lines.at(-1)).toEqual(['What a node added is gone', text])
  expect(capacity.of(JETSON)).toBe(null)
})

test('an engine that has not measured itself is waited for', () => {
  comes(60)
  told.set(JETSON, {
    boot: 'b',
    sheet: { ...sheet(0), capabilities: sheet(0).capabilities.map((one) => ({ ...one, p95_ms: null })) },
  })
  clock.advance(2_000)
  expect(lines).toEqual([])
  comes(60)
  clock.advance(2_000)
  expect(lines).toEqual([['A node adds capacity', 'llm p95 310 → 62 ms']])
})
