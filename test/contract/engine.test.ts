/** Every engine keeps the same contract, each through its own library, in its own process, with real files. */

import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineRequest, Pool } from '../../src/inference/index.ts'
import {
  errorCode,
  eventually,
  frames,
  HIGH_HZ,
  LOW_HIGH_LOW,
  LOW_HZ,
  open,
  openPool,
  run,
  STANDINS,
  specs,
  temporaryDirectory,
  tone,
  typesOf,
} from '../inference/engines.ts'
import { ENGINES } from './engine-cases.ts'
import { keepsContract, resultOf, samplesOf } from './engine-contract.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const STT: EngineRequest = { kind: 'stt', sample_rate: 16_000 }

describe.each(ENGINES)('the engine $to', (contract) => {
  const directory = temporaryDirectory()
  afterAll(() => directory.remove())
  keepsContract(contract, () => specs([contract.model], { unpacked_dir: directory.path }))
})

describe.each(ENGINES.filter(({ weights }) => weights !== undefined))(
  'the model file of $to',
  ({ model, weights = '' }) => {
    test('a damaged file is found before any process starts', async () => {
      const copy = temporaryDirectory()
      cpSync(STANDINS, copy.path, { recursive: true })
      const path = join(copy.path, weights)
      const bytes = readFileSync(path)
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(path, bytes)
      const damaged = await failing(model, copy.path)
      expect(damaged.error).toMatchObject({ code: 'model-invalid' })
      expect(damaged.error!.message).toContain(weights)
      expect(damaged.pids).toBe(0)
      copy.remove()
    })

    test.each(['a truncated', 'an unrelated', 'an empty'] as const)(
      '%s file that its manifest vouches for harms nobody',
      async (kind) => {
        const copy = temporaryDirectory()
        cpSync(STANDINS, copy.path, { recursive: true })
        vouchFor(copy.path, weights, (bytes) => spoiled(bytes, kind))
        const { error } = await failing(model, copy.path)
        expect(['model-invalid', 'engine-crashed']).toContain(error?.code)
        copy.remove()
      },
    )
  },
)

const RECOGNISERS = ['stt.sherpa', 'stt.sherpa-offline', 'stt.whisper']

describe('speech recognition', () => {
  const directory = temporaryDirectory()
  let pool: Pool
  beforeAll(async () => {
    const models = ['low-high', 'low-high-offline', 'random-whisper']
    pool = openPool(await specs(models, { unpacked_dir: directory.path })).pool
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })

  test('says the words so far while audio comes', async () => {
    const { stream, events, ended } = open(pool, 'stt.sherpa', STT)
    const texts = () => events.flatMap((event) => (event.type === 'partial' ? [event.text] : []))
    // Word by word: of what comes faster than it is heard only the last is said.
    for (const [from, to, text] of [
      [0, 35, 'low'],
      [35, 60, 'low high'],
      [60, LOW_HIGH_LOW.length, 'low high low'],
    ] as const) {
      for (const input of LOW_HIGH_LOW.slice(from, to)) stream.feed(input)
      await eventually(() => texts().at(-1)).toBe(text)
    }
    stream.finish()
    expect((await ended).find((event) => event.type === 'final')).toMatchObject({ text: 'low high low' })
    expect(texts()).toEqual(['low', 'low high', 'low high low'])
    // Said by those who listen while somebody speaks, so that it is known when they are behind.
    const lags = pool.capabilities().map(({ tag, lag_ms }) => [tag, lag_ms === undefined])
    expect(lags).toEqual([
      ['stt.sherpa:low-high', false],
      ['stt.whisper:random-whisper', true],
      ['stt.sherpa-offline:low-high-offline', true],
    ])
  })

  test('one that hears whole sentences only says the same in the end', async () => {
    const { stream, events, ended } = open(pool, 'stt.sherpa-offline', STT)
    for (const input of LOW_HIGH_LOW) stream.feed(input)
    await eventually(() => typesOf(events)).toContain('partial')
    stream.finish()
    expect((await ended).find((event) => event.type === 'final')).toMatchObject({ text: 'low high low' })
  })

  test('streams that are fed in turns do not hear each other', async () => {
    const low = open(pool, 'stt.sherpa', STT)
    const high = open(pool, 'stt.sherpa', STT)
    const lows = frames(tone(LOW_HZ, 400), tone(0, 200))
    const highs = frames(tone(HIGH_HZ, 400), tone(0, 200))
    for (const [i, input] of lows.entries()) {
      low.stream.feed(input)
      high.stream.feed(highs[i]!)
    }
    low.stream.finish()
    high.stream.finish()
    expect(resultOf((await low.ended).filter(({ type }) => type === 'final'))).toBe('low')
    expect(resultOf((await high.ended).filter(({ type }) => type === 'final'))).toBe('high')
  })

  test('nothing of a cancelled utterance reaches the next', async () => {
    for (let i = 0; i < 3; i += 1) {
      const cancelled = open(pool, 'stt.sherpa', STT)
      for (const input of frames(tone(HIGH_HZ, 390))) cancelled.stream.feed(input)
      cancelled.stream.cancel()
      const events = await run(pool, 'stt.sherpa', STT, frames(tone(LOW_HZ, 300)))
      expect(events.find((event) => event.type === 'final')).toMatchObject({ text: 'low' })
    }
  })

  test.each(RECOGNISERS)('%s survives samples that are no numbers', async (to) => {
    const before = await run(pool, to, STT, LOW_HIGH_LOW)
    const strange = [Number.NaN, Number.POSITIVE_INFINITY, -1e30].map((value) => ({
      type: 'audio' as const,
      samples: new Float32Array(8_000).fill(value),
    }))
    expect(typesOf(await run(pool, to, STT, strange)).at(-1)).toBe('done')
    expect(resultOf(await run(pool, to, STT, LOW_HIGH_LOW))).toBe(resultOf(before))
  })

  test.each(RECOGNISERS)('%s takes thirty seconds at once', async (to) => {
    const events = await run(pool, to, STT, [{ type: 'audio', samples: tone(LOW_HZ, 30_000) }])
    expect(events.at(-1)).toMatchObject({ type: 'done', usage: { audio_ms: 30_000 } })
  })

  test.each(RECOGNISERS)('%s takes a clip shorter than any word', async (to) => {
    const events = await run(pool, to, STT, frames(tone(LOW_HZ, 10)))
    expect(typesOf(events).at(-1)).toBe('done')
  })
})

