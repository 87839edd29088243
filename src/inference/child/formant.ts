/**
 * The embedded voice: espeak-ng's formant synthesizer compiled to WebAssembly; the only importer of that library. It needs no
 * weights, so a fresh machine can speak. Synthesis is synchronous and calls back every 100 ms of sound; one sentence is one
 * turn, and runs take turns. Before its code is optimised it is twenty times slower, hence the warm-up.
 */
import openLibrary from '@echogarden/espeak-ng-emscripten'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineInput, EngineRequest, EngineStream, ModelFiles } from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { measureRuns } from './measuring.ts'
import { cutSentences } from './sentences.ts'

const SAMPLE_RATE = 22_050
/** Words per minute at speed 1. */
const NATURAL_RATE = 175
const DEFAULT_VOICE = 'en-us'
/** About ten minutes of speech; nobody listens to more, and it bounds what one run may cost. */
const MAX_TEXT = 10_000
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
  /** Runs with a sentence to speak, in turn. */
  readonly #queue: Speech[] = []
  #turning = false
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
    if (request.kind !== 'tts') throw new LoqaError('invalid-input', 'This engine only speaks')
    if (this.#synthesizer === undefined) throw new LoqaError('engine-unavailable', 'No voice is loaded')
    const speech = new Speech(request, this.#defaultVoice, onEvent, () => this.#enqueue(speech))
    if (request.text !== undefined) {
      speech.feed({ type: 'text', text: request.text })
      speech.finish()
    }
    return speech
  }

  /** What a person will wait, so not before the voice is warm. */
  async measure() {
    await this.#warm
    const request = { kind: 'tts', text: 'The timer for five minutes is set.' } as const
    return measureRuns(this, { request, inputs: [], from: 'open' }, 8)
  }

  async unload(): Promise<void> {
    this.#synthesizer = undefined
    this.#queue.length = 0
  }

  #enqueue(speech: Speech): void {
    this.#queue.push(speech)
    if (this.#turning) return
    this.#turning = true
    // Not at once: `open` returns its stream before the first event.
    setImmediate(() => this.#turn())
  }

  /** One sentence of the run whose turn it is; then everyone else, the pipe included. */
  #turn(): void {
    const speech = this.#queue.shift()
    if (speech !== undefined && this.#synthesizer !== undefined) {
      if (speech.speakNext(this.#synthesizer)) this.#queue.push(speech)
    }
    this.#turning = this.#queue.length > 0
    if (this.#turning) setImmediate(() => this.#turn())
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
    if (!this.#turning) this.#warmUp()
    setTimeout(() => this.#warmUpWhenIdle(done), 1)
  }
}

/** One run: sentences waiting, and what was said of them. */
class Speech implements EngineStream {
  readonly #voice: string
  readonly #rate: number
  readonly #onEvent: (event: EngineEvent) => void
  readonly #ready: () => void
  readonly #sentences: string[] = []
  #rest = ''
  #length = 0
  #phase: 'open' | 'finishing' | 'ended' = 'open'
  #queued = false
  #samples = 0
  #compute_ms = 0

  constructor(
    request: Extract<EngineRequest, { kind: 'tts' }>,
    defaultVoice: string,
    onEvent: (event: EngineEvent) => void,
    ready: () => void,
  ) {
    this.#voice = request.voice || defaultVoice
    this.#rate = Math.round(NATURAL_RATE * Math.min(2, Math.max(0.5, request.speed ?? 1)))
    this.#onEvent = onEvent
    this.#ready = ready
  }

  feed(input: EngineInput): void {
    if (this.#phase !== 'open' || input.type !== 'text') return
    this.#length += input.text.length
    if (this.#length > MAX_TEXT) {
      this.#fail(`A text to speak has at most ${MAX_TEXT} characters`)
      return
    }
    const { sentences, rest } = cutSentences(this.#rest + speakable(input.text), false)
    this.#rest = rest
    this.#sentences.push(...sentences)
    if (sentences.length > 0) this.#queue()
  }

  finish(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'finishing'
    this.#sentences.push(...cutSentences(this.#rest, true).sentences)
    this.#queue()
  }

  cancel(): void {
    this.#phase = 'ended'
    this.#sentences.length = 0
  }

  /** Speaks one sentence. True when the run wants another turn. */
  speakNext(synthesizer: Synthesizer): boolean {
    this.#queued = false
    if (this.#phase === 'ended') return false
    const sentence = this.#sentences.shift()
    if (sentence !== undefined) this.#speak(synthesizer, sentence)
    if (this.#sentences.length > 0) {
      this.#queued = true
      return true
    }
    if (this.#phase === 'finishing') this.#end()
    return false
  }

  #speak(synthesizer: Synthesizer, sentence: string): void {
    const start = performance.now()
    if (!synthesizer.voice(this.#voice)) {
      this.#fail('The voice has no speaker of that name')
      return
    }
    synthesizer.rate(this.#rate)
    synthesizer.speak(sentence, (samples) => {
      this.#samples += samples.length
      this.#onEvent({ type: 'audio', samples, sample_rate: SAMPLE_RATE })
    })
    this.#compute_ms += performance.now() - start
  }

  #queue(): void {
    if (this.#queued) return
    this.#queued = true
    this.#ready()
  }

  #fail(message: string): void {
    this.#phase = 'ended'
    this.#sentences.length = 0
    this.#onEvent({ type: 'failed', error: invalidInput(message) })
  }

  #end(): void {
    this.#phase = 'ended'
    const audio_ms = this.#samples / (SAMPLE_RATE / 1_000)
    this.#onEvent({ type: 'done', usage: { compute_ms: this.#compute_ms, audio_ms } })
  }
}

/** Without control characters, and without the marks the synthesizer would take for commands or phonemes. */
const speakable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  text.toWellFormed().replace(/[\u0000-\u0009\u000b-\u001f\u007f\ufffd]|[<>[\]{}]/g, ' ')

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
