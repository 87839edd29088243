/** Real engines under real signals: the node lives, the other replica's runs are untouched, the killed one comes back. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  alive,
  errorCode,
  eventually,
  LOW_HIGH_LOW,
  open,
  openPool,
  run,
  specs,
  type TestPool,
  temporaryDirectory,
} from '../inference/engines.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const STT = { kind: 'stt', sample_rate: 16_000 } as const
let engine: TestPool
let directory: ReturnType<typeof temporaryDirectory>

beforeEach(async () => {
  directory = temporaryDirectory()
  const replicas = await specs(['low-high'], { unpacked_dir: directory.path, count: 2 })
  engine = openPool(replicas, { settings: { ping_interval_ms: 300, ping_timeout_ms: 2_000 } })
  await engine.pool.start()
})
afterEach(async () => {
  await engine.pool.stop()
  directory.remove()
})

const FIRST = 'stt.sherpa.low-high'

// What else ends a process, and that of each adapter: `engine-adapters`.
test.each([
  ['SIGSEGV', 'engine-crashed'],
  ['SIGSTOP', 'engine-hung'],
] as const)('%s in mid-run: the run fails as %s, its neighbour finishes', async (signal, code) => {
  // The least busy replica gets the next run, so two runs are one on each.
  const hit = open(engine.pool, 'stt', STT)
  const spared = open(engine.pool, 'stt', STT)
  for (const input of LOW_HIGH_LOW.slice(0, 40)) {
    hit.stream.feed(input)
    spared.stream.feed(input)
  }
  await eventually(() => spared.events.length).toBeGreaterThan(0)
  const pid = engine.pool.pids().get(FIRST)!
  process.kill(pid, signal)
  for (const input of LOW_HIGH_LOW.slice(40)) spared.stream.feed(input)
  spared.stream.finish()
  expect(errorCode(await hit.ended)).toBe(code)
  expect((await spared.ended).find(({ type }) => type === 'final')).toMatchObject({ text: 'low high low' })
  await engine.until(FIRST, ({ state, restarts }) => state === 'ready' && restarts === 1)
  await eventually(() => alive(pid)).toBe(false)
  expect(engine.pool.pids().get(FIRST)).not.toBe(pid)
  const after = await run(engine.pool, 'stt', STT, LOW_HIGH_LOW)
  expect(after.find(({ type }) => type === 'final')).toMatchObject({ text: 'low high low' })
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s, which a terminal or service manager sends to all at once, does not end a run',
  async (signal) => {
    const going = open(engine.pool, 'stt', STT)
    for (const input of LOW_HIGH_LOW.slice(0, 40)) going.stream.feed(input)
    await eventually(() => going.events.length).toBeGreaterThan(0)
    for (const pid of engine.pool.pids().values()) process.kill(pid, signal)
    for (const input of LOW_HIGH_LOW.slice(40)) going.stream.feed(input)
    going.stream.finish()
    expect((await going.ended).find(({ type }) => type === 'final')).toMatchObject({ text: 'low high low' })
    expect(engine.pool.capabilities().every(({ restarts }) => restarts === 0)).toBe(true)
  },
)

test('while one replica is away the other takes its runs', async () => {
  process.kill(engine.pool.pids().get(FIRST)!, 'SIGKILL')
  await engine.until(FIRST, ({ state }) => state === 'restarting')
  const events = await run(engine.pool, 'stt', STT, LOW_HIGH_LOW)
  expect(events.at(-1)).toMatchObject({ type: 'done' })
})

test('engines end when their node is killed', async () => {
  const script = fileURLToPath(new URL('../fixtures/engines/node-with-engine.ts', import.meta.url))
  const node = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(
    await new Promise<string>((resolve) => node.stdout.once('data', (text) => resolve(String(text)))),
  )
  expect(alive(pid)).toBe(true)
  node.kill('SIGKILL')
  await eventually(() => alive(pid)).toBe(false)
})
