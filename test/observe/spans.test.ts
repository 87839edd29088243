/**
 * Spans of turns: one for each hop, by which engine and where, and never a word; sent in batches to a collector, again while it is away,
 * with nothing that grows.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { realHttp } from '../../src/host/real-http.ts'
import { CATALOGUE } from '../../src/observe/metrics.ts'
import { encodeSpans } from '../../src/observe/otlp.ts'
import {
  begunSending,
  ended,
  MAX_WAITING,
  NO_SPANS,
  nextIn,
  sentBy,
  withSpans,
} from '../../src/observe/span-queue.ts'
import { SpanSender } from '../../src/observe/span-sender.ts'
import { type Span, type StepSeen, spansOf } from '../../src/observe/spans.ts'

const TRACE = '0123456789abcdef0123456789abcdef'
const AT = 1_764_000_000_000
const engine = { model: 'starter-en', node: 'node-a' }
const step = (at_ms: number, kind: string, body: Record<string, unknown> = {}): StepSeen => ({
  ...{ trace_id: TRACE, at: AT + at_ms - 500, at_ms, kind },
  body: { turn: 1, ...body },
})
const SAID = 'remind anna of her pills'
const turn: readonly StepSeen[] = [
  step(500, 'turn.began', { source: 'voice' }),
  step(1_500.25, 'turn.endpoint', { cause: 'pause', text: SAID }),
  step(1_505, 'stt.text', { text: SAID, engine }),
  step(1_506, 'turn.decided', {
    decision: 'act',
    intent: { name: 'timer.remind', slots: { text: 'pills' } },
    skill: 'timer',
  }),
  step(1_510, 'skill.result', { skill: 'timer', result: { speech: SAID } }),
  step(1_511, 'turn.replied', { speech: SAID }),
  step(1_530, 'tts.began', { engine: { model: 'formant', node: 'node-b' } }),
  step(3_000, 'turn.ended', { end: 'spoken', cut_off: false }),
]

describe('the spans of a turn', () => {
  it('are the turn and each of its hops, with who did it', () => {
    const spans = spansOf(turn)
    expect(spans.map(({ name, start_ms, end_ms }) => [name, start_ms - AT, end_ms - start_ms])).toEqual([
      ['turn', 0, 2_500],
      ['listen', 0, 1_000.25],
      ['stt', 1_000.25, 4.75],
      ['skill', 1_006, 4],
      ['tts', 1_011, 19],
      ['speak', 1_030, 1_470],
    ])
    expect(spans[2]!.attributes).toEqual({ 'loqa.engine.model': 'starter-en', 'loqa.node.id': 'node-a' })
    expect(spans[0]!.attributes).toMatchObject({
      'loqa.turn.intent': 'timer.remind',
      'loqa.turn.end': 'spoken',
    })
    expect(new Set(spans.map(({ span_id }) => span_id)).size).toBe(spans.length)
    expect(spans.slice(1).every(({ parent_id }) => parent_id === spans[0]!.span_id)).toBe(true)
  })

  it('hold no word of it', () => {
    const told = encodeSpans({ 'service.name': 'loqa-node' }, spansOf(turn))
    for (const word of ['remind ', 'anna', 'her ', 'pills']) expect(told).not.toContain(word)
  })

  it('say what failed, and are none before the end', () => {
    const failing = [
      ...turn.slice(0, 4),
      step(1_600, 'skill.result', { skill: 'timer', error: { code: 'timeout', message: SAID } }),
      step(1_700, 'turn.ended', { end: 'failed', error: { code: 'timeout', message: SAID } }),
    ]
    const skill = spansOf(failing).find(({ name }) => name === 'skill')
    expect(skill).toMatchObject({
      failed: true,
      attributes: { 'error.type': 'timeout', 'loqa.skill': 'timer' },
    })
    expect(spansOf(failing)[0]!.failed).toBe(true)
    expect(spansOf(turn.slice(0, -1))).toEqual([])
    expect(spansOf([])).toEqual([])
  })
})

it('times are nanoseconds as text, down to the microsecond', () => {
  const { resourceSpans } = JSON.parse(encodeSpans({}, spansOf(turn).slice(2, 3)))
  const [span] = resourceSpans[0].scopeSpans[0].spans
  expect(span).toMatchObject({
    traceId: TRACE,
    startTimeUnixNano: `${AT + 1_000}250000`,
    endTimeUnixNano: `${AT + 1_005}000000`,
    kind: 1,
  })
  expect(span.spanId).toMatch(/^[0-9a-f]{16}$/)
})

describe('spans that wait', () => {
  const many = (count: number): Span[] => Array.from({ length: count }, () => spansOf(turn)[0]!)

  it('are bounded, the oldest lost first and counted', () => {
    const queue = withSpans(withSpans(NO_SPANS, many(MAX_WAITING)), spansOf(turn))
    expect([queue.waiting.length, queue.lost]).toEqual([MAX_WAITING, 6])
    expect(queue.waiting.at(-1)?.name).toBe('speak')
  })

  it('are tried again, later each time, and lost only when refused', () => {
    let queue = withSpans(NO_SPANS, many(3))
    const delays: (number | undefined)[] = []
    for (let i = 0; i < 8; i += 1) {
      queue = ended(begunSending(queue), 'unreachable')
      delays.push(nextIn(queue))
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    expect([queue.waiting.length, queue.lost]).toEqual([3, 0])
    const sending = begunSending(queue)
    expect(nextIn(withSpans(sending, many(1)))).toBeUndefined()
    expect(ended(sending, 'taken')).toMatchObject({ waiting: [], failures: 0, lost: 0 })
    expect(ended(sending, 'refused')).toMatchObject({ waiting: [], failures: 0, lost: 3 })
    expect([200, 400, 404, 429, 503].map(sentBy)).toEqual([
      'taken',
      'refused',
      'refused',
      'unreachable',
      'unreachable',
    ])
  })
})

it('the dashboard asks for nothing that is not told', () => {
  const asked = readFileSync(new URL('../../config/grafana/loqa.json', import.meta.url), 'utf8')
  const names = [...new Set([...asked.matchAll(/loqa_[a-z0-9_]+/g)].map(([name]) => name))]
  const told = [...Object.keys(CATALOGUE), 'loqa_voice_turns_total', 'loqa_voice_cut_off_total']
  expect(names.length).toBeGreaterThan(10)
  expect(
    names.map((name) => name.replace(/_(bucket|sum|count)$/, '')).filter((name) => !told.includes(name)),
  ).toEqual([])
})

describe('a collector', () => {
  const undo: (() => void)[] = []
  afterEach(() => {
    for (const each of undo.splice(0)) each()
  })

  it('that is away at first gets each span once, as OTLP in JSON', async () => {
    const bodies: string[] = []
    let asked = 0
    const server = createServer((request, response) => {
      asked += 1
      const pieces: Buffer[] = []
      request.on('data', (piece) => pieces.push(piece))
      request.on('end', () => {
        if (asked > 1) bodies.push(`${request.url} ${Buffer.concat(pieces)}`)
        response.writeHead(asked > 1 ? 200 : 503).end('{}')
      })
    }).listen(0, '127.0.0.1')
    undo.push(() => server.close())
    await once(server, 'listening')
    const lost: number[] = []
    const nothing = (): void => undefined
    const sender = new SpanSender({
      ...{ clock: realHost().clock, door: realHttp, resource: { 'service.name': 'loqa-node' } },
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing } as never,
      metrics: { add: (_, value) => lost.push(value ?? 1) },
    })
    undo.push(() => sender.close())
    sender.turn(turn)
    await expect.poll(() => bodies, { timeout: 20_000 }).toHaveLength(1)
    const [path, ...rest] = bodies[0]!.split(' ')
    expect(path).toBe('/v1/traces')
    const { resourceSpans } = JSON.parse(rest.join(' '))
    expect(resourceSpans[0].resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'loqa-node' } },
    ])
    expect(resourceSpans[0].scopeSpans[0].spans).toHaveLength(6)
    expect(lost).toEqual([])
  })
})
