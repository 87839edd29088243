/**
 * Neural voices by sherpa-onnx: Piper and other VITS, Kokoro, Matcha. The library gives a piece of text back as sound when all of it is
 * synthesized, so what is heard first is a clause, not a sentence. It computes in a thread of its own: the pipe is served meanwhile.
 */
import { availableParallelism } from 'node:os'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { measureVoice } from './measuring.ts'
import { spokenParts } from './samples.ts'
import { cutForQuickStart } from './sentences.ts'
import { sherpaLibrary } from './sherpa-library.ts'
import { checkedVoice } from './sherpa-voice.ts'
import { NO_SUCH_SPEAKER, type Piece, type Speak, VoiceTurns } from './speech.ts'

interface Sound {
  readonly samples: Float32Array
  readonly sampleRate: number
}
interface Voice {
  readonly numSpeakers: number
  generateAsync(wish: {
    readonly text: string
    readonly sid: number
    readonly speed: number
    readonly enableExternalBuffer: boolean
  }): Promise<Sound>
}
interface Library {
  readonly OfflineTts: { createAsync(config: object): Promise<Voice> }
}

const ADMITS = 64
/** What the library says when nothing in a text can be spoken: an emoji, a lone mark. */
const NOTHING_SPOKEN = /produced no audio/
const WARM_UP = 'The timer for five minutes is set.'

export class SherpaVoiceEngine implements Engine {
  readonly kind = 'tts'
  readonly admits = ADMITS
  readonly #turns = new VoiceTurns({
    engine: 'sherpa-tts',
    cut: cutForQuickStart,
    speak: (piece, onSamples) => this.#speak(piece, onSamples),
  })
  #voice: Voice | undefined
  #speakers: ReadonlyMap<string, number> = new Map()
  #speaker = 0

  async load(model: ModelFiles): Promise<void> {
    const checked = checkedVoice(model)
    const threads = Math.min(Number(model.parameters.threads ?? 1), availableParallelism())
    const config = { ...checked.model, numThreads: threads, provider: 'cpu', debug: 0 }
    const library = sherpaLibrary<Library>()
    this.#voice = await library.OfflineTts.createAsync({ model: config, maxNumSentences: 1 })
    this.#speakers = checked.speakers
    const { voice } = model.parameters
    if (voice !== undefined) this.#speaker = this.#speakerCalled(String(voice))
    // The first synthesis allocates and optimises; nobody shall wait for it.
    await this.#speak({ text: WARM_UP, voice: '', speed: 1 }, () => {})
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (this.#voice === undefined) throw new LoqaError('engine-unavailable', 'No voice is loaded')
    return this.#turns.open(request, onEvent)
  }

  measure(): Promise<Measurement> {
    return measureVoice(this, WARM_UP)
  }

  async unload(): Promise<void> {
    this.#voice = undefined
    this.#turns.clear()
  }

  async #speak({ text, voice, speed }: Piece, onSamples: Parameters<Speak>[1]): Promise<void> {
    const sid = voice === '' ? this.#speaker : this.#speakerCalled(voice)
    const sound = await this.#generate(text, sid, speed)
    if (sound === undefined) return
    const { sampleRate } = sound
    for (const part of spokenParts(text, sound.samples, sampleRate)) onSamples(part, sampleRate)
  }

  async #generate(text: string, sid: number, speed: number): Promise<Sound | undefined> {
    try {
      return await this.#voice?.generateAsync({ text, sid, speed, enableExternalBuffer: false })
    } catch (thrown) {
      if (NOTHING_SPOKEN.test(String(thrown))) return undefined
      throw thrown
    }
  }

  /** By name, or by number. Errors: `LoqaError` `invalid-input`. */
  #speakerCalled(voice: string): number {
    const named = this.#speakers.get(voice)
    const sid = named ?? (/^\d{1,5}$/.test(voice) ? Number(voice) : Number.NaN)
    if (sid < Math.max(1, this.#voice?.numSpeakers ?? 1)) return sid
    throw new LoqaError('invalid-input', NO_SUCH_SPEAKER)
  }
}
