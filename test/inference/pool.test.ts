/** Who gets a run, when it is refused, and when an engine is given up and started again; in virtual time. */
import { beforeEach, describe, expect, test } from 'vitest'
import { type SimulatedHost, simulatedHost } from '../../src/host/simulated/index.ts'
import { type EngineEvent, type EngineRequest, Pool, type ReplicaSpec } from '../../src/inference/index.ts'
import { silent } from './engines.ts'
import { type SimulatedProcess, simulatedProcesses } from './simulated-process.ts'

const SETTINGS = {
  streams_per_engine: 2,
  load_timeout_ms: 5_000,
  ping_interval_ms: 1_000,
  ping_timeout_ms: 3_000,
  cancel_timeout_ms: 200,
  rss_limit_mb: 100,
  restart_delay_min_ms: 100,
  restart_delay_max_ms: 30_000,
}
const STT: EngineRequest = { kind: 'stt', sample_rate: 16_000 }

const spec = (name: string, model: string): ReplicaSpec => ({
  name,
  tag: `stt.sherpa:${model}`,
  kind: 'stt',
  engine: 'sherpa',
  model,
  prepare: async () => ({ id: model, kind: 'stt', engine: 'sherpa', paths: {}, parameters: {} }),
})

let host: SimulatedHost
let pool: Pool
let started: SimulatedProcess[]

