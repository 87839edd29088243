/**
 * Each adapter, with its own library and a real file, in a process that is killed, aborts, stops or leaks in the middle of a run: the
 * run fails with its reason, the process is replaced, and the next run is as one before. A new adapter gets its row in `engine-cases.ts`.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startProcess } from '../../src/inference/process.ts'
import { ENGINES } from '../contract/engine-cases.ts'
import { type EngineCase, expectAlike } from '../contract/engine-contract.ts'
import { RSS_LIMIT_MB } from '../fixtures/engines/settings.ts'
import {
  alive,
  type CollectedRun,
  eventually,
  growth,
  open,
  openPool,
  run,
  specs,
  type TestPool,
  temporaryDirectory,
} from '../inference/engines.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** A process that is stopped is found out soon; one that only waits for a busy processor is not. */
const SETTINGS = { ping_interval_ms: 300, ping_timeout_ms: 4_000, rss_limit_mb: RSS_LIMIT_MB }

const LEAKS = new URL('../fixtures/engines/leaks-on-signal.ts', import.meta.url).href

const FAULTS = [
  ['SIGKILL', 'engine-crashed', 'SIGKILL'],
  ['SIGABRT', 'engine-crashed', 'SIGABRT'],
  // Taken for a leak by the engine's process.
  ['SIGUSR2', 'engine-over-memory', `${RSS_LIMIT_MB} MB`],
] as const

const directory = temporaryDirectory()
let engines: TestPool

beforeAll(async () => {
  const models = ENGINES.map(({ model }) => model)
  engines = openPool(await specs(models, { unpacked_dir: directory.path }), {
    settings: SETTINGS,
    startProcess: (events) => startProcess(events, undefined, ['--import', LEAKS]),
  })
  await engines.pool.start()
})
afterAll(async () => {
  await engines?.pool.stop()
  directory.remove()
})

const whole = ({ to, request, inputs }: EngineCase) => run(engines.pool, to, request, inputs)

const rowOf = ({ model }: EngineCase) => engines.pool.capabilities().find((row) => row.model === model)!

const pidOf = (engine: EngineCase): number => engines.pool.pids().get(rowOf(engine).name)!

/** A run its engine is in the middle of. */
async function underway(engine: EngineCase): Promise<CollectedRun> {
  const { to, request, inputs, lasts } = engine
  if (lasts !== undefined) {
    const runs = lasts.map((long) => open(engines.pool, to, long))
    await eventually(() => runs[0]!.events.length).toBeGreaterThan(0)
    return runs.at(-1)!
  }
  const half = open(engines.pool, to, request)
  for (const input of inputs.slice(0, inputs.length >> 1)) half.stream.feed(input)
  // What comes in order has arrived when what was sent after it is done.
  await whole(engine)
  return half
}

interface Fault {
  readonly signal: NodeJS.Signals
  readonly code: string
  readonly said: string
}

async function survives(engine: EngineCase, { signal, code, said }: Fault): Promise<void> {
  const { name, restarts } = rowOf(engine)
  const usual = await whole(engine)
  const { ended } = await underway(engine)
  const before = pidOf(engine)
  process.kill(before, signal)
  const last = (await ended).at(-1)
  expect(last, engine.to).toMatchObject({ type: 'failed', error: { code, retryable: true } })
  expect(last?.type === 'failed' && last.error.message).toContain(said)
  await engines.until(name, (row) => row.state === 'ready' && row.restarts === restarts + 1)
  await eventually(() => alive(before)).toBe(false)
  expect(pidOf(engine)).not.toBe(before)
  expectAlike(await whole(engine), usual)
}

describe.each(ENGINES)('the process of $to', (engine) => {
  test('takes no more memory for many runs than for a few', async () => {
    const few = engine.few ?? 20
    expect(await growth(pidOf(engine), few, () => whole(engine))).toBeLessThan(20e6)
  })

  test.each(FAULTS)(
    'in mid-run a %s is %s: it is replaced, and the next run is as before',
    (signal, code, said) => survives(engine, { signal, code, said }),
  )
})

// All at once: it is waited for longer than for all else here together.
test('every engine whose process stops in mid-run is found out, replaced, and does the next run as before', async () => {
  const stopped = { signal: 'SIGSTOP', code: 'engine-hung', said: 'ping' } as const
  await Promise.all(ENGINES.map((engine) => survives(engine, stopped)))
})
