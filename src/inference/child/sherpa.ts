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
import { SoundRun } from './sound-run.ts'

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
class Recognition extends SoundRun {
  readonly #recognizer: Recognizer
  readonly #stream: RecognizerStream
  readonly #flush: Float32Array
  readonly #words: ReadonlyMap<number, string> | undefined
  readonly #listeners: Listeners
  #text = ''
  /** Given to the library, and of these those told to have been heard. */
  #samples = 0
  #told = 0
  #flushed = false

  constructor(hearing: Hearing, listeners: Listeners, giveBack: () => void) {
    super(giveBack)
    this.#recognizer = hearing.recognizer
    this.#stream = hearing.stream
    this.#flush = hearing.flush
    this.#words = hearing.words
    this.#listeners = listeners
  }

  protected override step(finishing: boolean): boolean {
    if (this.#recognizer.isReady(this.#stream)) {
      this.#recognizer.decode(this.#stream)
      return true
    }
    // What the library has is decoded before it is given more, so that it is known how far it is.
    this.#sayHeard()
    const samples = this.pending.shift()
    if (samples !== undefined) {
      this.#samples += samples.length
      this.#stream.acceptWaveform({ samples: soundSamples(samples), sampleRate: SAMPLE_RATE })
      return true
    }
    if (!finishing || this.#flushed) return false
    this.#flushed = true
    this.#stream.acceptWaveform({ samples: this.#flush, sampleRate: SAMPLE_RATE })
    return true
  }

  #sayHeard(): void {
    if (this.#samples - this.#told < HEARD_EVERY_SAMPLES) return
    this.#told = this.#samples
    this.#listeners.onHeard(this.#samples / SAMPLES_PER_MS)
  }

  protected override caughtUp(): void {
    const text = this.#read()
    if (text === this.#text) return
    this.#text = text
    this.#listeners.onEvent({ type: 'partial', text })
  }

  protected override ended(): void {
    const audio_ms = this.#samples / SAMPLES_PER_MS
    this.#listeners.onEvent({ type: 'final', text: this.#read() })
    this.#listeners.onEvent({ type: 'done', usage: { compute_ms: this.compute_ms, audio_ms } })
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
