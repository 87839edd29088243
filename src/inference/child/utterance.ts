/**
 * One utterance for recognisers that know no streaming: while audio comes the growing window is transcribed again and again, and
 * once more at the end. What such a recogniser cannot do is break off: a run that is dropped waits for the transcription in work.
 */
import type { EngineEvent, EngineInput, EngineStream } from '../engine.ts'
import { soundSamples } from './samples.ts'
import type { Turns, TurnTaken } from './turns.ts'

const SAMPLE_RATE = 16_000
const SAMPLES_PER_MS = SAMPLE_RATE / 1_000
/** A partial at most so often; each costs a whole transcription. */
const PARTIAL_EVERY_MS = 500
/** Shorter clips give no text at all. */
const SHORTEST_MS = 100

export interface Hearing {
  /** For messages. */
  readonly engine: string
  /** What the model hears at once. */
  readonly window_ms: number
}

/** What a recogniser of written language says, as the streaming ones say it: words in lower case with a space between. */
export const plainWords = (text: string): string => text.replace(/\s+/g, ' ').trim().toLowerCase()

/** One utterance: collects samples, asks for partials when it is its turn, ends with the text of all windows. */
export class Utterance implements EngineStream {
  readonly #turns: Turns
  readonly #transcribe: (samples: Int16Array) => Promise<string>
  readonly #window: number
  readonly #engine: string
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
    { engine, window_ms }: Hearing,
    onEvent: (event: EngineEvent) => void,
  ) {
    this.#turns = turns
    this.#transcribe = transcribe
    this.#window = window_ms * SAMPLES_PER_MS
    this.#engine = engine
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
      const message = `The engine ${this.#engine} could not transcribe this audio`
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
