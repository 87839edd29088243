/** Where a placed actor should live: A1 to A6. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Candidate, candidateOf, gradeOf } from '../../../src/cluster/placement/candidate.ts'
import {
  choose,
  HYSTERESIS,
  type Requirement,
  seats,
  type Tier,
} from '../../../src/cluster/placement/seats.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'

const candidate = (
  node: string,
  offer: Partial<Candidate['offers'][number]> = {},
  more: Partial<Candidate> = {},
): Candidate => ({
  node: nodeId(node),
  offers: [{ tag: 'stt.sherpa:rt', p95_ms: 20, room: 4, running: 0, ...offer }],
  place: undefined,
  load: 0,
  rtt_ms: 0,
  steady: true,
  ...more,
})

const stt = (more: Partial<Requirement> = {}): Requirement => ({
  tag: 'stt',
  key: 'x',
  tier: 'balanced',
  place: undefined,
  ...more,
})
const names = (candidates: readonly Candidate[], more: Partial<Requirement> = {}) =>
  seats(stt(more), candidates).map(({ node }) => node as string)

describe('seats', () => {
  const table: readonly [string, readonly Candidate[], Partial<Requirement>, readonly string[]][] = [
    ['the quicker first', [candidate('a', { p95_ms: 30 }), candidate('b')], {}, ['b', 'a']],
    [
      'the nearer of equals',
      [candidate('a', {}, { rtt_ms: 9 }), candidate('b', {}, { rtt_ms: 1 })],
      {},
      ['b', 'a'],
    ],
    ['not who cannot do it', [candidate('a', { tag: 'tts.kokoro' }), candidate('b')], {}, ['b']],
    ['the less busy', [candidate('a', { running: 2 }), candidate('b')], {}, ['b', 'a']],
    ['the less loaded', [candidate('a', {}, { load: 2 }), candidate('b')], {}, ['b', 'a']],
    [
      'the full last, however quick',
      [candidate('a', { p95_ms: 1, running: 4 }), candidate('b', { p95_ms: 900 })],
      {},
      ['b', 'a'],
    ],
    [
      'the unsteady after the steady, before the full',
      [
        candidate('f', { running: 4 }),
        candidate('a', { p95_ms: 1 }, { steady: false }),
        candidate('b', { p95_ms: 900 }),
      ],
      {},
      ['b', 'a', 'f'],
    ],
    [
      'the one where it is needed',
      [candidate('a', {}, { place: 'attic' }), candidate('b', {}, { place: 'kitchen' })],
      { place: 'kitchen' },
      ['b', 'a'],
    ],
    [
      'in the rich tier the largest model that is in time',
      [
        candidate('a', { tag: 'stt.w:1b', p95_ms: 10 }),
        candidate('b', { tag: 'stt.w:3b', p95_ms: 400 }),
        candidate('c', { tag: 'stt.w:9b', p95_ms: 900 }),
      ],
      { tier: 'rich' },
      ['b', 'a', 'c'],
    ],
    [
      'in the fast tier the quickest, whatever its size',
      [candidate('a', { tag: 'stt.w:1b', p95_ms: 10 }), candidate('b', { tag: 'stt.w:3b', p95_ms: 90 })],
      { tier: 'fast' },
      ['a', 'b'],
    ],
    [
      'any node for what needs no engine',
      [candidate('a', {}, { load: 3 }), candidate('b', { tag: 'x' })],
      { tag: undefined },
      ['b', 'a'],
    ],
  ]
  it.each(table)('%s', (_what, candidates, more, expected) => {
    expect(names(candidates, more)).toEqual(expected)
    expect(names([...candidates].reverse(), more)).toEqual(expected)
  })

  it('A5 spreads equals over equal nodes', () => {
    const candidates = ['a', 'b', 'c', 'd'].map((node) => candidate(node))
    const won = new Map<string, number>()
    for (let key = 0; key < 400; key += 1) {
      const [first] = seats(stt({ key: `loqa:/session/${key}` }), candidates)
      won.set(first!.node, (won.get(first!.node) ?? 0) + 1)
    }
    expect(won.size).toBe(4)
    expect(Math.min(...won.values())).toBeGreaterThan(60)
  })

  it('looks at what a node says of itself: what is ready, and models by size', () => {
    const measured = { p95_ms: 90, real_time_factor: null, tokens_per_s: 20, room: 2, running: 1 }
    const capabilities = [
      { tag: 'llm.llama3:3b:q4_k_m', ready: true, ...measured },
      { tag: 'stt.sherpa:rt', ready: false, ...measured },
    ]
    const made = candidateOf(
      nodeId('a'),
      { room: 'attic', capabilities, load: null },
      { rtt_ms: 2, steady: true },
    )
    expect(made).toMatchObject({ node: 'a', place: 'attic', rtt_ms: 2 })
    expect(made.offers.map(({ tag }) => tag)).toEqual(['llm.llama3:3b:q4_k_m'])
    expect([gradeOf('llm.x:0.5b'), gradeOf('stt.sherpa:rt'), gradeOf('llm.x:q4_b')]).toEqual([0.5, 0, 0])
  })
})

const tiers = fc.constantFrom<Tier>('fast', 'balanced', 'rich')
const houses = fc
  .array(
    fc.record({
      offer: fc.record({
        tag: fc.constantFrom('stt.w:1b', 'stt.w:2b', 'stt.sherpa'),
        p95_ms: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: null }),
        running: fc.integer({ min: 0, max: 5 }),
        room: fc.integer({ min: 0, max: 4 }),
      }),
      load: fc.option(fc.double({ min: 0, max: 4, noNaN: true }), { nil: null }),
      rtt_ms: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      steady: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((nodes) =>
    nodes.map(({ offer, load, rtt_ms, steady }, i) => candidate(`n${i}`, offer, { load, rtt_ms, steady })),
  )

describe('properties of seats', () => {
  it('A1 who gets slower, farther or busier never ranks higher', () => {
    const worsening = fc.record({ p95: fc.nat(500), rtt: fc.nat(50), running: fc.nat(3), load: fc.nat(4) })
    fc.assert(
      fc.property(houses, tiers, fc.nat(), worsening, (candidates, tier, which, worse) => {
        const victim = candidates[which % candidates.length]!
        const offer = victim.offers[0]!
        const changed: Candidate = {
          ...victim,
          load: victim.load === null ? null : victim.load + worse.load,
          rtt_ms: victim.rtt_ms === undefined ? undefined : victim.rtt_ms + worse.rtt,
          offers: [
            {
              ...offer,
              p95_ms: offer.p95_ms === null ? null : offer.p95_ms + worse.p95,
              running: offer.running + worse.running,
            },
          ],
        }
        const rankIn = (given: readonly Candidate[]) =>
          seats(stt({ tier }), given).findIndex(({ node }) => node === victim.node)
        const after = candidates.map((each) => (each === victim ? changed : each))
        expect(rankIn(after)).toBeGreaterThanOrEqual(rankIn(candidates))
      }),
      { numRuns: 2_000 },
    )
  })

  it('A2 the order of the candidates means nothing', () => {
    fc.assert(
      fc.property(
        houses.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        tiers,
        ([candidates, shuffled], tier) => {
          expect(seats(stt({ tier }), shuffled)).toEqual(seats(stt({ tier }), candidates))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('A6 noise below the hysteresis moves nothing, twice the gain does', () => {
    // Any two measurements differ by less than the gain that is asked for.
    const noise = HYSTERESIS / 2 / (1 + HYSTERESIS)
    const wobble = fc.double({ min: -noise, max: noise, noNaN: true })
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 80 }),
        fc.array(fc.tuple(wobble, wobble), { minLength: 1, maxLength: 50 }),
        (p95, wobbles) => {
          let at: NodeId | undefined
          const seen = new Set<string>()
          for (const [a, b] of wobbles) {
            const pair = [
              candidate('a', { p95_ms: p95 * (1 + a) }),
              candidate('b', { p95_ms: p95 * (1 + b) }),
            ]
            at = choose(seats(stt(), pair), at)?.node
            seen.add(at!)
          }
          expect(seen.size).toBe(1)
          const away = at === 'a' ? 'b' : 'a'
          const better = [
            candidate(at!, { p95_ms: p95 }),
            candidate(away, { p95_ms: p95 * (1 - 2 * HYSTERESIS) }),
          ]
          expect(choose(seats(stt(), better), at)?.node).toBe(away)
        },
      ),
    )
  })

  it('A6 leaves a seat that is gone, full or unsteady at once', () => {
    const [a, b] = [candidate('a'), candidate('b', { p95_ms: 21 })]
    const from = (...candidates: Candidate[]) => choose(seats(stt(), candidates), b.node)?.node
    expect(from(a, b)).toBe('b')
    expect(from(a, { ...b, steady: false })).toBe('a')
    expect(from(a, candidate('b', { running: 4 }))).toBe('a')
    expect(from(a)).toBe('a')
    expect(from()).toBeUndefined()
  })
})
