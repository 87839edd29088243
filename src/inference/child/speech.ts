/**
 * One run of any voice: text comes as it is written, is cut into pieces, and each piece is spoken when it is this run's turn. Runs
 * take turns by the piece, so that a long text delays its neighbours by one piece at most, and the pipe is served between two.
 *
 * Promises: S1 sound comes in the order of the text; S2 exactly one `done` or `failed` is last; S3 after `cancel` there is nothing,
 * and the next run waits for the end of the piece in work at most, which no library here can break off; S4 at most one piece is
 * spoken at any time, of all runs; S5 a piece that does not come to its end ends the process, and the node starts another.
 */
import { LoqaError } from '../../host/errors.ts'
import type { EngineEvent, EngineInput, EngineRequest, EngineStream } from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { aheadAfter, type Cut, cutSentences } from './sentences.ts'

type TtsRequest = Extract<EngineRequest, { kind: 'tts' }>

/** About ten minutes of speech; nobody listens to more, and it bounds what one run may cost. */
const MAX_TEXT = 10_000
/** Ten times what the longest piece takes a machine that keeps up with speech. */
const STUCK_MS = 60_000
const SPEEDS = { min: 0.5, max: 2 }

export const NO_SUCH_SPEAKER = 'The voice has no speaker of that name'

export interface Piece {
  readonly text: string
  /** Empty: the voice's own. */
  readonly voice: string
  /** 0.5 … 2; 1 is natural. */
  readonly speed: number
}

export type Speak = (
  piece: Piece,
  onSamples: (samples: Int16Array, sample_rate: number) => void,
) => Promise<void> | void

export interface VoiceTurnsOptions {
  /** Speaks one piece. Errors: `LoqaError` for what the caller did wrong; anything else is the engine's fault. */
  readonly speak: Speak
  /** For messages. */
  readonly engine: string
  /** Called when a piece is stuck; ends the process when absent. */
  readonly stuck?: () => void
  /** How a text becomes pieces; by sentences when absent. */
  readonly cut?: (text: string, complete: boolean, ahead: number) => Cut
}

/** Without control characters, and without the marks that espeak-ng, under most voices, takes for commands or phonemes. */
export const speakable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  text.toWellFormed().replace(/[\u0000-\u0009\u000b-\u001f\u007f\ufffd]|[<>[\]{}]/g, ' ')

const endProcess = (): void => {
  console.error('A piece of text was not spoken within a minute')
  process.kill(process.pid, 'SIGKILL')
}

/** The runs of one voice. */
export class VoiceTurns {
  readonly #options: VoiceTurnsOptions
  readonly #queue: Speech[] = []
  #turning = false

  constructor(options: VoiceTurnsOptions) {
    this.#options = options
  }

  get idle(): boolean {
    return !this.#turning
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'tts') throw new LoqaError('invalid-input', 'This engine only speaks')
    const speech = new Speech(this.#options, request, onEvent, () => this.#enqueue(speech))
    if (request.text !== undefined) {
      speech.feed({ type: 'text', text: request.text })
      speech.finish()
    }
    return speech
  }

  clear(): void {
    this.#queue.length = 0
  }

  #enqueue(speech: Speech): void {
    this.#queue.push(speech)
    if (this.#turning) return
    this.#turning = true
    // Not at once: `open` returns its stream before the first event.
    setImmediate(() => void this.#turn())
  }

  /** One piece of the run whose turn it is; then everyone else, the pipe included. */
  async #turn(): Promise<void> {
    const speech = this.#queue.shift()
    if (speech !== undefined && (await speech.speakNext())) this.#queue.push(speech)
    this.#turning = this.#queue.length > 0
    if (this.#turning) setImmediate(() => void this.#turn())
  }
}

/** One run: pieces waiting, and what was said of them. */
class Speech implements EngineStream {
  readonly #options: VoiceTurnsOptions
  readonly #wish: Omit<Piece, 'text'>
  readonly #onEvent: (event: EngineEvent) => void
  readonly #ready: () => void
  readonly #pieces: string[] = []
  #rest = ''
  #length = 0
  /** See `aheadAfter`. */
  #ahead = 0
  #phase: 'open' | 'finishing' | 'ended' = 'open'
  #queued = false
  #audio_ms = 0
  #compute_ms = 0

  constructor(
    options: VoiceTurnsOptions,
    { voice = '', speed = 1 }: TtsRequest,
    onEvent: (event: EngineEvent) => void,
    ready: () => void,
  ) {
    this.#options = options
    this.#wish = { voice, speed: Math.min(SPEEDS.max, Math.max(SPEEDS.min, speed)) }
    this.#onEvent = onEvent
    this.#ready = ready
  }

  feed(input: EngineInput): void {
    if (this.#phase !== 'open' || input.type !== 'text') return
    this.#length += input.text.length
    if (this.#length > MAX_TEXT) {
      this.#fail(invalidInput(`A text to speak has at most ${MAX_TEXT} characters`))
      return
    }
    this.#cut(this.#rest + speakable(input.text), false)
    if (this.#pieces.length > 0) this.#queue()
  }

  finish(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'finishing'
    this.#cut(this.#rest, true)
    this.#queue()
  }

  cancel(): void {
    this.#phase = 'ended'
    this.#pieces.length = 0
  }

  /** Speaks one piece. True when the run wants another turn. Never rejects. */
  async speakNext(): Promise<boolean> {
    this.#queued = false
    if (this.#phase === 'ended') return false
    const piece = this.#pieces.shift()
    if (piece !== undefined) await this.#speak(piece)
    if (this.#pieces.length > 0) {
      const again = !this.#queued
      this.#queued = true
      return again
    }
    if (this.#phase === 'finishing' && !this.#queued) this.#end()
    return false
  }

  async #speak(text: string): Promise<void> {
    const start = performance.now()
    const stuck = setTimeout(this.#options.stuck ?? endProcess, STUCK_MS)
    try {
      await this.#options.speak({ ...this.#wish, text }, (samples, sample_rate) => {
        if (this.#phase === 'ended' || samples.length === 0) return
        this.#audio_ms += samples.length / (sample_rate / 1_000)
        this.#onEvent({ type: 'audio', samples, sample_rate })
      })
    } catch (thrown) {
      if (thrown instanceof LoqaError && thrown.code === 'invalid-input')
        this.#fail(invalidInput(thrown.message))
      else {
        console.error(thrown)
        const message = `The engine ${this.#options.engine} could not speak this text`
        this.#fail({ code: 'engine-crashed', message, retryable: true })
      }
    }
    clearTimeout(stuck)
    this.#compute_ms += performance.now() - start
  }

  #cut(text: string, complete: boolean): void {
    const { cut } = this.#options
    const { sentences, rest } =
      cut === undefined ? cutSentences(text, complete) : cut(text, complete, this.#ahead)
    this.#rest = rest
    this.#ahead = sentences.reduce((sum, { length }) => aheadAfter(sum, length), this.#ahead)
    this.#pieces.push(...sentences)
  }

  #queue(): void {
    if (this.#queued) return
    this.#queued = true
    this.#ready()
  }

  #fail(error: Extract<EngineEvent, { type: 'failed' }>['error']): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.#pieces.length = 0
    this.#onEvent({ type: 'failed', error })
  }

  #end(): void {
    this.#phase = 'ended'
    const usage = { compute_ms: this.#compute_ms, audio_ms: this.#audio_ms }
    this.#onEvent({ type: 'done', usage })
  }
}