describe('whose voice it is', () => {
  test('is a vector of unit length: of one voice nearly the same, of another one not', async () => {
    const directory = temporaryDirectory()
    const { pool } = openPool(await specs(['mean-voice'], { unpacked_dir: directory.path }))
    await pool.start()
    const voice = async (hz: number, loudness: number): Promise<Float32Array> => {
      const inputs = frames(tone(hz, 600).map((sample, i) => loudness * sample * Math.sin(i / 900)))
      const events = await run(pool, 'embedding', { kind: 'speaker', sample_rate: 16_000 }, inputs)
      expect(typesOf(events)).toEqual(['embedding', 'done'])
      return (events[0] as { vector: Float32Array }).vector
    }
    const alike = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
    const [low, lowAgain, high] = [await voice(LOW_HZ, 1), await voice(LOW_HZ, 0.9), await voice(HIGH_HZ, 1)]
    expect(Math.hypot(...low)).toBeCloseTo(1, 4)
    expect(alike(low, lowAgain)).toBeGreaterThan(alike(low, high))
    const strange = [{ type: 'audio' as const, samples: new Float32Array(8_000).fill(Number.NaN) }]
    const ends = typesOf(await run(pool, 'embedding', { kind: 'speaker', sample_rate: 16_000 }, strange)).at(
      -1,
    )
    expect(ends).toBe('done')
    await pool.stop()
    directory.remove()
  })
})

describe('whether somebody speaks', () => {
  const directory = temporaryDirectory()
  let pool: Pool
  beforeAll(async () => {
    pool = openPool(await specs(['loud-low'], { unpacked_dir: directory.path })).pool
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })
  const VAD: EngineRequest = { kind: 'vad', sample_rate: 16_000 }
  const heard = async (...sounds: readonly Float32Array[]) =>
    resultOf(await run(pool, 'vad', VAD, frames(...sounds)))

  test('is said of every 32 ms: not of silence, nor of what is only loud', async () => {
    expect(await heard(tone(0, 320), tone(LOW_HZ, 320), tone(0, 320), tone(HIGH_HZ, 320))).toMatch(
      /^-{10,12}v{9,11}-{19,21}$/,
    )
  })

  test('is said to the end, however long somebody speaks', async () => {
    const events = await run(pool, 'vad', VAD, [{ type: 'audio', samples: tone(LOW_HZ, 120_000) }])
    expect(resultOf(events)).toMatch(/^-{0,2}v+$/)
    expect(events.at(-1)).toMatchObject({ type: 'done', usage: { audio_ms: 120_000 } })
  })

  test('is said of the next sound as well, after samples that are no numbers', async () => {
    const strange = [{ type: 'audio' as const, samples: new Float32Array(8_000).fill(Number.NaN) }]
    expect(typesOf(await run(pool, 'vad', VAD, strange)).at(-1)).toBe('done')
    expect(await heard(tone(LOW_HZ, 320))).toMatch(/v{8}$/)
  })

  test('a model with other inputs is refused before the library sees it', async () => {
    const copy = temporaryDirectory()
    cpSync(STANDINS, copy.path, { recursive: true })
    vouchFor(copy.path, 'activity.onnx', () => readFileSync(join(STANDINS, 'speaker.onnx')))
    const { error } = await failing('loud-low', copy.path)
    expect(error).toMatchObject({ code: 'model-invalid' })
    expect(error?.message).toContain('Silero')
    copy.remove()
  })
})

