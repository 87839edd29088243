/**
 * Streaming speech recognition by sherpa-onnx, and wake words, which are a graph of one word. Many runs share one recogniser and one
 * thread: a decode step takes a fraction of a millisecond, and long input is cut into turns so that nobody waits for a neighbour.
 *
 * The library ends its process on files it does not like, so tokens and metadata are checked before it sees them.
 */
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineInput, EngineRequest, EngineStream, ModelFiles } from '../engine.ts'
import { HEARD_EVERY_MS } from '../lag.ts'
import { measureRuns } from './measuring.ts'
import { soundSamples } from './samples.ts'
import { sherpaLibrary } from './sherpa-library.ts'
import { checkedSherpaFiles, recognizerConfig } from './sherpa-model.ts'

/** The part of the library's interface used here; it ships no types. */
interface Recognizer {
  createStream(): RecognizerStream
  isReady(stream: RecognizerStream): boolean
  decode(stream: RecognizerStream): void
  reset(stream: RecognizerStream): void
  /** `words` are output labels of the decoding graph; empty without one. */
  getResult(stream: RecognizerStream): { readonly text: string; readonly words?: readonly number[] }
}
interface RecognizerStream {
  acceptWaveform(wave: { samples: Float32Array; sampleRate: number }): void
}
interface Library {
  readonly OnlineRecognizer: new (config: object) => Recognizer
}

const SAMPLE_RATE = 16_000
const SAMPLES_PER_MS = SAMPLE_RATE / 1_000
const HEARD_EVERY_SAMPLES = HEARD_EVERY_MS * SAMPLES_PER_MS
/** Zeros after the last word until every model here has said it: 100 ms gave 78 % of the words, 400 ms all of them. */
const FLUSH_MS = 400
/** Decoding of one run before its neighbours and the pipe get a turn. */
const TURN_MS = 8
/** Unused recogniser streams kept for reuse (there is no way to free one): one per simultaneous run ever seen. */
const ADMITS = 256

export class SherpaEngine implements Engine {
  #kind: 'stt' | 'wake' = 'stt'
  readonly admits = ADMITS
  #recognizer: Recognizer | undefined
  #words: ReadonlyMap<number, string> | undefined
  #flush = new Float32Array((SAMPLE_RATE / 1_000) * FLUSH_MS)
  readonly #spare: RecognizerStream[] = []

  get kind(): 'stt' | 'wake' {
    return this.#kind
  }

  async load(model: ModelFiles): Promise<void> {
    this.#kind = model.kind === 'wake' ? 'wake' : 'stt'
    const files = checkedSherpaFiles(model)
    const library = sherpaLibrary<Library>()
    this.#recognizer = new library.OnlineRecognizer(recognizerConfig(files, model.parameters))
    this.#words = files.words
    const flush_ms = model.parameters.flush_ms
    if (typeof flush_ms === 'number') this.#flush = new Float32Array((SAMPLE_RATE / 1_000) * flush_ms)
    this.#warmUp()
  }

