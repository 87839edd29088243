/** The models that come with the node: small, whole, and good enough to start with. In real engine processes. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineEvent, Model, Pool } from '../../src/inference/index.ts'
import { openModels } from '../../src/inference/index.ts'
import { answerSchema, compileGrammar, interpretAnswer, read } from '../../src/skills/intents/index.ts'
import { readGrammar, readGrammarSources, vocabularyOf } from '../../training/grammar.ts'
import { frames, host, openPool, run, specs, temporaryDirectory } from './engines.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MODELS = join(ROOT, 'models')
const AUDIO = join(ROOT, 'test/fixtures/audio')

const unpacked = temporaryDirectory()
const grammar = compileGrammar(readGrammarSources(ROOT))
let models: readonly Model[]
let pool: Pool

beforeAll(async () => {
  const options = { models_dir: MODELS, unpacked_dir: unpacked.path }
  models = (await openModels({ ...host, ...options })).list
  const ids = models.filter((model) => model.id.endsWith('-starter')).map((model) => model.id)
  pool = openPool(await specs(ids, options)).pool
  await pool.start()
})

afterAll(async () => {
  await pool.stop()
  unpacked.remove()
})

/** Samples of a 16-bit mono WAV with a plain header of 44 bytes. */
function recording(name: string): Float32Array {
  const bytes = readFileSync(join(AUDIO, `${name}.wav`)).subarray(44)
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(i * 2) / 32_768)
}

async function hear(name: string): Promise<string> {
  const events = await run(pool, 'stt.sherpa', { kind: 'stt', sample_rate: 16_000 }, frames(recording(name)))
  return textOf(events)
}

function textOf(events: readonly EngineEvent[]): string {
  const final = events.find((event) => event.type === 'final')
  return final?.type === 'final' ? final.text : ''
}

async function answer(sentence: string): Promise<string> {
  const events = await run(pool, 'llm.llama', {
    kind: 'llm',
    prompt: ` ${sentence}\n`,
    schema: answerSchema(grammar),
    max_tokens: 96,
    temperature: 0,
  })
  const tokens = events.flatMap((event) => (event.type === 'token' ? [event.text] : []))
  return tokens.length > 0 ? tokens.join('') : textOf(events)
}

describe('the files', () => {
  test('take at most 8 MB together', () => {
    const bytes = readdirSync(MODELS).reduce((sum, name) => sum + statSync(join(MODELS, name)).size, 0)
    expect(bytes).toBeLessThanOrEqual(8_000_000)
  })

  test('each have a card that says what they were made for, and a licence', () => {
    const starters = models.filter((model) => model.id.endsWith('-starter'))
    expect(starters.map((model) => model.kind)).toEqual(expect.arrayContaining(['stt', 'llm']))
    for (const model of starters) {
      expect(existsSync(join(MODELS, String(model.parameters.card)))).toBe(true)
      expect(model.covers).not.toBe('')
      expect(model.licence).not.toBe('unknown')
    }
  })

  test('cover every word of the intent grammar, at least 150 of them, and <unk>', () => {
    const words = readFileSync(join(MODELS, 'recogniser-starter.words.txt'), 'utf8')
    const known = new Set(words.split('\n').map((line) => line.split(' ')[0]))
    expect(known.size).toBeGreaterThan(150)
    expect(known).toContain('<unk>')
    expect(vocabularyOf(readGrammar(ROOT)).filter((word) => !known.has(word))).toEqual([])
  })
})

describe('the recogniser', () => {
  test.each([
    'set-a-timer-for-five-minutes',
    'what-time-is-it',
    'add-milk-to-the-shopping-list',
    'turn-on-the-kitchen-lights',
    'set-a-timer',
    'five-minutes',
  ])('hears %s from a voice it was not trained on', async (name) => {
    expect(await hear(name)).toBe(name.replaceAll('-', ' '))
  })

  test('makes no command of other talk', async () => {
    const reading = read(grammar, await hear('where-did-you-put-my-keys'))
    expect(reading.complete && reading.intent.name !== 'none').toBe(false)
  })

  test('hears nothing in silence', async () => {
    const silence = frames(new Float32Array(32_000))
    expect(textOf(await run(pool, 'stt.sherpa', { kind: 'stt', sample_rate: 16_000 }, silence))).toBe('')
  })
})

describe('the intent model', () => {
  test.each([
    ['i would like the kitchen lights on please', 'light.on'],
    ['could you put a timer on for ten minutes', 'timer.set'],
    ['who won the game last night', undefined],
  ])('reads %j as %s', async (sentence, intent) => {
    expect(interpretAnswer(grammar, await answer(sentence), sentence)?.name).toBe(intent)
  })
})