describe('texts of any size', () => {
  const directory = temporaryDirectory()
  let pool: Pool
  beforeAll(async () => {
    pool = openPool(await specs(['random-language', 'formant-en'], { unpacked_dir: directory.path })).pool
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })

  const megabyte = 'all work and no play '.repeat(50_000)
  const odd = '\u0000\u0007 <speak> [[h@l\u2019loU]] \ud800 {x} 🎉 ﷽'

  test('a megabyte is refused', async () => {
    expect(errorCode(await run(pool, 'llm', { kind: 'llm', prompt: megabyte, max_tokens: 8 }))).toBe(
      'invalid-input',
    )
    expect(errorCode(await run(pool, 'tts', { kind: 'tts', text: megabyte }))).toBe('invalid-input')
  })

  test('a prompt that leaves no room for an answer is refused', async () => {
    const prompt = ' yes'.repeat(600)
    expect(errorCode(await run(pool, 'llm', { kind: 'llm', prompt, max_tokens: 8 }))).toBe('invalid-input')
  })

  test('control characters, lone surrogates and markup are read or left out', async () => {
    expect(typesOf(await run(pool, 'tts', { kind: 'tts', text: odd })).at(-1)).toBe('done')
    expect(typesOf(await run(pool, 'llm', { kind: 'llm', prompt: odd, max_tokens: 8 })).at(-1)).toBe('done')
  })

  test('an answer that does not fit its token limit is a failure, not half an answer', async () => {
    const schema = { type: 'object', properties: { a: { enum: ['a long answer'] } }, required: ['a'] }
    const events = await run(pool, 'llm', { kind: 'llm', prompt: ' yes\n', schema, max_tokens: 3 })
    expect(errorCode(events)).toBe('output-incomplete')
  })

  test('an answer obeys its schema', async () => {
    const schema = { type: 'object', properties: { on: { type: 'boolean' } }, required: ['on'] }
    const events = await run(pool, 'llm', { kind: 'llm', prompt: ' yes\n', schema, max_tokens: 64 })
    const answer: unknown = JSON.parse(resultOf(events))
    expect(typeof (answer as { on: unknown }).on).toBe('boolean')
  })

  test('speech begins before a streamed text is complete', async () => {
    const speech = open(pool, 'tts', { kind: 'tts' })
    speech.stream.feed({ type: 'text', text: 'The first sentence. And the ' })
    await eventually(() => typesOf(speech.events)).toContain('audio')
    const before = samplesOf(speech.events)
    speech.stream.feed({ type: 'text', text: 'second one.' })
    speech.stream.finish()
    expect(samplesOf(await speech.ended)).toBeGreaterThan(before)
  })

  const talk = [{ role: 'user', content: 'good morning' }] as const

  test('a conversation is answered, up to its limit and no further', async () => {
    const request = { kind: 'chat', messages: talk, max_tokens: 8 } as const
    const events = await run(pool, 'llm', request)
    expect(typesOf(events)).toContain('token')
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'length' })
    expect(resultOf(await run(pool, 'llm', request))).toBe(resultOf(events))
  })

  test('one seed gives one answer, however warm', async () => {
    const request = { kind: 'chat', messages: talk, max_tokens: 12, temperature: 1.5, seed: 7 } as const
    const [first, second] = [await run(pool, 'llm', request), await run(pool, 'llm', request)]
    expect(resultOf(second)).toBe(resultOf(first))
    expect(resultOf(await run(pool, 'llm', { ...request, seed: 8 }))).not.toBe(resultOf(first))
  })

  test('conversations that take turns are answered as each would be alone', async () => {
    const say = async (...said: readonly string[]): Promise<string> => {
      const messages = said.map(
        (content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }) as const,
      )
      return resultOf(await run(pool, 'llm', { kind: 'chat', messages, max_tokens: 6 }))
    }
    const rooms = ['the kitchen is cold', 'no light in the hall', 'yes and no', 'the end']
    const alone: (readonly [string, string])[] = []
    for (const room of rooms) {
      const first = await say(room)
      alone.push([first, await say(room, first, 'and then')])
    }
    const firsts = []
    for (const room of rooms) firsts.push(await say(room))
    expect(firsts).toEqual(alone.map(([first]) => first))
    for (const [i, room] of rooms.entries())
      expect(await say(room, firsts[i]!, 'and then')).toBe(alone[i]![1])
  })

  test('a conversation that is too long, or empty, is refused', async () => {
    const long = [{ role: 'user', content: ' yes'.repeat(600) }] as const
    expect(errorCode(await run(pool, 'llm', { kind: 'chat', messages: long }))).toBe('invalid-input')
    const huge = [{ role: 'user', content: megabyte }] as const
    expect(errorCode(await run(pool, 'llm', { kind: 'chat', messages: huge }))).toBe('invalid-input')
  })

  test('a text becomes a vector of unit length, always the same; none without a text', async () => {
    const vector = async (text: string): Promise<Float32Array> => {
      const events = await run(pool, 'llm', { kind: 'embedding', text })
      expect(typesOf(events)).toEqual(['embedding', 'done'])
      return (events[0] as { vector: Float32Array }).vector
    }
    const morning = await vector('good morning')
    expect(Math.hypot(...morning)).toBeCloseTo(1, 4)
    expect(await vector('good morning')).toEqual(morning)
    expect(await vector('the end')).not.toEqual(morning)
    for (const text of ['', megabyte])
      expect(errorCode(await run(pool, 'llm', { kind: 'embedding', text }))).toBe('invalid-input')
  })

  test('a voice speaks at the speed it is given', async () => {
    const text = 'The lights in the living room are on.'
    const slow = await run(pool, 'tts', { kind: 'tts', text, speed: 0.7 })
    const fast = await run(pool, 'tts', { kind: 'tts', text, speed: 1.6 })
    expect(samplesOf(slow)).toBeGreaterThan(1.5 * samplesOf(fast))
  })

  test('a voice nobody has is refused, and the default one is unharmed', async () => {
    expect(errorCode(await run(pool, 'tts', { kind: 'tts', text: 'hello', voice: '../etc' }))).toBe(
      'invalid-input',
    )
    expect(typesOf(await run(pool, 'tts', { kind: 'tts', text: 'hello' })).at(-1)).toBe('done')
  })
})

