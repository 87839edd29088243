/** What every engine promises, as tests that any of them is put through, in its own process. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EngineEvent, EngineInput, EngineRequest, Pool, ReplicaSpec } from '../../src/inference/index.ts'
import { alive, errorCode, eventually, open, openPool, run, typesOf } from '../inference/engines.ts'

export interface EngineCase {
  readonly model: string
  /** The file of its stand-in that a library reads; absent: it has none. */
  readonly weights?: string
  readonly to: string
  readonly request: EngineRequest
  readonly inputs: readonly EngineInput[]
  /** What the run says between opening and `done`. */
  readonly says: EngineEvent['type']
  /** A run on nothing: what it ends with. */
  readonly empty: { readonly request: EngineRequest; readonly ends: 'done' | 'invalid-input' }
  /** Where `request` runs at once: some of which the last is not over when the first has said something. */
  readonly lasts?: readonly EngineRequest[]
  /** Runs that are few (`growth`), where one of them costs more than with others. */
  readonly few?: number
}

/** What a run came to, as far as two runs on the same input agree: speech is not the same sample by sample. */
export const resultOf = (events: readonly EngineEvent[]): string =>
  events
    .map((event) => {
      if (event.type === 'embedding') return event.vector.join(' ')
      if (event.type === 'activity') return event.voiced ? 'v' : '-'
      return event.type === 'final' || event.type === 'token' ? event.text : ''
    })
    .join('')
    .trim()

export const samplesOf = (events: readonly EngineEvent[]): number =>
  events.reduce((sum, event) => sum + (event.type === 'audio' ? event.samples.length : 0), 0)

/** Two runs on the same input. */
export function expectAlike(one: readonly EngineEvent[], other: readonly EngineEvent[]): void {
  expect(resultOf(one)).toBe(resultOf(other))
  expect(Math.abs(samplesOf(one) - samplesOf(other))).toBeLessThan(2_205)
}

/** To be called inside a `describe`. `replicas`: one of the engine, ready to be started. */
export function keepsContract(
  { to, request, inputs, says, empty }: EngineCase,
  replicas: () => Promise<readonly ReplicaSpec[]>,
): void {
  let pool: Pool
  beforeAll(async () => {
    pool = openPool(await replicas()).pool
    await pool.start()
  })
  afterAll(() => pool?.stop())

  const whole = () => run(pool, to, request, inputs)
  const pid = (): number => [...pool.pids().values()][0]!

  test('says what it has, then exactly one done, last', async () => {
    const events = await whole()
    expect(typesOf(events)).toContain(says)
    expect(typesOf(events).filter((type) => type === 'done' || type === 'failed')).toEqual(['done'])
    expect(typesOf(events).at(-1)).toBe('done')
  })

  test('comes to the same result twice in a row', async () => {
    expectAlike(await whole(), await whole())
  })

  test('keeps runs at the same time apart', async () => {
    const alone = await whole()
    const together = await Promise.all([whole(), whole(), whole()])
    for (const events of together) {
      expect(typesOf(events).at(-1)).toBe('done')
      expect(resultOf(events)).toBe(resultOf(alone))
    }
  })

  test('is silent after a cancel in mid-run and serves the next one, in the same process', async () => {
    const before = pid()
    const cancelled = open(pool, to, request)
    for (const input of inputs.slice(0, 30)) cancelled.stream.feed(input)
    cancelled.stream.cancel()
    const heard = cancelled.events.length
    const alone = await whole()
    expect(resultOf(await whole())).toBe(resultOf(alone))
    expect(cancelled.events).toHaveLength(heard)
    expect(pid()).toBe(before)
  })

  test('ignores input after the end', async () => {
    const { stream, ended, events } = open(pool, to, request)
    for (const input of inputs) stream.feed(input)
    stream.finish()
    stream.finish()
    for (const input of inputs) stream.feed(input)
    const heard = (await ended).length
    await whole()
    expect(events).toHaveLength(heard)
  })

  test('ends well on nothing', async () => {
    const events = await run(pool, to, empty.request)
    if (empty.ends === 'done') expect(typesOf(events).at(-1)).toBe('done')
    else expect(errorCode(events)).toBe(empty.ends)
  })

  test('refuses what it cannot do', async () => {
    const wrong: EngineRequest =
      request.kind === 'tts' ? { kind: 'stt', sample_rate: 16_000 } : { kind: 'tts', text: 'hello' }
    expect(errorCode(await run(pool, to, wrong))).toBe('invalid-input')
  })

  test('measures itself', async () => {
    await whole()
    const [row] = pool.capabilities()
    expect(row!.p95_ms).toBeGreaterThan(0)
    if (to.startsWith('llm')) expect(row!.tokens_per_s).toBeGreaterThan(0)
    else expect(row!.real_time_factor).toBeGreaterThan(0)
  })

  test('leaves no process behind', async () => {
    const left = openPool(await replicas())
    await left.pool.start()
    const [process] = left.pool.pids().values()
    await left.pool.stop()
    await eventually(() => alive(process!)).toBe(false)
  })
}
