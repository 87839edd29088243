/** What a node adds is what the household can do with it and could not do without it, and never less than nothing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bestWithout,
  type Engine,
  gainOf,
  gainText,
  sessionsOf,
} from '../../../src/cluster/placement/capacity.ts'
import { nodeId } from '../../../src/host/index.ts'

const engine = (node: string, tag: string, p95_ms: number, real_time_factor = 0.1): Engine => ({
  ...{ node: nodeId(node), tag, p95_ms, real_time_factor },
  ...{ room: 16, running: 0, load: 0.1, rtt_ms: 0, steady: true },
})
const whole = (node: string, p95_ms: number, factor: number): Engine[] => [
  engine(node, 'stt.sherpa:small', p95_ms, factor),
  engine(node, 'tts.formant:en', p95_ms, factor),
]

describe('people who may speak at once', () => {
  test.each([
    ['as many as fill seven tenths of its engines', whole('a', 60, 0.1), 7],
    ['no more than an engine takes', whole('a', 60, 0.001), 16],
    ['of several nodes together', [...whole('a', 60, 0.1), ...whole('b', 60, 0.2)], 10],
    [
      'one by an engine nobody measured',
      whole('a', 60, 0).map((one) => ({ ...one, real_time_factor: null })),
      1,
    ],
    ['none where nobody answers', [engine('a', 'stt.sherpa:small', 60)], 0],
    ['none by an engine that is slower than speech', whole('a', 900, 1.2), 0],
  ])('%s', (_, offered, sessions) => {
    expect(sessionsOf(offered)).toBe(sessions)
  })
})

describe('a fast node among slow ones', () => {
  const offered = [...whole('a', 310, 0.4), ...whole('b', 400, 0.4), ...whole('jetson', 64, 0.1)]

  test('adds sessions, and says how much faster what is', () => {
    const gain = gainOf(nodeId('jetson'), offered)
    expect(gain).toEqual({
      sessions: 7,
      faster: [
        { kind: 'stt', before_ms: 310, after_ms: 64 },
        { kind: 'tts', before_ms: 310, after_ms: 64 },
      ],
    })
    expect(gainText(gain)).toBe('+7 concurrent sessions, stt p95 310 → 64 ms, tts p95 310 → 64 ms')
  })
  test('is compared with what the others took when it came', () => {
    const before = bestWithout(nodeId('jetson'), offered)
    // Relieved, they are as fast as it.
    const later = offered.map((one) => ({ ...one, p95_ms: 60 }))
    expect(gainOf(nodeId('jetson'), later, (kind) => before.get(kind) ?? null).faster).toMatchObject([
      { kind: 'stt', before_ms: 310, after_ms: 60 },
      { kind: 'tts' },
    ])
  })
  test('slow ones add room and nothing faster', () => {
    const { sessions, faster } = gainOf(nodeId('b'), offered)
    expect([sessions, faster]).toEqual([1, []])
  })
})

test('what nobody had is said to be new, and a node that adds nothing says nothing', () => {
  const [llm, ...rest] = [engine('b', 'llm.llama:small', 90), ...whole('a', 60, 0.1)]
  expect(gainText(gainOf(nodeId('b'), [llm!, ...rest]))).toBe('llm, which nobody had, p95 90 ms')
  expect(gainText(gainOf(nodeId('c'), rest))).toBe(undefined)
})

test('no node ever takes anything away, in whatever order they are told of', () => {
  const any = fc.record({
    node: fc.constantFrom('a', 'b', 'c').map(nodeId),
    tag: fc.constantFrom('stt.sherpa:small', 'tts.formant:en', 'llm.llama:small'),
    p95_ms: fc.option(fc.integer({ min: 0, max: 2_000 })),
    real_time_factor: fc.option(fc.double({ min: 0, max: 4, noNaN: true })),
    room: fc.integer({ min: 0, max: 16 }),
    running: fc.integer({ min: 0, max: 16 }),
    load: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    rtt_ms: fc.integer({ min: 0, max: 300 }),
    seen_ms: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
    steady: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.uniqueArray(any, { selector: ({ node, tag }) => node + tag }), (offered) => {
      for (const node of ['a', 'b', 'c'].map(nodeId)) {
        const gain = gainOf(node, offered)
        expect(gain.sessions).toBeGreaterThanOrEqual(0)
        for (const { before_ms, after_ms } of gain.faster) {
          if (before_ms !== null) expect(after_ms).toBeLessThan(before_ms)
        }
        expect(gainOf(node, [...offered].reverse())).toEqual(gain)
      }
    }),
  )
})
