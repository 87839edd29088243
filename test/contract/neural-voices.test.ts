/** Every neural voice keeps the contract of engines, with a small file of its own shape; what it says first is not its whole sentence. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineEvent, EngineRequest, Pool } from '../../src/inference/index.ts'
import {
  errorCode,
  eventually,
  open,
  openPool,
  run,
  specs,
  temporaryDirectory,
  typesOf,
} from '../inference/engines.ts'
import { keepsContract, samplesOf } from './engine-contract.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const SENTENCE = 'The timer for five minutes is set.'
const VOICES = ['beeping-letters', 'beeping-piper', 'beeping-kokoro', 'beeping-matcha']

const tts = (text: string, more: object = {}): EngineRequest => ({ kind: 'tts', text, ...more })

describe('a voice of sherpa-onnx', () => {
  const directory = temporaryDirectory()
  afterAll(() => directory.remove())
  keepsContract(
    {
      model: 'beeping-piper',
      to: 'tts.sherpa-tts',
      request: tts(`${SENTENCE} Anything else?`),
      inputs: [],
      says: 'audio',
      empty: { request: tts(''), ends: 'done' },
    },
    () => specs(['beeping-piper'], { unpacked_dir: directory.path }),
  )
})

describe.each(VOICES)('the voice %s', (voice) => {
  const directory = temporaryDirectory()
  let pool: Pool
  beforeAll(async () => {
    pool = openPool(await specs([voice], { unpacked_dir: directory.path })).pool
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
    const first = samplesOfAll(await run(pool, 'tts', tts(SENTENCE)))
    expect(samplesOfAll(await run(pool, 'tts', tts(SENTENCE, { voice: '0' })))).toEqual(first)
    for (const strange of ['2', '-1', '65536', 'nobody', '../etc'])
      expect(errorCode(await run(pool, 'tts', tts(SENTENCE, { voice: strange })))).toBe('invalid-input')
    if (voice === 'beeping-matcha') return
    const second = samplesOfAll(await run(pool, 'tts', tts(SENTENCE, { voice: '1' })))
    expect(second).not.toEqual(first)
    if (voice === 'beeping-letters') return
    expect(samplesOfAll(await run(pool, 'tts', tts(SENTENCE, { voice: 'high' })))).toEqual(second)
  })
})

describe('what is heard first', () => {
  const directory = temporaryDirectory()
  let pool: Pool
  beforeAll(async () => {
    pool = openPool(await specs(['beeping-letters'], { unpacked_dir: directory.path })).pool
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })

  test('sound begins while the sentence is still being written', async () => {
    const speech = open(pool, 'tts', { kind: 'tts' })
    speech.stream.feed({ type: 'text', text: 'It rains until the evening, and then the sun ' })
    await eventually(() => typesOf(speech.events)).toContain('audio')
    const before = samplesOf(speech.events)
    speech.stream.feed({ type: 'text', text: 'comes out.' })
    speech.stream.finish()
    expect(samplesOf(await speech.ended)).toBeGreaterThan(before)
  })

  test('a long text of one run does not keep another waiting for its end', async () => {
    const long = open(pool, 'tts', tts('It rains until the evening. '.repeat(200)))
    const short = await run(pool, 'tts', tts('Good night.'))
    expect(typesOf(short).at(-1)).toBe('done')
    expect(typesOf(long.events)).not.toContain('done')
    long.stream.cancel()
  })
})

const samplesOfAll = (events: readonly EngineEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'audio' ? [...event.samples] : []))
