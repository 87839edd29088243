/**
 * Speech recognition by whisper.cpp; the only importer of @fugood/whisper.node. It knows no streaming: while audio comes the
 * growing window is transcribed again and again, and once more at the end. One transcription at a time, the next ones wait.
 *
 * A transcription cannot be interrupted (`stop()` neither ends it nor settles its promise), so a cancelled run lets go only when
 * the current one is through; when that is too late for the node, it ends this process.
 */
import { initWhisper, toggleNativeLog, type WhisperContext } from '@fugood/whisper.node'
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
import { measureRuns } from './measuring.ts'
import { soundSamples } from './samples.ts'
import { Turns, type TurnTaken } from './turns.ts'

const SAMPLE_RATE = 16_000
const SAMPLES_PER_MS = SAMPLE_RATE / 1_000
/** More than one queued job has been seen to block the event loop for seconds; those that wait do so in `Turns`. */
const ADMITS = 4
/** A partial at most so often; each costs a whole transcription. */
const PARTIAL_EVERY_MS = 500
/** Shorter clips give no text at all. */
const SHORTEST_MS = 100
/** What the model hears at once when its manifest does not say. */
const DEFAULT_WINDOW_MS = 30_000

export class WhisperEngine implements Engine {
  readonly kind = 'stt'
  readonly admits = ADMITS
  readonly #turns = new Turns()
  #context: WhisperContext | undefined
  #window_ms = DEFAULT_WINDOW_MS
  #language = 'en'
  #threads = 1

  async load(model: ModelFiles): Promise<void> {
    const filePath = model.paths.model
    if (filePath === undefined)
      throw new LoqaError('model-invalid', `The model ${model.id} has no model file`)
    const { window_ms, language, threads } = model.parameters
    if (typeof window_ms === 'number') this.#window_ms = window_ms
    if (typeof language === 'string') this.#language = language
    if (typeof threads === 'number') this.#threads = threads
    await toggleNativeLog(false)
    this.#context = await initWhisper({ filePath, useGpu: false, useFlashAttn: false }, 'default')
    await this.#transcribe(new Int16Array(SAMPLE_RATE))
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'stt') throw new LoqaError('invalid-input', 'This engine only recognises speech')
    return new Utterance(this.#turns, (samples) => this.#transcribe(samples), this.#window_ms, onEvent)
  }

  measure(): Promise<Measurement> {
    const inputs: EngineInput[] = [{ type: 'audio', samples: new Float32Array(2 * SAMPLE_RATE) }]
    return measureRuns(
      this,
      { request: { kind: 'stt', sample_rate: SAMPLE_RATE }, inputs, from: 'finish' },
      3,
    )
  }

  async unload(): Promise<void> {
    await this.#context?.release()
    this.#context = undefined
  }

  async #transcribe(samples: Int16Array): Promise<string> {
    if (this.#context === undefined) return ''
    const { promise } = this.#context.transcribeData(samples.buffer as ArrayBuffer, {
      language: this.#language,
      maxThreads: this.#threads,
      temperature: 0,
      // Repeating a failed transcription at higher temperatures multiplies the time and invents text.
      temperatureInc: 0,
    })
    return (await promise).result.replace(/\s+/g, ' ').trim().toLowerCase()
  }
}

/** One utterance: collects samples, asks for partials when it is its turn, ends with the text of all windows. */
class Utterance implements EngineStream {
  readonly #turns: Turns
  readonly #transcribe: (samples: Int16Array) => Promise<string>
  readonly #window: number
  readonly #onEvent: (event: EngineEvent) => void
  #phase: 'open' | 'finishing' | 'ended' = 'open'
  #samples = new Int16Array(0)
  #length = 0
  #asked = 0
  #partial: TurnTaken | undefined
  #final: TurnTaken | undefined
  #partialWaits = false
  #text = ''
  #compute_ms = 0

  constructor(
    turns: Turns,
    transcribe: (samples: Int16Array) => Promise<string>,
    window_ms: number,
    onEvent: (event: EngineEvent) => void,
  ) {
    this.#turns = turns
    this.#transcribe = transcribe
    this.#window = window_ms * SAMPLES_PER_MS
    this.#onEvent = onEvent
  }

  feed(input: EngineInput): void {
    if (this.#phase !== 'open' || input.type !== 'audio') return
    this.#append(soundSamples(input.samples))
    const news = this.#length - this.#asked
    if (this.#partialWaits || news < PARTIAL_EVERY_MS * SAMPLES_PER_MS) return
    this.#asked = this.#length
    this.#partialWaits = true
    this.#partial = this.#turns.take(() => this.#sayPartial())
  }

  finish(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'finishing'
    this.#final = this.#turns.take(() => this.#sayFinal())
  }

  async cancel(): Promise<void> {
    this.#phase = 'ended'
    await this.#final?.drop()
    await this.#partial?.drop()
  }

  async #sayPartial(): Promise<void> {
    this.#partialWaits = false
    // Not for an utterance that is over already: its final comes next.
    if (this.#phase !== 'open') return
    const text = await this.#timed(this.#lastWindow())
    if (this.#phase !== 'open' || text === undefined || text === this.#text) return
    this.#text = text
    this.#onEvent({ type: 'partial', text })
  }

  async #sayFinal(): Promise<void> {
    const texts: string[] = []
    for (let start = 0; start < this.#length; start += this.#window) {
      if (this.#phase === 'ended') return
      const text = await this.#timed(this.#samples.slice(start, Math.min(start + this.#window, this.#length)))
      if (text === undefined) return
      texts.push(text)
    }
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    const usage = { compute_ms: this.#compute_ms, audio_ms: this.#length / SAMPLES_PER_MS }
    this.#onEvent({ type: 'final', text: texts.join(' ').trim() })
    this.#onEvent({ type: 'done', usage })
  }

  /** The text of these samples; undefined when the engine failed, and then the run has. */
  async #timed(samples: Int16Array): Promise<string | undefined> {
    if (samples.length < SHORTEST_MS * SAMPLES_PER_MS) return ''
    const start = performance.now()
    try {
      return await this.#transcribe(samples)
    } catch (thrown) {
      console.error(thrown)
      if (this.#phase === 'ended') return undefined
      this.#phase = 'ended'
      const message = 'The engine whisper could not transcribe this audio'
      this.#onEvent({ type: 'failed', error: { code: 'engine-crashed', message, retryable: true } })
      return undefined
    } finally {
      this.#compute_ms += performance.now() - start
    }
  }

  #lastWindow(): Int16Array {
    return this.#samples.slice(Math.max(0, this.#length - this.#window), this.#length)
  }

  #append(samples: Float32Array): void {
    if (this.#length + samples.length > this.#samples.length) {
      const grown = new Int16Array(
        Math.max(2 * this.#samples.length, this.#length + samples.length, SAMPLE_RATE),
      )
      grown.set(this.#samples.subarray(0, this.#length))
      this.#samples = grown
    }
    for (let i = 0; i < samples.length; i += 1) {
      this.#samples[this.#length + i] = Math.round(samples[i]! * 32_767)
    }
    this.#length += samples.length
  }
}
