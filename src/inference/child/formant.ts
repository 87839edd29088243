/**
 * The embedded voice: espeak-ng's formant synthesizer compiled to WebAssembly; the only importer of that library. It needs no
 * weights, so a fresh machine can speak. Synthesis is synchronous and calls back every 100 ms of sound; one sentence is one
 * turn, and runs take turns. Before its code is optimised it is twenty times slower, hence the warm-up.
 */
import openLibrary from '@echogarden/espeak-ng-emscripten'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, ModelFiles } from '../engine.ts'
import { measureRuns } from './measuring.ts'
import { NO_SUCH_SPEAKER, type Piece, VoiceTurns } from './speech.ts'

const SAMPLE_RATE = 22_050
/** Words per minute at speed 1. */
const NATURAL_RATE = 175
const DEFAULT_VOICE = 'en-us'
const ADMITS = 64

/** Together they pass every path of the synthesizer that everyday replies use. */
const WARM_UP = [
  'The timer for five minutes is set.',
  'Okay, the lights in the living room are on.',
  'It is a quarter past three on Thursday, the twenty first of August.',
  'Sorry, I did not understand. Would you say that again?',
  'I have added milk, butter and bread to the shopping list.',
]
/** Rounds over WARM_UP: from the third on a sentence takes 4 ms instead of 100. */
const WARM_UP_ROUNDS = 4
/** It takes a second of processor time, which the node's other engines need first: their loading is what people wait for. */
const WARM_UP_DELAY_MS = 3_000

export class FormantEngine implements Engine {
  readonly kind = 'tts'
  readonly admits = ADMITS
  #synthesizer: Awaited<ReturnType<typeof openSynthesizer>> | undefined
  readonly #turns = new VoiceTurns({
    engine: 'formant',
    speak: (piece, onSamples) => this.#speak(piece, onSamples),
  })
  #defaultVoice = DEFAULT_VOICE
  #warmUps = 0
  #warm: Promise<void> = Promise.resolve()

  async load(model: ModelFiles): Promise<void> {
    const { voice } = model.parameters
    if (typeof voice === 'string') this.#defaultVoice = voice
    this.#synthesizer = await openSynthesizer()
    this.#synthesizer.voice(this.#defaultVoice)
    this.#warmUp()
    this.#warm = new Promise((resolve) => {
      setTimeout(() => this.#warmUpWhenIdle(resolve), WARM_UP_DELAY_MS)
    })
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (this.#synthesizer === undefined) throw new LoqaError('engine-unavailable', 'No voice is loaded')
    return this.#turns.open(request, onEvent)
  }

  /** What a person will wait, so not before the voice is warm. */
  async measure() {
    await this.#warm
    const request = { kind: 'tts', text: 'The timer for five minutes is set.' } as const
    return measureRuns(this, { request, inputs: [], from: 'open' }, 8)
  }

  async unload(): Promise<void> {
    this.#synthesizer = undefined
    this.#turns.clear()
  }

  #speak({ text, voice, speed }: Piece, onSamples: (samples: Int16Array, sample_rate: number) => void): void {
    const synthesizer = this.#synthesizer
    if (synthesizer === undefined) return
    if (!synthesizer.voice(voice || this.#defaultVoice)) throw new LoqaError('invalid-input', NO_SUCH_SPEAKER)
    synthesizer.rate(Math.round(NATURAL_RATE * speed))
    synthesizer.speak(text, (samples) => onSamples(samples, SAMPLE_RATE))
  }

  #warmUp(): void {
    const text = WARM_UP[this.#warmUps % WARM_UP.length]!
    this.#warmUps += 1
    this.#synthesizer?.speak(text, () => {})
  }

  /** The rest of the warm-up is done between the first runs. */
  #warmUpWhenIdle(done: () => void): void {
    if (this.#synthesizer === undefined || this.#warmUps >= WARM_UP.length * WARM_UP_ROUNDS) {
      done()
      return
    }
    if (this.#turns.idle) this.#warmUp()
    setTimeout(() => this.#warmUpWhenIdle(done), 1)
  }
}

interface Synthesizer {
  /** False when there is no such voice. */
  voice(name: string): boolean
  /** Words per minute. */
  rate(words: number): void
  /** Calls back with 100 ms pieces of s16 mono at 22,050 Hz, from within. */
  speak(text: string, onSamples: (samples: Int16Array) => void): void
}

/** The library ships no types. */
interface Library {
  readonly eSpeakNGWorker: new () => {
    set_voice(name: string): number
    set_rate(words: number): void
    synthesize(text: string, onPiece: (samples: Int16Array, events: readonly unknown[]) => boolean): void
  }
  /** Its whole memory. */
  readonly HEAPU8: Uint8Array
}

/**
 * The library goes on wherever it was: its noise, its flutter and with them the length of a sentence depend on all it said before. A reply
 * that another node goes on with has to be the same there to the sample, so every sentence begins with the same memory.
 */
async function openSynthesizer(): Promise<Synthesizer> {
  const library = (await openLibrary()) as Library
  const worker = new library.eSpeakNGWorker()
  const fresh = usedOf(library.HEAPU8)
  let ready = fresh
  let current = { voice: '', rate: NATURAL_RATE }
  return {
    voice(name) {
      if (name === current.voice) return true
      if (!/^[A-Za-z0-9_+-]{1,64}$/.test(name)) return false
      library.HEAPU8.set(fresh)
      if (worker.set_voice(name) !== 0) {
        library.HEAPU8.set(ready)
        return false
      }
      // Choosing a voice sets its own rate again.
      current = { voice: name, rate: 0 }
      ready = usedOf(library.HEAPU8)
      return true
    },
    rate(words) {
      if (words === current.rate) return
      library.HEAPU8.set(ready)
      worker.set_rate(words)
      current = { ...current, rate: words }
      ready = usedOf(library.HEAPU8)
    },
    speak(text, onSamples) {
      library.HEAPU8.set(ready)
      worker.synthesize(text, (samples) => {
        if (samples.length > 0) onSamples(samples)
        // True would stop the synthesis.
        return false
      })
    },
  }
}

/** A copy of memory up to its last byte in use: a megabyte of seventeen. */
function usedOf(memory: Uint8Array): Uint8Array {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, Math.floor(memory.length / 8))
  let end = words.length
  while (end > 0 && words[end - 1] === 0n) end -= 1
  return memory.slice(0, end * 8)
}
