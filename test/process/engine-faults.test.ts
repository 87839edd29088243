/** Whatever an engine process does, the node lives, its runs end once with the reason, and the engine comes back. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  errorCode,
  eventually,
  open,
  openPool,
  run,
  scripted,
  startScripted,
  type TestPool,
  typesOf,
} from '../inference/engines.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const SPEECH = { kind: 'tts' } as const
let opened: TestPool[] = []
afterEach(async () => {
  for (const { pool } of opened) await pool.stop()
  opened = []
})

function start(mode: string, settings = {}): TestPool {
  const pool = openPool([scripted(mode)], { startProcess: startScripted, settings })
  opened.push(pool)
  return pool
}

const row = ({ pool }: TestPool) => pool.capabilities()[0]!

describe('while loading', () => {
  test.each([
    ['hang-in-load', 'engine-hung'],
    ['spin-in-load', 'engine-hung'],
    ['abort-in-load', 'engine-crashed'],
  ])('%s: given up as %s, tried again', async (mode, code) => {
    const engine = start(mode, { load_timeout_ms: code === 'engine-hung' ? 400 : 10_000 })
    await engine.pool.start()
    expect(row(engine)).toMatchObject({ state: 'restarting', error: { code } })
    await engine.until(row(engine).name, ({ restarts }) => restarts > 0)
    expect(errorCode(await run(engine.pool, 'tts', SPEECH))).toBe('engine-unavailable')
  })

  test('a missing library is final: nothing is started again', async () => {
    const engine = start('no-such-library')
    await engine.pool.start()
    expect(row(engine)).toMatchObject({ state: 'failed', error: { code: 'engine-unavailable' }, restarts: 0 })
    expect(engine.pool.pids().size).toBe(0)
  })
})

describe('while running', () => {
  test.each([
    ['segfault', 'engine-crashed', 'SIGSEGV'],
    ['abort', 'engine-crashed', 'SIGABRT'],
    ['exit-255', 'engine-crashed', '255'],
    ['garbage-bytes', 'engine-crashed', 'unintelligible'],
    ['garbage-json', 'engine-crashed', 'unintelligible'],
    ['spin-in-run', 'engine-hung', 'ping'],
    ['closes-channel', 'engine-hung', 'ping'],
    ['leak', 'engine-over-memory', '300 MB'],
  ])('%s: every run fails once as %s, then the engine is back', async (mode, code, said) => {
    // Impatient only where silence is the fault: a busy machine must not look like one.
    const ping_timeout_ms = code === 'engine-hung' ? 400 : 10_000
    const engine = start(mode, { ping_interval_ms: 50, ping_timeout_ms, rss_limit_mb: 300 })
    await engine.pool.start()
    const name = row(engine).name
    const first = open(engine.pool, 'tts', SPEECH)
    const second = open(engine.pool, 'tts', SPEECH)
    const ends = [await first.ended, await second.ended]
    for (const events of ends) {
      const last = events.at(-1)
      expect(last).toMatchObject({ type: 'failed', error: { code, retryable: true } })
      expect(last?.type === 'failed' && last.error.message).toContain(said)
      expect(typesOf(events).filter((type) => type === 'failed')).toHaveLength(1)
    }
    await engine.until(name, ({ state, restarts }) => state === 'ready' && restarts === 1)
  })

  test('silence after a ping is found although the process runs on', async () => {
    const engine = start('silent', { ping_interval_ms: 50, ping_timeout_ms: 300 })
    await engine.pool.start()
    const { ended } = open(engine.pool, 'tts', SPEECH)
    expect(errorCode(await ended)).toBe('engine-hung')
  })

  test('a run that ignores its cancel costs the process, and stays silent', async () => {
    const engine = start('ignores-cancel', { cancel_timeout_ms: 100 })
    await engine.pool.start()
    const name = row(engine).name
    const cancelled = open(engine.pool, 'tts', SPEECH)
    const other = open(engine.pool, 'tts', SPEECH)
    await eventually(() => typesOf(cancelled.events)).toEqual(['partial'])
    cancelled.stream.cancel()
    expect(errorCode(await other.ended)).toBe('engine-hung')
    await engine.until(name, ({ state, restarts }) => state === 'ready' && restarts === 1)
    expect(typesOf(cancelled.events)).toEqual(['partial'])
  })

  test('what a run says after its cancel is not heard', async () => {
    const engine = start('talks-after-cancel')
    await engine.pool.start()
    const cancelled = open(engine.pool, 'tts', SPEECH)
    await eventually(() => typesOf(cancelled.events)).toEqual(['partial'])
    cancelled.stream.cancel()
    await eventually(() => row(engine).load).toBe(0)
    await run(engine.pool, 'tts', SPEECH)
    expect(typesOf(cancelled.events)).toEqual(['partial'])
  })

  test('an engine that ends a run twice is heard once', async () => {
    const engine = start('ends-twice')
    await engine.pool.start()
    const first = await run(engine.pool, 'tts', SPEECH)
    await run(engine.pool, 'tts', SPEECH)
    expect(typesOf(first)).toEqual(['partial', 'done'])
  })

  test('a run past its deadline fails with timeout, and the engine goes on', async () => {
    const engine = start('never-ends')
    await engine.pool.start()
    const events = await new Promise((resolve) => {
      engine.pool.run('tts', SPEECH, (event) => event.type === 'failed' && resolve(event.error.code), {
        deadline_ms: 50,
      })
    })
    expect(events).toBe('timeout')
    await eventually(() => row(engine)).toMatchObject({ state: 'ready', load: 0, restarts: 0 })
  })
})

describe('at its limit', () => {
  test('runs beyond what the engine admits are refused, and admitted again when one has ended', async () => {
    const engine = start('one-at-a-time')
    await engine.pool.start()
    const first = open(engine.pool, 'tts', SPEECH)
    expect(errorCode(await run(engine.pool, 'tts', SPEECH))).toBe('overloaded')
    first.stream.finish()
    await first.ended
    expect(typesOf(await run(engine.pool, 'tts', SPEECH)).at(-1)).toBe('done')
  })

  test('a cancelled run holds its place until the engine lets go of it', async () => {
    const engine = start('one-at-a-time')
    await engine.pool.start()
    open(engine.pool, 'tts', SPEECH).stream.cancel()
    expect(errorCode(await run(engine.pool, 'tts', SPEECH))).toBe('overloaded')
    await eventually(() => row(engine).load).toBe(0)
    expect(typesOf(await run(engine.pool, 'tts', SPEECH)).at(-1)).toBe('done')
  })

  test('nobody offers it: refused with what to do', async () => {
    const engine = start('good')
    const events = await run(engine.pool, 'stt', { kind: 'stt', sample_rate: 16_000 })
    expect(events).toMatchObject([{ type: 'failed', error: { code: 'engine-unavailable' } }])
  })
})

describe('in the node itself', () => {
  test('a listener that throws spoils only its own run', async () => {
    const engine = start('good')
    await engine.pool.start()
    engine.pool.run('tts', SPEECH, () => {
      throw new Error('a defect of the listener')
    })
    expect(typesOf(await run(engine.pool, 'tts', SPEECH))).toEqual(['partial', 'done'])
    expect(row(engine)).toMatchObject({ state: 'ready', restarts: 0 })
  })

  test('input larger than a frame fails its run, and the engine hears the next one', async () => {
    const engine = start('good')
    await engine.pool.start()
    const text = 'x'.repeat(9_000_000)
    expect(errorCode(await run(engine.pool, 'tts', { kind: 'tts', text }))).toBe('invalid-input')
    expect(errorCode(await run(engine.pool, 'tts', SPEECH, [{ type: 'text', text }]))).toBe('invalid-input')
    expect(typesOf(await run(engine.pool, 'tts', SPEECH)).at(-1)).toBe('done')
  })

  test('a process that cannot be started is tried again', async () => {
    let refusals = 2
    const pool = openPool([scripted('good')], {
      startProcess: (events) => {
        refusals -= 1
        if (refusals >= 0) throw new Error('EMFILE')
        return startScripted(events)
      },
    })
    opened.push(pool)
    void pool.pool.start()
    await pool.until('scripted.good', ({ state, restarts }) => state === 'ready' && restarts === 2)
  })
})
