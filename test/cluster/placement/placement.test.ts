/** Work goes where a person waits least for it, the same on every node, and does not wander for noise. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { costOf, type Offer, rank } from '../../../src/cluster/placement/placement.ts'
import { nodeId } from '../../../src/host/index.ts'

const offer = (node: string, more: Partial<Offer> = {}): Offer => ({
  node: nodeId(node),
  tag: 'stt.sherpa:small',
  p95_ms: 20,
  room: 16,
  running: 0,
  load: 0.1,
  rtt_ms: 1,
  steady: true,
  ...more,
})
const nodes = (offered: readonly Offer[], before?: string, wanted = 'stt'): string[] =>
  rank(
    wanted,
    offered,
    before === undefined ? undefined : { node: nodeId(before), tag: 'stt.sherpa:small' },
  ).map(({ node }) => node)

test.each([
  ['the faster engine', [offer('a', { p95_ms: 60 }), offer('b')], ['b', 'a']],
  [
    'a near one before a far one that is hardly faster',
    [offer('a', { rtt_ms: 0 }), offer('b', { p95_ms: 15, rtt_ms: 8 })],
    ['a', 'b'],
  ],
  [
    'a far one that is much faster',
    [offer('a', { p95_ms: 300, rtt_ms: 0 }), offer('b', { rtt_ms: 8 })],
    ['b', 'a'],
  ],
  ['an idle one before a busy one', [offer('a', { running: 12 }), offer('b', { p95_ms: 25 })], ['b', 'a']],
  ['nobody without room', [offer('a', { running: 16 }), offer('b', { p95_ms: 90 })], ['b']],
  [
    'a slow machine before one that comes and goes',
    [offer('a', { steady: false }), offer('b', { p95_ms: 900 })],
    ['b', 'a'],
  ],
  ['what comes and goes where there is nothing else', [offer('a', { steady: false })], ['a']],
  [
    'a measured engine before one nobody measured',
    [offer('a', { p95_ms: null }), offer('b', { p95_ms: 100 })],
    ['b', 'a'],
  ],
  [
    'one whose node delivers, before one that only says so',
    [offer('a', { seen_ms: 400 }), offer('b', { p95_ms: 90 })],
    ['b', 'a'],
  ],
  [
    'one that keeps up, before one that is quicker once all was said',
    [offer('a', { lag_ms: 1_500 }), offer('b', { p95_ms: 90, lag_ms: 20 })],
    ['b', 'a'],
  ],
  [
    'the free one of two equals, where one thing is done after the other',
    [offer('a', { running: 1, share: 0.5 }), offer('b')],
    ['b', 'a'],
  ],
  ['nobody for what nobody offers', [offer('a', { tag: 'tts.formant:en' })], []],
] as const)('goes to %s', (_, offered, expected) => {
  expect(nodes(offered)).toEqual(expected)
})

test.each([
  ['stt', ['stt.sherpa:small', 'stt.whisper:base']],
  ['stt.whisper', ['stt.whisper:base']],
  ['stt.sherpa:small', ['stt.sherpa:small']],
  ['stt.sherp', []],
  ['s', []],
])('%s is offered by %j', (wanted, tags) => {
  const offered = ['stt.sherpa:small', 'stt.whisper:base'].map((tag) => offer('a', { tag }))
  expect(rank(wanted, offered, undefined).map(({ tag }) => tag)).toEqual(tags)
})

describe('hysteresis', () => {
  test('work stays while another place is better by noise only', () => {
    const offered = [offer('a', { p95_ms: 22 }), offer('b', { p95_ms: 19 })]
    expect(nodes(offered)).toEqual(['b', 'a'])
    expect(nodes(offered, 'a')).toEqual(['a', 'b'])
  })
  test('and goes when another one is clearly better, or its place is full', () => {
    expect(nodes([offer('a', { p95_ms: 60 }), offer('b')], 'a')).toEqual(['b', 'a'])
    expect(nodes([offer('a', { running: 16 }), offer('b')], 'a')).toEqual(['b'])
  })
  test('two places that vary less than that never take turns', () => {
    const noise = fc.array(fc.tuple(fc.integer({ min: 18, max: 22 }), fc.integer({ min: 18, max: 22 })), {
      minLength: 1,
      maxLength: 50,
    })
    fc.assert(
      fc.property(noise, (readings) => {
        let at: string | undefined
        let moves = 0
        for (const [a, b] of readings) {
          const best = nodes([offer('a', { p95_ms: a }), offer('b', { p95_ms: b })], at)[0]
          if (at !== undefined && best !== at) moves += 1
          at = best
        }
        expect(moves).toBe(0)
      }),
    )
  })
})

describe('the same model on two nodes', () => {
  /** Runs that come `every_ms` and take `takes_ms` of an engine each, chosen with what is under way in mind. */
  function shared(every_ms: number, takes_ms: number, share: number): number[] {
    const done = { a: 0, b: 0 }
    let under: { node: 'a' | 'b'; until: number }[] = []
    let before: string | undefined
    for (let now = 0; now < 60_000; now += every_ms) {
      under = under.filter(({ until }) => until > now)
      const running = (node: string): number => under.filter((one) => one.node === node).length
      const offered = ['a', 'b'].map((node) => offer(node, { running: running(node), share }))
      const node = nodes(offered, before)[0] as 'a' | 'b'
      before = node
      done[node] += 1
      under.push({ node, until: now + takes_ms * (1 + running(node) * share) })
    }
    return Object.values(done)
  }

  test('shares what one alone would be late with', () => {
    const [a, b] = shared(50, 80, 0.5) as [number, number]
    expect(Math.min(a, b) / (a + b)).toBeGreaterThan(0.3)
  })
  test('and one of them does what it does easily, so that the other may rest', () => {
    expect(Math.min(...shared(500, 80, 0.5))).toBe(0)
  })
})

