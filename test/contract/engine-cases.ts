/** Every engine there is, one row each: what keeps the contract (`contract/engine`) and survives its process (`process/engine-adapters`). */
import { LOW_HIGH_LOW } from '../inference/engines.ts'
import type { EngineCase } from './engine-contract.ts'

const STT = { kind: 'stt', sample_rate: 16_000 } as const
const VAD = { kind: 'vad', sample_rate: 16_000 } as const
const SPEAKER = { kind: 'speaker', sample_rate: 16_000 } as const

const hears = {
  request: STT,
  inputs: LOW_HIGH_LOW,
  says: 'final',
  empty: { request: STT, ends: 'done' },
} as const

const SENTENCES = 'The timer for five minutes is set. Anything else?'
const speaks = {
  request: { kind: 'tts', text: SENTENCES },
  inputs: [],
  says: 'audio',
  empty: { request: { kind: 'tts', text: '' }, ends: 'done' },
  lasts: [{ kind: 'tts', text: 'It rains until the evening, and then the sun comes out. '.repeat(170) }],
} as const

export const ENGINES: readonly EngineCase[] = [
  { model: 'low-high', to: 'stt.sherpa', weights: 'recogniser.onnx', ...hears },
  { model: 'random-whisper', to: 'stt.whisper', weights: 'whisper.bin.gz', few: 8, ...hears },
  { model: 'low-high-offline', to: 'stt.sherpa-offline', weights: 'offline.onnx', ...hears },
  {
    model: 'mean-voice',
    to: 'embedding.sherpa-speaker',
    weights: 'speaker.onnx',
    request: SPEAKER,
    inputs: LOW_HIGH_LOW,
    says: 'embedding',
    empty: { request: SPEAKER, ends: 'invalid-input' },
  },
  {
    model: 'loud-low',
    to: 'vad.sherpa-vad',
    weights: 'activity.onnx',
    request: VAD,
    inputs: LOW_HIGH_LOW,
    says: 'activity',
    empty: { request: VAD, ends: 'done' },
  },
  {
    model: 'random-language',
    to: 'llm.llama',
    weights: 'language.gguf',
    request: { kind: 'llm', prompt: ' good morning\n', schema: { enum: ['yes', 'no'] }, max_tokens: 64 },
    inputs: [],
    says: 'token',
    empty: { request: { kind: 'llm', prompt: '', max_tokens: 8 }, ends: 'invalid-input' },
    // One after the other.
    lasts: Array.from({ length: 8 }, () => ({ kind: 'llm', prompt: ' good morning\n', max_tokens: 480 })),
  },
  { model: 'formant-en', to: 'tts.formant', ...speaks },
  { model: 'beeping-piper', to: 'tts.sherpa-tts', weights: 'piper.onnx', ...speaks },
  { model: 'beeping-kokoro-js', to: 'tts.kokoro', weights: 'kokoro.onnx', few: 12, ...speaks },
]
