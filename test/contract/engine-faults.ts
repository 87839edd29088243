/** What can happen to the process of an engine in the middle of a run, and what is promised then. */
import { expect } from 'vitest'
import { startProcess } from '../../src/inference/process.ts'
import { RSS_LIMIT_MB } from '../fixtures/engines/settings.ts'
import {
  alive,
  type CollectedRun,
  eventually,
  open,
  openPool,
  run,
  type TestPool,
} from '../inference/engines.ts'
import { type EngineCase, expectAlike } from './engine-contract.ts'

export interface Fault {
  readonly signal: NodeJS.Signals
  readonly code: string
  /** Part of the message. */
  readonly said: string
}

export const ENDS: readonly Fault[] = [
  { signal: 'SIGKILL', code: 'engine-crashed', said: 'SIGKILL' },
  { signal: 'SIGABRT', code: 'engine-crashed', said: 'SIGABRT' },
  // Taken for a leak by the engine's process.
  { signal: 'SIGUSR2', code: 'engine-over-memory', said: `${RSS_LIMIT_MB} MB` },
]

export const STOPS: Fault = { signal: 'SIGSTOP', code: 'engine-hung', said: 'ping' }

const LEAKS = new URL('../fixtures/engines/leaks-on-signal.ts', import.meta.url).href

/** A process that is stopped is found out soon; one that only waits for a busy processor is not. */
const SETTINGS = { ping_interval_ms: 300, ping_timeout_ms: 4_000, rss_limit_mb: RSS_LIMIT_MB }

/** Engines whose processes can be made to leak. */
export const openMortal = (replicas: Parameters<typeof openPool>[0]): TestPool =>
  openPool(replicas, {
    settings: SETTINGS,
    startProcess: (events) => startProcess(events, undefined, ['--import', LEAKS]),
  })

const whole = ({ pool }: TestPool, { to, request, inputs }: EngineCase) => run(pool, to, request, inputs)

/** A run its engine is in the middle of. */
async function underway(engines: TestPool, engine: EngineCase): Promise<CollectedRun> {
  const { to, request, inputs, lasts } = engine
  if (lasts !== undefined) {
    const runs = lasts.map((long) => open(engines.pool, to, long))
    await eventually(() => runs[0]!.events.length).toBeGreaterThan(0)
    return runs.at(-1)!
  }
  const half = open(engines.pool, to, request)
  for (const input of inputs.slice(0, inputs.length >> 1)) half.stream.feed(input)
  // What comes in order has arrived when what was sent after it is done.
  await whole(engines, engine)
  return half
}

const rowOf = ({ pool }: TestPool, { to }: EngineCase) =>
  pool.capabilities().find(({ tag }) => tag.startsWith(`${to}:`))!

export const pidOf = (engines: TestPool, engine: EngineCase): number =>
  engines.pool.pids().get(rowOf(engines, engine).name)!

/** The run fails with its reason, the process is replaced, and the next run is as one before. */
export async function survives(
  engines: TestPool,
  engine: EngineCase,
  { signal, code, said }: Fault,
): Promise<void> {
  const { name, restarts } = rowOf(engines, engine)
  const usual = await whole(engines, engine)
  const { ended } = await underway(engines, engine)
  const before = pidOf(engines, engine)
  process.kill(before, signal)
  const last = (await ended).at(-1)
  expect(last, engine.to).toMatchObject({ type: 'failed', error: { code, retryable: true } })
  expect(last?.type === 'failed' && last.error.message).toContain(said)
  await engines.until(name, (row) => row.state === 'ready' && row.restarts === restarts + 1)
  await eventually(() => alive(before)).toBe(false)
  expect(pidOf(engines, engine)).not.toBe(before)
  expectAlike(await whole(engines, engine), usual)
}
