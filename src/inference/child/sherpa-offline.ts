/**
 * Speech recognition of whole sentences by sherpa-onnx: Whisper, SenseVoice, Moonshine, and the offline kinds of Zipformer, NeMo and
 * Paraformer; which one it is, its manifest says. It transcribes in a thread of the library: the pipe is served meanwhile.
 */
import { availableParallelism } from 'node:os'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { measureSentences } from './measuring.ts'
import { describedIn, invalid, pathOf } from './model-files.ts'
import { sherpaLibrary } from './sherpa-library.ts'
import { readSymbols } from './sherpa-model.ts'
import { Turns } from './turns.ts'
import { plainWords, Utterance } from './utterance.ts'

interface OfflineStream {
  acceptWaveform(wave: { samples: Float32Array; sampleRate: number }): void
}
interface Recognizer {
  createStream(): OfflineStream
  decodeAsync(stream: OfflineStream): Promise<{ readonly text: string }>
}
interface Library {
  readonly OfflineRecognizer: { createAsync(config: object): Promise<Recognizer> }
}

const SAMPLE_RATE = 16_000
/** One transcribes, the others wait. */
const ADMITS = 4
/** What Whisper hears at once; the others are given no more, so that a partial does not take ever longer. */
const DEFAULT_WINDOW_MS = 30_000

interface Layout {
  /** ONNX files by role; the first carries the metadata. */
  readonly roles: readonly string[]
  /** Without these the library ends its process. */
  readonly metadata: readonly string[]
  config(path: (role: string) => string, language: string): object
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  whisper: {
    roles: ['encoder', 'decoder'],
    metadata: ['n_text_layer', 'n_text_ctx', 'n_text_state', 'sot_sequence'],
    config: (path, language) => ({
      whisper: { encoder: path('encoder'), decoder: path('decoder'), language, task: 'transcribe' },
    }),
  },
  'sense-voice': {
    roles: ['model'],
    metadata: ['vocab_size', 'lfr_window_size', 'lfr_window_shift'],
    config: (path, language) => ({ senseVoice: { model: path('model'), language } }),
  },
  moonshine: {
    roles: ['preprocessor', 'encoder', 'uncached_decoder', 'cached_decoder'],
    metadata: [],
    config: (path) => ({
      moonshine: {
        preprocessor: path('preprocessor'),
        encoder: path('encoder'),
        uncachedDecoder: path('uncached_decoder'),
        cachedDecoder: path('cached_decoder'),
      },
    }),
  },
  transducer: {
    roles: ['encoder', 'decoder', 'joiner'],
    metadata: [],
    config: (path) => ({
      transducer: { encoder: path('encoder'), decoder: path('decoder'), joiner: path('joiner') },
    }),
  },
  'zipformer-ctc': {
    roles: ['model'],
    metadata: [],
    config: (path) => ({ zipformerCtc: { model: path('model') } }),
  },
  'nemo-ctc': {
    roles: ['model'],
    metadata: ['vocab_size', 'subsampling_factor', 'normalize_type'],
    config: (path) => ({ nemoCtc: { model: path('model') } }),
  },
  paraformer: {
    roles: ['model'],
    metadata: ['vocab_size', 'lfr_window_size', 'lfr_window_shift'],
    config: (path) => ({ paraformer: { model: path('model') } }),
  },
}

/** Errors: `LoqaError` `model-invalid` that names what is missing. */
export function offlineConfig(model: ModelFiles): object {
  const { layout, language = '' } = model.parameters
  const known = LAYOUTS[String(layout)]
  if (known === undefined || !Object.hasOwn(LAYOUTS, String(layout)))
    throw invalid(model, `its layout is none of ${Object.keys(LAYOUTS).join(', ')}`)
  const path = (role: string): string => pathOf(model, role)
  for (const [i, role] of known.roles.entries()) describedIn(model, role, i === 0 ? known.metadata : [])
  readSymbols(model, path('tokens'), 'tokens')
  return { ...known.config(path, String(language)), tokens: path('tokens') }
}

export class SherpaOfflineEngine implements Engine {
  readonly kind = 'stt'
  readonly admits = ADMITS
  readonly #turns = new Turns()
  #recognizer: Recognizer | undefined
  #window_ms = DEFAULT_WINDOW_MS

  async load(model: ModelFiles): Promise<void> {
    const modelConfig = offlineConfig(model)
    const { window_ms, feature_dim, threads } = model.parameters
    if (typeof window_ms === 'number') this.#window_ms = window_ms
    const library = sherpaLibrary<Library>()
    this.#recognizer = await library.OfflineRecognizer.createAsync({
      featConfig: { sampleRate: SAMPLE_RATE, featureDim: Number(feature_dim ?? 80) },
      modelConfig: {
        ...modelConfig,
        numThreads: Math.min(Number(threads ?? 1), availableParallelism()),
        provider: 'cpu',
        debug: 0,
      },
      decodingMethod: 'greedy_search',
    })
    await this.#transcribe(new Int16Array(SAMPLE_RATE))
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'stt') throw new LoqaError('invalid-input', 'This engine only recognises speech')
    const hearing = { engine: 'sherpa-offline', window_ms: this.#window_ms }
    return new Utterance(this.#turns, (samples) => this.#transcribe(samples), hearing, onEvent)
  }

  measure(): Promise<Measurement> {
    return measureSentences(this)
  }

  async unload(): Promise<void> {
    this.#recognizer = undefined
  }

  async #transcribe(samples: Int16Array): Promise<string> {
    if (this.#recognizer === undefined) return ''
    const stream = this.#recognizer.createStream()
    const floats = Float32Array.from(samples, (sample) => sample / 32_768)
    stream.acceptWaveform({ samples: floats, sampleRate: SAMPLE_RATE })
    const { text } = await this.#recognizer.decodeAsync(stream)
    return plainWords(text)
  }
}
