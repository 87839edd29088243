/**
 * Speech recognition by whisper.cpp; the only importer of @fugood/whisper.node. It knows no streaming: while audio comes the
 * growing window is transcribed again and again, and once more at the end. One transcription at a time, the next ones wait.
 *
 * A transcription cannot be interrupted (`stop()` neither ends it nor settles its promise), so a cancelled run lets go only when
 * the current one is through; when that is too late for the node, it ends this process.
 */
import { initWhisper, toggleNativeLog, type WhisperContext } from '@fugood/whisper.node'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { measureSentences } from './measuring.ts'
import { Turns } from './turns.ts'
import { plainWords, Utterance } from './utterance.ts'

const SAMPLE_RATE = 16_000
/** More than one queued job has been seen to block the event loop for seconds; those that wait do so in `Turns`. */
const ADMITS = 4
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
    const hearing = { engine: 'whisper', window_ms: this.#window_ms }
    return new Utterance(this.#turns, (samples) => this.#transcribe(samples), hearing, onEvent)
  }

  measure(): Promise<Measurement> {
    return measureSentences(this)
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
    return plainWords((await promise).result)
  }
}
