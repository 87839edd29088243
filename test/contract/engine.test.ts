/** Every engine keeps the same contract, each through its own library, in its own process, with real files. */

import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineEvent, EngineInput, EngineRequest, Pool } from '../../src/inference/index.ts'
import {
  alive,
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

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

interface Case {
  readonly model: string
  readonly to: string
  readonly request: EngineRequest
  readonly inputs: readonly EngineInput[]
  /** What the run says between opening and `done`. */
  readonly says: EngineEvent['type']
  /** A run on nothing: what it ends with. */
  readonly empty: { readonly request: EngineRequest; readonly ends: 'done' | 'invalid-input' }
}

const STT: EngineRequest = { kind: 'stt', sample_rate: 16_000 }

const CASES: readonly Case[] = [
  {
    model: 'low-high',
    to: 'stt.sherpa',
    request: STT,
    inputs: LOW_HIGH_LOW,
    says: 'final',
    empty: { request: STT, ends: 'done' },
  },
  {
    model: 'random-whisper',
    to: 'stt.whisper',
    request: STT,
    inputs: LOW_HIGH_LOW,
    says: 'final',
    empty: { request: STT, ends: 'done' },
  },
  {
    model: 'random-language',
    to: 'llm.llama',
    request: { kind: 'llm', prompt: ' good morning\n', schema: { enum: ['yes', 'no'] }, max_tokens: 64 },
    inputs: [],
    says: 'token',
    empty: { request: { kind: 'llm', prompt: '', max_tokens: 8 }, ends: 'invalid-input' },
  },
  {
    model: 'formant-en',
    to: 'tts.formant',
    request: { kind: 'tts', text: 'The timer for five minutes is set. Anything else?' },
    inputs: [],
    says: 'audio',
    empty: { request: { kind: 'tts', text: '' }, ends: 'done' },
  },
]

const WEIGHTS = [
  { to: 'stt.sherpa', model: 'low-high', weights: 'recogniser.onnx' },
  { to: 'stt.whisper', model: 'random-whisper', weights: 'whisper.bin.gz' },
  { to: 'llm.llama', model: 'random-language', weights: 'language.gguf' },
]

/** What a run came to, as far as two runs on the same input agree: speech is not the same sample by sample. */
const resultOf = (events: readonly EngineEvent[]): string =>
  events
    .map((event) => (event.type === 'final' || event.type === 'token' ? event.text : ''))
    .join('')
    .trim()

const samplesOf = (events: readonly EngineEvent[]): number =>
  events.reduce((sum, event) => sum + (event.type === 'audio' ? event.samples.length : 0), 0)

describe.each(CASES)('the engine $to', ({ model, to, request, inputs, says, empty }) => {
  const directory = temporaryDirectory()
  let pool: Pool

  beforeAll(async () => {
    pool = openPool(await specs([model], { unpacked_dir: directory.path })).pool
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })

  const whole = () => run(pool, to, request, inputs)
  const pid = (): number => [...pool.pids().values()][0]!

  test('says what it has, then exactly one done, last', async () => {
    const events = await whole()
    expect(typesOf(events)).toContain(says)
    expect(typesOf(events).filter((type) => type === 'done' || type === 'failed')).toEqual(['done'])
    expect(typesOf(events).at(-1)).toBe('done')
  })

  test('comes to the same result twice in a row', async () => {
    const [first, second] = [await whole(), await whole()]
    expect(resultOf(second)).toBe(resultOf(first))
    expect(Math.abs(samplesOf(second) - samplesOf(first))).toBeLessThan(2_205)
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
    const wrong: EngineRequest = request.kind === 'tts' ? STT : { kind: 'tts', text: 'hello' }
    expect(errorCode(await run(pool, to, wrong))).toBe('invalid-input')
  })

  test('measures itself', async () => {
    await whole()
    const [row] = pool.capabilities()
    expect(row!.p95_ms).toBeGreaterThan(0)
    if (request.kind === 'llm') expect(row!.tokens_per_s).toBeGreaterThan(0)
    else expect(row!.real_time_factor).toBeGreaterThan(0)
  })

  test('leaves no process behind', async () => {
    const left = openPool(await specs([model], { unpacked_dir: directory.path }))
    await left.pool.start()
    const [process] = left.pool.pids().values()
    await left.pool.stop()
    await eventually(() => alive(process!)).toBe(false)
  })
})

describe.each(WEIGHTS)('the model file of $to', ({ model, weights }) => {
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
})

describe('speech recognition', () => {
  const directory = temporaryDirectory()
  let pool: Pool
  beforeAll(async () => {
    pool = openPool(await specs(['low-high', 'random-whisper'], { unpacked_dir: directory.path })).pool
    await pool.start()
  })
  afterAll(async () => {
    await pool.stop()
    directory.remove()
  })

  test('says the words so far while audio comes', async () => {
    const events = await run(pool, 'stt.sherpa', STT, LOW_HIGH_LOW)
    const texts = events.flatMap((event) => (event.type === 'partial' ? [event.text] : []))
    expect(texts).toEqual(['low', 'low high', 'low high low'])
    expect(events.find((event) => event.type === 'final')).toMatchObject({ text: 'low high low' })
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

  test.each(['stt.sherpa', 'stt.whisper'])('%s survives samples that are no numbers', async (to) => {
    const before = await run(pool, to, STT, LOW_HIGH_LOW)
    const strange = [Number.NaN, Number.POSITIVE_INFINITY, -1e30].map((value) => ({
      type: 'audio' as const,
      samples: new Float32Array(8_000).fill(value),
    }))
    expect(typesOf(await run(pool, to, STT, strange)).at(-1)).toBe('done')
    expect(resultOf(await run(pool, to, STT, LOW_HIGH_LOW))).toBe(resultOf(before))
  })

  test.each(['stt.sherpa', 'stt.whisper'])('%s takes thirty seconds at once', async (to) => {
    const events = await run(pool, to, STT, [{ type: 'audio', samples: tone(LOW_HZ, 30_000) }])
    expect(events.at(-1)).toMatchObject({ type: 'done', usage: { audio_ms: 30_000 } })
  })

  test.each(['stt.sherpa', 'stt.whisper'])('%s takes a clip shorter than any word', async (to) => {
    const events = await run(pool, to, STT, frames(tone(LOW_HZ, 10)))
    expect(typesOf(events).at(-1)).toBe('done')
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