/** Lets promises and whatever is due now have their turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i += 1) {
    await Promise.resolve()
    host.clock.advance(0)
  }
}

async function open(specs: readonly ReplicaSpec[]): Promise<void> {
  host = simulatedHost(3)
  const processes = simulatedProcesses()
  started = processes.started
  pool = new Pool({
    ...host,
    settings: SETTINGS,
    replicas: specs,
    log: silent,
    startProcess: processes.start,
  })
  void pool.start()
  await settle()
  for (const process of started) process.become(8)
}

function run(to = 'stt', deadline_ms?: number) {
  const events: EngineEvent[] = []
  const stream = pool.run(to, STT, (event) => events.push(event), { deadline_ms })
  return { stream, events }
}
const done = { type: 'done', usage: { compute_ms: 1 } }
const codes = (events: readonly EngineEvent[]) =>
  events.map((event) => (event.type === 'failed' ? event.error.code : event.type))

describe('two replicas of one model', () => {
  beforeEach(() => open([spec('one', 'small'), spec('two', 'small')]))

  test('the least busy one gets the run', () => {
    for (let i = 0; i < 4; i += 1) run()
    expect(started.map(({ streams }) => streams.length)).toEqual([2, 2])
  })

  test('beyond the limit a run is refused after its opener has its stream', async () => {
    for (let i = 0; i < 4; i += 1) run()
    const refused = run()
    expect(refused.events).toEqual([])
    await settle()
    expect(codes(refused.events)).toEqual(['overloaded'])
  })

  test('a refused run that is cancelled at once says nothing', async () => {
    for (let i = 0; i < 4; i += 1) run()
    const refused = run()
    refused.stream.cancel()
    await settle()
    expect(refused.events).toEqual([])
  })

  test('a process that ends takes only its own runs with it', async () => {
    const [first, second] = [run(), run()]
    started[0]!.exit('by signal SIGKILL')
    expect(codes(first.events)).toEqual(['engine-crashed'])
    expect(second.events).toEqual([])
    started[1]!.say({ type: 'event', stream: started[1]!.streams[0], event: done })
    expect(codes(second.events)).toEqual(['done'])
  })
})

describe('two models of one capability', () => {
  beforeEach(() => open([spec('good', 'good'), spec('spare', 'spare')]))

  test('the first one is preferred as long as it has room, then the other', () => {
    for (let i = 0; i < 3; i += 1) run()
    expect(started.map(({ streams }) => streams.length)).toEqual([2, 1])
  })

  test('a full tag means that model only', async () => {
    for (let i = 0; i < 2; i += 1) run('stt.sherpa:good')
    const refused = run('stt.sherpa:good')
    await settle()
    expect(codes(refused.events)).toEqual(['overloaded'])
  })

  test('while the first one is away the other serves', () => {
    started[0]!.exit('by signal SIGKILL')
    run()
    expect(started[1]!.streams).toHaveLength(1)
  })

  test.each(['llm', 'stt.whisper', 'stt.sherpa:goo', ''])('nobody offers %j', async (to) => {
    const { events } = run(to)
    await settle()
    expect(codes(events)).toEqual(['engine-unavailable'])
  })
})

describe('one engine', () => {
  beforeEach(() => open([spec('only', 'small')]))
  const row = () => pool.capabilities()[0]!

  test('a run past its deadline fails once, and the engine is told', () => {
    const { events } = run('stt', 500)
    host.clock.advance(499)
    expect(events).toEqual([])
    host.clock.advance(2)
    expect(codes(events)).toEqual(['timeout'])
    expect(started[0]!.heard.at(-1)).toMatchObject({ type: 'cancel' })
    started[0]!.say({ type: 'event', stream: started[0]!.streams[0], event: done })
    expect(codes(events)).toEqual(['timeout'])
  })

  test('a run that ends in time hears nothing of its deadline', () => {
    const { events } = run('stt', 500)
    started[0]!.say({ type: 'event', stream: started[0]!.streams[0], event: done })
    host.clock.advance(1_000)
    expect(codes(events)).toEqual(['done'])
  })

  test('it is started again after the delay, which grows and is forgotten after a healthy stretch', async () => {
    const delays: number[] = []
    const crash = async (): Promise<void> => {
      const [count, start] = [started.length, host.clock.monotonic()]
      started.at(-1)!.exit('by signal SIGSEGV')
      while (started.length === count) {
        host.clock.advance(5)
        await settle()
      }
      delays.push(host.clock.monotonic() - start)
      started.at(-1)!.become(8)
    }
    await crash()
    await crash()
    await crash()
    host.clock.advance(31_000)
    await crash()
    // A fifth of jitter, and the five milliseconds of a step.
    for (const [i, planned] of [100, 200, 400, 100].entries()) {
      expect(delays[i]).toBeGreaterThanOrEqual(0.8 * planned)
      expect(delays[i]).toBeLessThanOrEqual(1.2 * planned + 5)
    }
    expect(row()).toMatchObject({ state: 'ready', restarts: 4 })
  })

  test('silence is found at the second unanswered ping', () => {
    const { events } = run()
    started[0]!.answersPings = false
    host.clock.advance(1_000 + 3_000)
    expect(row().state).toBe('ready')
    host.clock.advance(1_001)
    expect(row()).toMatchObject({ state: 'restarting', error: { code: 'engine-hung' } })
    expect(codes(events)).toEqual(['engine-hung'])
    expect(started[0]!.killed).toBe(true)
  })

  test('one late answer is no reason to kill', () => {
    started[0]!.answersPings = false
    host.clock.advance(1_000 + 3_500)
    started[0]!.say({ type: 'pong', ping: 1, rss_bytes: 1 })
    started[0]!.answersPings = true
    host.clock.advance(60_000)
    expect(row()).toMatchObject({ state: 'ready', restarts: 0 })
  })

  test('its memory is shown, and at the limit it is replaced', () => {
    host.clock.advance(1_000)
    expect(row().rss_mb).toBe(50)
    started[0]!.say({ type: 'pong', ping: 1, rss_bytes: 101 * 2 ** 20 })
    expect(row()).toMatchObject({ state: 'restarting', error: { code: 'engine-over-memory' } })
  })

  test('what a process says after it was given up is not heard', () => {
    const { events } = run()
    const [stream] = started[0]!.streams
    started[0]!.exit('by signal SIGKILL')
    started[0]!.say({ type: 'event', stream, event: done })
    expect(codes(events)).toEqual(['engine-crashed'])
  })

  test('how far it is behind speech shows while somebody speaks, and when it has caught up', () => {
    const { stream } = run()
    const frame = { type: 'audio', samples: new Float32Array(320) } as const
    const hear = (audio_ms: number) =>
      started[0]!.say({ type: 'heard', stream: started[0]!.streams[0], audio_ms })
    expect(row().lag_ms).toBe(undefined)
    for (let fed = 20; fed <= 2_000; fed += 20) {
      host.clock.advance(20)
      stream.feed(frame)
      // Half as fast as it is spoken.
      if (fed % 400 === 0) hear(fed / 2)
    }
    expect(row().lag_ms).toBe(800)
    for (let heard = 1_200; heard <= 2_000; heard += 200) hear(heard)
    stream.finish()
    started[0]!.say({ type: 'event', stream: started[0]!.streams[0], event: { type: 'final', text: 'x' } })
    started[0]!.say({ type: 'event', stream: started[0]!.streams[0], event: done })
    expect(row()).toMatchObject({ p95_ms: 0, lag_ms: 800 })
  })

  test('at rest it has no process; the first who asks wakes it and is served when it is there', async () => {
    host.clock.advance(90_000)
    expect(pool.kept()).toEqual([{ name: 'only', tag: 'stt.sherpa:small', resting: false, idle_ms: 90_000 }])
    const busy = run()
    pool.rest('only')
    expect(row().state).toBe('ready')
    started[0]!.say({ type: 'event', stream: started[0]!.streams[0], event: done })
    expect(codes(busy.events)).toEqual(['done'])
    pool.rest('only')
    expect([row().state, started[0]!.killed, host.clock.pending]).toEqual(['resting', true, 0])

    const { stream, events } = run()
    stream.feed({ type: 'audio', samples: new Float32Array(320) })
    stream.finish()
    const given_up = run()
    given_up.stream.cancel()
    await settle()
    expect(row().state).toBe('starting')
    started[1]!.become(8)
    await settle()
    expect(started[1]!.heard.map(({ type }) => type)).toEqual(['load', 'measure', 'open', 'audio', 'finish'])
    started[1]!.say({ type: 'event', stream: started[1]!.streams[0], event: done })
    expect([codes(events), given_up.events]).toEqual([['done'], []])
    expect(row()).toMatchObject({ state: 'ready', restarts: 0 })
  })

  test('woken without a run it is ready as after its start', async () => {
    pool.rest('only')
    pool.wake('only')
    await settle()
    started[1]!.become(8)
    expect(row()).toMatchObject({ state: 'ready', restarts: 0 })
    expect(pool.kept()).toMatchObject([{ resting: false, idle_ms: 0 }])
  })

  test('who waits for readiness is told', async () => {
    started[0]!.exit('by signal SIGKILL')
    let ready = false
    void pool.ready('stt').then(() => {
      ready = true
    })
    await settle()
    expect(ready).toBe(false)
    host.clock.advance(200)
    await settle()
    started.at(-1)!.become(8)
    await settle()
    expect(ready).toBe(true)
  })

  test('stopped, it fails what runs and starts nothing', async () => {
    const { events } = run()
    await pool.stop()
    expect(codes(events)).toEqual(['cancelled'])
    expect(started[0]!.killed).toBe(true)
    host.clock.advance(100_000)
    await settle()
    expect(started).toHaveLength(1)
    expect(host.clock.pending).toBe(0)
  })
})
