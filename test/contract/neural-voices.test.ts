/** Every neural voice keeps the contract of engines, with a small file of its own shape; what it says first is not its whole sentence. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineEvent, EngineRequest, Pool } from '../../src/inference/index.ts'
import {
  errorCode,
  eventually,
  open,
  openPool,
  run,
  specs,
  type TestPool,
  temporaryDirectory,
  typesOf,
} from '../inference/engines.ts'
import { keepsContract, samplesOf } from './engine-contract.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const SENTENCE = 'The timer for five minutes is set.'
const VOICES = ['beeping-letters', 'beeping-piper', 'beeping-kokoro', 'beeping-matcha', 'beeping-kokoro-js']

/** The one that speaks when nobody is named, and another. */
const SPEAKERS: Readonly<Record<string, readonly [string, string?]>> = {
  'beeping-piper': ['low', 'high'],
  'beeping-kokoro': ['low', 'high'],
  'beeping-matcha': ['0'],
  'beeping-kokoro-js': ['af_heart', 'bm_george'],
}

const tts = (text: string, more: object = {}): EngineRequest => ({ kind: 'tts', text, ...more })

describe.each([
  { model: 'beeping-piper', to: 'tts.sherpa-tts' },
  { model: 'beeping-kokoro-js', to: 'tts.kokoro' },
])('the engine $to', ({ model, to }) => {
  const directory = temporaryDirectory()
  afterAll(() => directory.remove())
  keepsContract(
    {
      ...{ model, to },
      request: tts(`${SENTENCE} Anything else?`),
      inputs: [],
      says: 'audio',
      empty: { request: tts(''), ends: 'done' },
    },
    () => specs([model], { unpacked_dir: directory.path }),
  )
})

/** A process that is stopped is found out soon; one that only waits for a busy processor is not. */
const PINGS = { ping_interval_ms: 300, ping_timeout_ms: 4_000 }

describe.each(VOICES)('the voice %s', (voice) => {
  const directory = temporaryDirectory()
  let pool: Pool
  let until: TestPool['until']
  beforeAll(async () => {
    const replicas = await specs([voice], { unpacked_dir: directory.path })
    ;({ pool, until } = openPool(replicas, { settings: PINGS }))
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })

  test('speaks, at the speed it is given, and takes what cannot be spoken', async () => {
    const slow = await run(pool, 'tts', tts(SENTENCE, { speed: 0.5 }))
    const fast = await run(pool, 'tts', tts(SENTENCE, { speed: 2 }))
    expect(samplesOf(slow) / samplesOf(fast)).toBeCloseTo(4, 0)
    for (const text of ['🎉', '{x}', '\u0000\ud800', '…'])
      expect(typesOf(await run(pool, 'tts', tts(text))).at(-1)).toBe('done')
    expect(samplesOf(await run(pool, 'tts', tts(SENTENCE)))).toBeGreaterThan(samplesOf(fast))
  })

  test('has the speakers of its model, and no others', async () => {
    const [own, other] = SPEAKERS[voice] ?? ['0', '1']
    const spoken = async (speaker: string) =>
      samplesOfAll(await run(pool, 'tts', tts(SENTENCE, { voice: speaker })))
    expect(await spoken(own)).toEqual(samplesOfAll(await run(pool, 'tts', tts(SENTENCE))))
    if (other !== undefined) expect(await spoken(other)).not.toEqual(await spoken(own))
    for (const strange of ['2', '-1', '65536', 'nobody', '../etc', 'constructor'])
      expect(errorCode(await run(pool, 'tts', tts(SENTENCE, { voice: strange })))).toBe('invalid-input')
  })

  test('begins while the sentence is still being written', async () => {
    const speech = open(pool, 'tts', { kind: 'tts' })
    speech.stream.feed({ type: 'text', text: 'It rains until the evening, and then the sun ' })
    await eventually(() => typesOf(speech.events)).toContain('audio')
    const before = samplesOf(speech.events)
    speech.stream.feed({ type: 'text', text: 'comes out.' })
    speech.stream.finish()
    expect(samplesOf(await speech.ended)).toBeGreaterThan(before)
  })

  test('lets others speak while it has a long text, and forgets it when it is cancelled', async () => {
    const long = open(pool, 'tts', tts(LONG))
    const short = await run(pool, 'tts', tts('Good night.'))
    expect(typesOf(short).at(-1)).toBe('done')
    expect(typesOf(long.events)).not.toContain('done')
    long.stream.cancel()
    const heard = long.events.length
    expect(typesOf(await run(pool, 'tts', tts(SENTENCE))).at(-1)).toBe('done')
    expect(long.events).toHaveLength(heard)
  })

  test('takes no more memory for many runs than for a few', async () => {
    const speak = async (runs: number): Promise<number> => {
      for (let i = 0; i < runs; i += 1) await run(pool, 'tts', tts(SENTENCE))
      return residentBytes(pidOf(pool))
    }
    await speak(40)
    const few = await speak(40)
    expect((await speak(120)) - few).toBeLessThan(30e6)
  })

  // One of each library: what carries the failure is the same for all its voices.
  if (!['beeping-piper', 'beeping-kokoro-js'].includes(voice)) return
  test.each([
    ['SIGKILL', 'engine-crashed'],
    ['SIGSTOP', 'engine-hung'],
  ] as const)('whose process gets a %s in mid-speech fails that run, and is back', async (signal, code) => {
    const cut = open(pool, 'tts', tts(LONG))
    await eventually(() => typesOf(cut.events)).toContain('audio')
    const before = pidOf(pool)
    process.kill(before, signal)
    expect(errorCode(await cut.ended)).toBe(code)
    await until(pool.capabilities()[0]!.name, ({ state }) => state === 'ready')
    expect(pidOf(pool)).not.toBe(before)
    expect(typesOf(await run(pool, 'tts', tts(SENTENCE))).at(-1)).toBe('done')
  })
})

const LONG = 'It rains until the evening, and then the sun comes out. '.repeat(170)

const pidOf = (pool: Pool): number => [...pool.pids().values()][0]!

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

const samplesOfAll = (events: readonly EngineEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'audio' ? [...event.samples] : []))