describe('for any offers', () => {
  const anyOffer = fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd').map(nodeId),
    tag: fc.constantFrom('stt.sherpa:small', 'stt.whisper:base'),
    p95_ms: fc.option(fc.integer({ min: 0, max: 2_000 })),
    room: fc.integer({ min: 0, max: 16 }),
    running: fc.integer({ min: 0, max: 16 }),
    load: fc.option(fc.double({ min: 0, max: 8, noNaN: true })),
    rtt_ms: fc.option(fc.double({ min: 0, max: 300, noNaN: true }), { nil: undefined }),
    share: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    seen_ms: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
    lag_ms: fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }),
    steady: fc.boolean(),
  })

  test('every node computes the same order, however they came', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyOffer, { selector: ({ node, tag }) => node + tag }),
        fc.nat(),
        (offered, turn) => {
          const cut = offered.length === 0 ? 0 : turn % offered.length
          const turned = [...offered.slice(cut), ...offered.slice(0, cut)].reverse()
          expect(rank('stt', turned, undefined)).toEqual(rank('stt', offered, undefined))
        },
      ),
    )
  })
  test('more latency, load or distance never makes a place better', () => {
    const more = fc.integer({ min: 0, max: 500 })
    fc.assert(
      fc.property(anyOffer, more, more, fc.nat(16), (one, latency, way, runs) => {
        const worse: Offer = {
          ...one,
          p95_ms: one.p95_ms === null ? null : one.p95_ms + latency,
          rtt_ms: one.rtt_ms === undefined ? undefined : one.rtt_ms + way,
          running: one.running + runs,
          seen_ms: one.seen_ms === undefined ? undefined : one.seen_ms + latency,
          load: one.load === null ? null : one.load + latency / 100,
        }
        expect(costOf(worse)).toBeGreaterThanOrEqual(costOf(one))
      }),
    )
  })
})
