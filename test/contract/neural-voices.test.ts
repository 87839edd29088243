/** What every neural voice does beyond the contract of engines, with a small file of its own shape; what it says first is not its whole sentence. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineEvent, EngineRequest, Pool } from '../../src/inference/index.ts'
import {
  errorCode,
  eventually,
  growth,
  open,
  openPool,
  run,
  specs,
  temporaryDirectory,
  typesOf,
} from '../inference/engines.ts'
import { ENGINES } from './engine-cases.ts'
import { samplesOf } from './engine-contract.ts'

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

  // One of each library is in the table of engines, and is asked this there.
  if (ENGINES.some(({ model }) => model === voice)) return
  test('takes no more memory for many runs than for a few', async () => {
    const [pid] = pool.pids().values()
    expect(await growth(pid!, 40, () => run(pool, 'tts', tts(SENTENCE)))).toBeLessThan(30e6)
  })
})

const LONG = 'It rains until the evening, and then the sun comes out. '.repeat(170)

const samplesOfAll = (events: readonly EngineEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'audio' ? [...event.samples] : []))
