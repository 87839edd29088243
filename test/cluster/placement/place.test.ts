/** Where something is best done: L1 to L6. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  choose,
  fits,
  HYSTERESIS,
  type PlacementContext,
  place,
  type Tier,
} from '../../../src/cluster/placement/place.ts'
import { type Sheet, sheetSchema } from '../../../src/cluster/placement/sheet.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'

const sheet = (
  node: string,
  offer: Partial<Sheet['offers'][number]> = {},
  more: Partial<Sheet> = {},
): Sheet => ({
  node: nodeId(node),
  boot: 1,
  version: 1,
  offers: [{ tag: 'stt.sherpa:rt', p95_ms: 20, queue: 0, capacity: 4, grade: 1, ...offer }],
  room: null,
  load: 0,
  ...more,
})

const context = (more: Partial<PlacementContext> = {}): PlacementContext => ({
  tier: 'balanced',
  room: undefined,
  rtt_ms: () => 0,
  steady: () => true,
  ...more,
})

const STT = { tag: 'stt', key: 'x' }
const names = (sheets: readonly Sheet[], with_: Partial<PlacementContext> = {}) =>
  place(STT, sheets, context(with_)).map(({ node }) => node as string)

describe('placing', () => {
  const table: readonly [string, readonly Sheet[], Partial<PlacementContext>, readonly string[]][] = [
    ['the quicker first', [sheet('a', { p95_ms: 30 }), sheet('b')], {}, ['b', 'a']],
    ['the nearer of equals', [sheet('a'), sheet('b')], { rtt_ms: (n) => (n === 'a' ? 9 : 1) }, ['b', 'a']],
    ['not who is not alive', [sheet('a'), sheet('b')], { rtt_ms: (n) => (n === 'a' ? undefined : 1) }, ['b']],
    ['not who cannot do it', [sheet('a', { tag: 'tts.kokoro' }), sheet('b')], {}, ['b']],
    ['the less busy', [sheet('a', { queue: 2 }), sheet('b')], {}, ['b', 'a']],
    ['the less loaded', [sheet('a', {}, { load: 1 }), sheet('b')], {}, ['b', 'a']],
    [
      'the full last, however quick',
      [sheet('a', { p95_ms: 1, queue: 4 }), sheet('b', { p95_ms: 900 })],
      {},
      ['b', 'a'],
    ],
    [
      'the unsteady after the steady, before the full',
      [sheet('f', { queue: 4 }), sheet('a', { p95_ms: 1 }), sheet('b', { p95_ms: 900 })],
      { steady: (n) => n !== 'a' },
      ['b', 'a', 'f'],
    ],
    [
      'the one in the room',
      [sheet('a', {}, { room: 'attic' }), sheet('b', {}, { room: 'kitchen' })],
      { room: 'kitchen' },
      ['b', 'a'],
    ],
    [
      'in the rich tier the best that is in time',
      [
        sheet('a', { p95_ms: 10 }),
        sheet('b', { p95_ms: 400, grade: 9 }),
        sheet('c', { p95_ms: 900, grade: 99 }),
      ],
      { tier: 'rich' },
      ['b', 'a', 'c'],
    ],
    [
      'in the fast tier the quickest, whatever its grade',
      [sheet('a', { p95_ms: 10 }), sheet('b', { p95_ms: 90, grade: 9 })],
      { tier: 'fast' },
      ['a', 'b'],
    ],
    [
      'the unmeasured after the measured',
      [sheet('a', { p95_ms: null }), sheet('b', { p95_ms: 250 })],
      {},
      ['b', 'a'],
    ],
  ]
  it.each(table)('%s', (_what, sheets, with_, expected) => {
    expect(names(sheets, with_)).toEqual(expected)
    expect(names([...sheets].reverse(), with_)).toEqual(expected)
  })

  it('knows a capability, an engine and a full tag', () => {
    expect(fits('stt.sherpa:rt', 'stt')).toBe(true)
    expect(fits('stt.sherpa:rt', 'stt.sherpa')).toBe(true)
    expect(fits('stt.sherpa:rt', 'stt.sherpa:rt')).toBe(true)
    expect(fits('stt.sherpa:rt', 'stt.sher')).toBe(false)
  })

  it('L5 spreads equals over equal nodes', () => {
    const sheets = ['a', 'b', 'c', 'd'].map((node) => sheet(node))
    const won = new Map<string, number>()
    for (let key = 0; key < 400; key += 1) {
      const [first] = place({ tag: 'stt', key: `loqa:/session/${key}` }, sheets, context())
      won.set(first!.node, (won.get(first!.node) ?? 0) + 1)
    }
    expect(won.size).toBe(4)
    expect(Math.min(...won.values())).toBeGreaterThan(50)
  })

  it('believes no sheet with numbers out of range', () => {
    const good = sheet('a')
    expect(sheetSchema.safeParse(good).success).toBe(true)
    expect(sheetSchema.safeParse({ ...good, load: 2 }).success).toBe(false)
    expect(sheetSchema.safeParse({ ...good, load: Number.NaN }).success).toBe(false)
    expect(sheetSchema.safeParse({ ...good, other: 1 }).success).toBe(false)
    expect(sheetSchema.safeParse(sheet('a', { p95_ms: -1 })).success).toBe(false)
    expect(sheetSchema.safeParse(sheet('a', { capacity: 0 })).success).toBe(false)
  })
})

const tiers = fc.constantFrom<Tier>('fast', 'balanced', 'rich')
const offers = fc.record({
  p95_ms: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: null }),
  queue: fc.integer({ min: 0, max: 5 }),
  capacity: fc.integer({ min: 1, max: 4 }),
  grade: fc.integer({ min: 0, max: 3 }),
})
const houses = fc
  .array(
    fc.record({
      offer: offers,
      load: fc.double({ min: 0, max: 1, noNaN: true }),
      rtt: fc.integer({ min: 0, max: 100 }),
      steady: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((nodes) => {
    const sheets = nodes.map(({ offer, load }, i) => sheet(`n${i}`, offer, { load }))
    const number = (node: NodeId): number => Number(node.slice(1))
    return {
      sheets,
      rtt: (node: NodeId) => nodes[number(node)]!.rtt,
      steady: (node: NodeId) => nodes[number(node)]!.steady,
    }
  })

describe('properties of placing', () => {
  it('L1 who gets slower, farther or busier never ranks higher', () => {
    fc.assert(
      fc.property(
        houses,
        tiers,
        fc.nat(),
        fc.record({
          p95: fc.nat(500),
          rtt: fc.nat(50),
          queue: fc.nat(3),
          load: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        ({ sheets, rtt, steady }, tier, which, worse) => {
          const victim = sheets[which % sheets.length]!
          const before = place(STT, sheets, context({ tier, rtt_ms: rtt, steady }))
          const offer = victim.offers[0]!
          const changed: Sheet = {
            ...victim,
            load: Math.min(1, victim.load + worse.load),
            offers: [
              {
                ...offer,
                p95_ms: offer.p95_ms === null ? null : offer.p95_ms + worse.p95,
                queue: offer.queue + worse.queue,
              },
            ],
          }
          const after = place(
            STT,
            sheets.map((each) => (each === victim ? changed : each)),
            context({ tier, steady, rtt_ms: (node) => rtt(node) + (node === victim.node ? worse.rtt : 0) }),
          )
          const rankIn = (places: typeof before) => places.findIndex(({ node }) => node === victim.node)
          expect(rankIn(after)).toBeGreaterThanOrEqual(rankIn(before))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('L2 the order of the sheets means nothing', () => {
    fc.assert(
      fc.property(houses, tiers, fc.infiniteStream(fc.nat()), ({ sheets, rtt, steady }, tier, random) => {
        const shuffled = [...sheets]
          .map((each) => ({ each, order: random.next().value as number }))
          .sort((a, b) => a.order - b.order)
          .map(({ each }) => each)
        const with_ = context({ tier, rtt_ms: rtt, steady })
        expect(place(STT, shuffled, with_)).toEqual(place(STT, sheets, with_))
      }),
      { numRuns: 1_000 },
    )
  })

  it('L6 noise below the hysteresis moves nothing, twice the gain does', () => {
    // Any two measurements differ by less than the gain that is asked for.
    const noise = HYSTERESIS / 2 / (1 + HYSTERESIS)
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 80 }),
        fc.array(
          fc.tuple(
            fc.double({ min: -noise, max: noise, noNaN: true }),
            fc.double({ min: -noise, max: noise, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 50,
          },
        ),
        (p95, wobbles) => {
          let at: NodeId | undefined
          const seen = new Set<string>()
          for (const [a, b] of wobbles) {
            const sheets = [sheet('a', { p95_ms: p95 * (1 + a) }), sheet('b', { p95_ms: p95 * (1 + b) })]
            at = choose(place(STT, sheets, context()), at)?.node
            seen.add(at!)
          }
          expect(seen.size).toBe(1)
          const away = at === 'a' ? 'b' : 'a'
          const better = [sheet(at!, { p95_ms: p95 }), sheet(away, { p95_ms: p95 * (1 - 2 * HYSTERESIS) })]
          expect(choose(place(STT, better, context()), at)?.node).toBe(away)
        },
      ),
    )
  })

  it('L6 leaves a place that is gone, full or unsteady at once', () => {
    const sheets = [sheet('a'), sheet('b', { p95_ms: 21 })]
    const b = nodeId('b')
    expect(choose(place(STT, sheets, context()), b)?.node).toBe('b')
    expect(choose(place(STT, sheets, context({ steady: (node) => node !== 'b' })), b)?.node).toBe('a')
    expect(choose(place(STT, [sheets[0]!, sheet('b', { queue: 4 })], context()), b)?.node).toBe('a')
    expect(choose(place(STT, [sheets[0]!], context()), b)?.node).toBe('a')
    expect(choose([], b)).toBeUndefined()
  })
})