/** The error of a model that must not become ready, and how many processes it left. */
async function failing(model: string, models_dir: string) {
  const directory = temporaryDirectory()
  const { pool } = openPool(await specs([model], { models_dir, unpacked_dir: directory.path }))
  await pool.start()
  const [row] = pool.capabilities()
  const pids = pool.pids().size
  await pool.stop()
  directory.remove()
  return { error: row!.error, pids }
}

function spoiled(bytes: Buffer, kind: 'a truncated' | 'an unrelated' | 'an empty'): Buffer {
  if (kind === 'an empty') return Buffer.alloc(0)
  return kind === 'a truncated' ? bytes.subarray(0, bytes.length >> 1) : Buffer.alloc(5_000, 'noise')
}

/** Replaces a file and corrects its manifest entry; a packed file is spoiled inside. */
function vouchFor(directory: string, name: string, spoil: (bytes: Buffer) => Buffer): void {
  const path = join(directory, name)
  const bytes = readFileSync(path)
  const spoilt = name.endsWith('.gz') ? gzipSync(spoil(gunzipSync(bytes))) : spoil(bytes)
  writeFileSync(path, spoilt)
  const manifestPath = join(directory, 'manifest.json')
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as {
    models: { files: { path: string; sha256: string; bytes: number }[] }[]
  }
  for (const file of manifest.models.flatMap(({ files }) => files)) {
    if (file.path !== name) continue
    file.sha256 = createHash('sha256').update(spoilt).digest('hex')
    file.bytes = spoilt.length
  }
  writeFileSync(manifestPath, JSON.stringify(manifest))
}
