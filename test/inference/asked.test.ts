/** What another node asks of an engine is judged before the engine sees it. */
import { describe, expect, test } from 'vitest'
import {
  type EngineEvent,
  type EngineInput,
  type EngineRequest,
  isEngineEvent,
  isEngineWork,
} from '../../src/inference/index.ts'

const open = (body: unknown) => isEngineWork({ op: 'open', body })
const feed = (body: unknown) => isEngineWork({ op: 'feed', body })

test.each<EngineRequest>([
  { kind: 'stt', sample_rate: 16_000 },
  { kind: 'llm', prompt: 'p', max_tokens: 96, temperature: 0, schema: { type: 'object' } },
  { kind: 'llm', prompt: '', max_tokens: 1 },
  { kind: 'tts' },
  { kind: 'tts', text: 'hello', voice: 'en', speed: 1.2 },
  { kind: 'chat', messages: [{ role: 'user', content: 'hello' }] },
  {
    kind: 'chat',
    messages: [{ role: 'system', content: '' }],
    temperature: 1,
    seed: 7,
    stop: ['.'],
    top_p: 1,
  },
  { kind: 'embedding', text: 'hello' },
])('a request as this node makes them is taken: %j', (request) => {
  expect(open(request)).toBe(true)
})

test.each<EngineInput>([
  { type: 'audio', samples: new Float32Array(320) },
  { type: 'audio', samples: Float32Array.of(-1, 0, 1) },
  { type: 'text', text: 'hello' },
])('and so is what is fed', (input) => {
  expect(feed(input)).toBe(true)
})

describe('refused', () => {
  test.each([
    ['another kind', { kind: 'vision' }],
    ['a conversation of nothing', { kind: 'chat', messages: [] }],
    ['one with another role', { kind: 'chat', messages: [{ role: 'tool', content: '' }] }],
    [
      'one that is too long together',
      { kind: 'chat', messages: Array(4).fill({ role: 'user', content: 'a'.repeat(16_000) }) },
    ],
    ['a text to embed that is too long', { kind: 'embedding', text: 'a'.repeat(20_000) }],
    ['another rate', { kind: 'stt', sample_rate: 8_000 }],
    ['a voice at another rate', { kind: 'speaker', sample_rate: 8_000 }],
    ['what it does not know', { kind: 'stt', sample_rate: 16_000, path: '/etc/passwd' }],
    ['a text that is too long', { kind: 'tts', text: 'a'.repeat(20_000) }],
    ['tokens without end', { kind: 'llm', prompt: 'p', max_tokens: 1e9 }],
    [
      'a schema without end',
      { kind: 'llm', prompt: 'p', max_tokens: 1, schema: { enum: ['a'.repeat(70_000)] } },
    ],
    ['a speed of nothing', { kind: 'tts', text: 'a', speed: Number.NaN }],
    ['nothing', null],
  ])('%s', (_, request) => {
    expect(open(request)).toBe(false)
  })
  test.each([
    ['no number', { type: 'audio', samples: Float32Array.of(0, Number.NaN) }],
    ['too loud', { type: 'audio', samples: Float32Array.of(1.5) }],
    ['infinite', { type: 'audio', samples: Float32Array.of(Number.POSITIVE_INFINITY) }],
    ['more than a second', { type: 'audio', samples: new Float32Array(16_001) }],
    ['bytes in place of samples', { type: 'audio', samples: new Uint8Array(320) }],
    ['nothing', undefined],
  ])('samples that are %s', (_, input) => {
    expect(feed(input)).toBe(false)
  })
  test('an operation engines do not know', () => {
    expect(isEngineWork({ op: 'unload', body: null })).toBe(false)
  })
})

describe('what another engine says', () => {
  test.each<EngineEvent>([
    { type: 'partial', text: 'set' },
    { type: 'final', text: 'set a timer', confidence: 0.9 },
    { type: 'token', text: '{' },
    { type: 'audio', samples: new Int16Array(1_000), sample_rate: 22_050 },
    { type: 'done', usage: { compute_ms: 1.5, audio_ms: 20 } },
  ])('is taken as this node would say it: %j', (event) => {
    expect(isEngineEvent(event)).toBe(true)
  })
  test.each([
    null,
    { type: 'partial' },
    { type: 'audio', samples: new Float32Array(1), sample_rate: 16_000 },
    { type: 'audio', samples: new Int16Array(140_000), sample_rate: 16_000 },
    { type: 'audio', samples: new Int16Array(1), sample_rate: 1 },
    { type: 'done' },
    { type: 'failed', error: 'boom' },
    { type: 'final', text: 'a'.repeat(20_000) },
  ])('is refused otherwise: %#', (event) => {
    expect(isEngineEvent(event)).toBe(false)
  })
})
