/**
 * Whose voice it is, as a vector, by sherpa-onnx (models of WeSpeaker, 3D-Speaker, NeMo). Two vectors of one person point the same
 * way; what is done with them is not this engine's business.
 */
import { LoqaError } from '../../host/errors.ts'
import type {
  Engine,
  EngineEvent,
  EngineInput,
  EngineRequest,
  EngineStream,
  Measurement,
  ModelFiles,
} from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { measureRuns } from './measuring.ts'
import { describedIn, pathOf } from './model-files.ts'
import { soundSamples } from './samples.ts'
import { sherpaLibrary } from './sherpa-library.ts'

interface Extractor {
  createStream(): ExtractorStream
  isReady(stream: ExtractorStream): boolean
  compute(stream: ExtractorStream, enableExternalBuffer: boolean): Float32Array
}
interface ExtractorStream {
  acceptWaveform(wave: { samples: Float32Array; sampleRate: number }): void
  inputFinished(): void
}
interface Library {
  readonly SpeakerEmbeddingExtractor: new (config: object) => Extractor
}

const SAMPLE_RATE = 16_000
const ADMITS = 64
/** Of less nobody could tell a person. */
const SHORTEST_MS = 200
/** More makes the vector no better, and bounds what one run may cost. */
const LONGEST_MS = 30_000

export class SherpaSpeakerEngine implements Engine {
  readonly kind = 'embedding'
  readonly admits = ADMITS
  #extractor: Extractor | undefined

  async load(model: ModelFiles): Promise<void> {
    describedIn(model, 'model', ['framework', 'output_dim', 'sample_rate'])
    const library = sherpaLibrary<Library>()
    const numThreads = Number(model.parameters.threads ?? 1)
    this.#extractor = new library.SpeakerEmbeddingExtractor({
      model: pathOf(model, 'model'),
      numThreads,
      debug: 0,
    })
    this.#vectorOf([new Float32Array(SAMPLE_RATE)])
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'speaker')
      throw new LoqaError('invalid-input', 'This engine only tells whose voice it is')
    return new Heard((heard) => this.#vectorOf(heard), onEvent)
  }

  measure(): Promise<Measurement> {
    const samples = Float32Array.from({ length: 2 * SAMPLE_RATE }, (_, i) => 0.3 * Math.sin(i / 8))
    const request = { kind: 'speaker', sample_rate: SAMPLE_RATE } as const
    return measureRuns(this, { request, inputs: [{ type: 'audio', samples }], from: 'finish' }, 3)
  }

  async unload(): Promise<void> {
    this.#extractor = undefined
  }

  #vectorOf(heard: readonly Float32Array[]): Float32Array | undefined {
    const extractor = this.#extractor
    if (extractor === undefined) return undefined
    const stream = extractor.createStream()
    for (const samples of heard) stream.acceptWaveform({ samples, sampleRate: SAMPLE_RATE })
    stream.inputFinished()
    return extractor.isReady(stream) ? extractor.compute(stream, false) : undefined
  }
}

/** What was heard of one person. */
class Heard implements EngineStream {
  readonly #vectorOf: (heard: readonly Float32Array[]) => Float32Array | undefined
  readonly #onEvent: (event: EngineEvent) => void
  readonly #heard: Float32Array[] = []
  #samples = 0
  #ended = false

  constructor(
    vectorOf: (heard: readonly Float32Array[]) => Float32Array | undefined,
    onEvent: (event: EngineEvent) => void,
  ) {
    this.#vectorOf = vectorOf
    this.#onEvent = onEvent
  }

  feed(input: EngineInput): void {
    const most = (SAMPLE_RATE / 1_000) * LONGEST_MS
    if (this.#ended || input.type !== 'audio' || this.#samples >= most) return
    const samples = soundSamples(input.samples).slice(0, most - this.#samples)
    this.#heard.push(samples)
    this.#samples += samples.length
  }

  finish(): void {
    if (this.#ended) return
    this.#ended = true
    const audio_ms = this.#samples / (SAMPLE_RATE / 1_000)
    const start = performance.now()
    const vector = audio_ms < SHORTEST_MS ? undefined : this.#vectorOf(this.#heard)
    if (vector === undefined) {
      const error = invalidInput(`Less than ${SHORTEST_MS} ms of speech do not tell whose it is`)
      this.#onEvent({ type: 'failed', error })
      return
    }
    this.#onEvent({ type: 'embedding', vector: ofUnitLength(vector) })
    this.#onEvent({ type: 'done', usage: { compute_ms: performance.now() - start, audio_ms } })
  }

  cancel(): void {
    this.#ended = true
    this.#heard.length = 0
  }
}

/** What is no number is 0. */
function ofUnitLength(vector: Float32Array): Float32Array {
  const numbers = vector.map((value) => (Number.isFinite(value) ? value : 0))
  const length = Math.hypot(...numbers) || 1
  return numbers.map((value) => value / length)
}