  open(
    request: EngineRequest,
    onEvent: (event: EngineEvent) => void,
    onHeard: (audio_ms: number) => void = () => undefined,
  ): EngineStream {
    if (request.kind !== this.#kind) {
      const does = this.#kind === 'wake' ? 'listens for its wake word' : 'recognises speech'
      throw new LoqaError('invalid-input', `This engine only ${does}`)
    }
    const recognizer = this.#loaded()
    const stream = this.#spare.pop() ?? recognizer.createStream()
    const hearing = { recognizer, stream, flush: this.#flush, words: this.#words }
    return new Recognition(hearing, { onEvent, onHeard }, () => this.#takeBack(stream))
  }

  measure() {
    const silence = new Float32Array(SAMPLE_RATE / 50)
    const inputs: EngineInput[] = Array.from({ length: 50 }, () => ({ type: 'audio', samples: silence }))
    return measureRuns(
      this,
      { request: { kind: this.#kind, sample_rate: SAMPLE_RATE }, inputs, from: 'finish' },
      8,
    )
  }

  async unload(): Promise<void> {
    this.#recognizer = undefined
    this.#spare.length = 0
  }

  #loaded(): Recognizer {
    if (this.#recognizer === undefined) throw new LoqaError('engine-unavailable', 'No model is loaded')
    return this.#recognizer
  }

  /** `reset` forgets the text and the state but not samples still waiting for a full window: those are pushed through first. */
  #takeBack(stream: RecognizerStream): void {
    const recognizer = this.#loaded()
    stream.acceptWaveform({ samples: this.#flush, sampleRate: SAMPLE_RATE })
    while (recognizer.isReady(stream)) recognizer.decode(stream)
    recognizer.reset(stream)
    this.#spare.push(stream)
  }

  /** The first inference allocates and optimises; nobody shall wait for it. */
  #warmUp(): void {
    const recognizer = this.#loaded()
    const stream = recognizer.createStream()
    stream.acceptWaveform({ samples: new Float32Array(SAMPLE_RATE), sampleRate: SAMPLE_RATE })
    while (recognizer.isReady(stream)) recognizer.decode(stream)
    recognizer.getResult(stream)
    recognizer.reset(stream)
    this.#spare.push(stream)
  }
}

/** What an utterance is recognised with. */
interface Hearing {
  readonly recognizer: Recognizer
  readonly stream: RecognizerStream
  readonly flush: Float32Array
  readonly words: ReadonlyMap<number, string> | undefined
}

/** Who is told. */
interface Listeners {
  readonly onEvent: (event: EngineEvent) => void
  readonly onHeard: (audio_ms: number) => void
}

/** One utterance: decodes as audio comes, says what changed and how far it is, flushes at the end. */
class Recognition implements EngineStream {
  readonly #recognizer: Recognizer
  readonly #stream: RecognizerStream
  readonly #flush: Float32Array
  readonly #words: ReadonlyMap<number, string> | undefined
  readonly #listeners: Listeners
  readonly #giveBack: () => void
  /** Pieces the library was not given yet: what it has is decoded first, so that it is known how far it is. */
  readonly #pending: Float32Array[] = []
  #phase: 'open' | 'finishing' | 'ended' = 'open'
  #waiting = false
  #text = ''
  #compute_ms = 0
  /** Given to the library, and of these those told to have been heard. */
  #samples = 0
  #told = 0
  #flushed = false

  constructor(hearing: Hearing, listeners: Listeners, giveBack: () => void) {
    this.#recognizer = hearing.recognizer
    this.#stream = hearing.stream
    this.#flush = hearing.flush
    this.#words = hearing.words
    this.#listeners = listeners
    this.#giveBack = giveBack
  }

  feed(input: EngineInput): void {
    if (this.#phase !== 'open' || input.type !== 'audio' || input.samples.length === 0) return
    this.#pending.push(input.samples)
    if (!this.#waiting) this.#decode()
  }

  finish(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'finishing'
    if (!this.#waiting) this.#decode()
  }

  cancel(): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.#pending.length = 0
    this.#giveBack()
  }

  #decode(): void {
    this.#waiting = false
    if (this.#phase === 'ended') return
    const start = performance.now()
    while (this.#step()) {
      if (performance.now() - start < TURN_MS) continue
      this.#waiting = true
      break
    }
    this.#compute_ms += performance.now() - start
    if (this.#waiting) setImmediate(() => this.#decode())
    else if (this.#phase === 'finishing') this.#end()
    else this.#sayPartial()
  }

  /** The next piece of work; false when there is none. */
  #step(): boolean {
    if (this.#recognizer.isReady(this.#stream)) {
      this.#recognizer.decode(this.#stream)
      return true
    }
    this.#sayHeard()
    const samples = this.#pending.shift()
    if (samples !== undefined) {
      this.#samples += samples.length
      this.#stream.acceptWaveform({ samples: soundSamples(samples), sampleRate: SAMPLE_RATE })
      return true
    }
    if (this.#phase !== 'finishing' || this.#flushed) return false
    this.#flushed = true
    this.#stream.acceptWaveform({ samples: this.#flush, sampleRate: SAMPLE_RATE })
    return true
  }

  #sayHeard(): void {
    if (this.#samples - this.#told < HEARD_EVERY_SAMPLES) return
    this.#told = this.#samples
    this.#listeners.onHeard(this.#samples / SAMPLES_PER_MS)
  }

  #sayPartial(): void {
    const text = this.#read()
    if (text === this.#text) return
    this.#text = text
    this.#listeners.onEvent({ type: 'partial', text })
  }

  #end(): void {
    this.#phase = 'ended'
    const audio_ms = this.#samples / SAMPLES_PER_MS
    this.#listeners.onEvent({ type: 'final', text: this.#read() })
    this.#listeners.onEvent({ type: 'done', usage: { compute_ms: this.#compute_ms, audio_ms } })
    this.#giveBack()
  }

  #read(): string {
    const { text, words = [] } = this.#recognizer.getResult(this.#stream)
    return this.#words === undefined ? text.trim().toLowerCase() : spelled(words, this.#words)
  }
}

/** Labels as words. Unknown words in a row are one: how many there were cannot be heard. */
export function spelled(labels: readonly number[], words: ReadonlyMap<number, string>): string {
  return labels
    .filter((label, i) => !(words.get(label) === '<unk>' && labels[i - 1] === label))
    .map((label) => words.get(label) ?? '')
    .join(' ')
}
