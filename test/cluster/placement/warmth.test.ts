/** Engines stay in memory where they are asked for, and two spare ones in any case; the others rest, and wake when they are needed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Offer } from '../../../src/cluster/placement/placement.ts'
import { type Kept, warmings } from '../../../src/cluster/placement/warmth.ts'
import { nodeId } from '../../../src/host/index.ts'

const KEEP_MS = 1_800_000
const TAG = 'llm.llama:small'

const offer = (node: string, more: Partial<Offer> = {}): Offer => ({
  ...{ node: nodeId(node), tag: TAG, p95_ms: 20, room: 16, running: 0, load: 0.1, rtt_ms: 1, steady: true },
  ...more,
})
const idle: Kept = { name: 'llm', tag: TAG, resting: false, idle_ms: KEEP_MS }
const resting: Kept = { ...idle, resting: true }

/** What node `c` does. */
const at = (kept: Kept, offered: readonly Offer[]): string[] =>
  warmings([kept], { self: nodeId('c'), offered, keep_ms: KEEP_MS }).map((one) => `${one.do}: ${one.why}`)

const three = [offer('a'), offer('b'), offer('c')]

test.each<[string, Kept, readonly Offer[], readonly string[]]>([
  ['an idle engine rests while two others have the same', idle, three, ['rest: idle']],
  ['what was asked lately stays', { ...idle, idle_ms: KEEP_MS - 1 }, three, []],
  ['what is at work stays', idle, [offer('a'), offer('b'), offer('c', { running: 1 })], []],
  ['one of two stays', idle, [offer('a'), offer('c')], []],
  ['the better of three stays', idle, [offer('a', { p95_ms: 200 }), offer('b'), offer('c')], []],
  [
    'so does the only one of its model',
    idle,
    [offer('a', { tag: 'llm.llama:big' }), offer('b'), offer('c')],
    [],
  ],
  ['one that comes and goes is no spare', idle, [offer('a', { steady: false }), offer('b'), offer('c')], []],
  [
    'while the others are late all stay',
    idle,
    [offer('a', { p95_ms: 900 }), offer('b', { running: 16 }), offer('c')],
    [],
  ],
  ['it rests on while two have the same', resting, [offer('a'), offer('b')], []],
  ['it wakes when one of two is lost', resting, [offer('a')], ['wake: few others']],
  ['it wakes when nobody has room', resting, three.map((one) => ({ ...one, running: 16 })), ['wake: demand']],
  [
    'it wakes when all are behind',
    resting,
    [offer('a', { lag_ms: 900 }), offer('b', { lag_ms: 600 })],
    ['wake: demand'],
  ],
])('%s', (_, kept, offered, expected) => {
  expect(at(kept, offered)).toEqual(expected)
})

test('of any household two nodes with the same sheets keep a model, and nothing wakes that just went to rest', () => {
  let rested = 0
  const machine = fc.record({
    p95_ms: fc.option(fc.integer({ min: 1, max: 400 })),
    running: fc.integer({ min: 0, max: 1 }),
    steady: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(machine, { minLength: 1, maxLength: 8 }), (machines) => {
      const offered = machines.map((more, i) => offer(`n${i}`, more))
      const leave = offered.filter(
        ({ node }) => warmings([idle], { self: node, offered, keep_ms: KEEP_MS }).length > 0,
      )
      const left = offered.filter((one) => !leave.includes(one))
      rested += leave.length
      if (leave.length > 0) expect(left.filter(({ steady }) => steady).length).toBeGreaterThanOrEqual(2)
      for (const { node } of leave) {
        expect(warmings([resting], { self: node, offered: left, keep_ms: KEEP_MS })).toEqual([])
      }
    }),
    { seed: 3, numRuns: 500 },
  )
  expect(rested).toBeGreaterThan(300)
})
