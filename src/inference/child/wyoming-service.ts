/**
 * A Wyoming service as somebody to ask: one connection for each question, within its time, with `patience.ts`. What it says is cut and
 * judged by the codec both directions share; where it says too much, or what no service says, it is hung up on.
 */
import { connect, type Socket } from 'node:net'
import { EventCutter, encodeEvent, type WyomingEvent } from '../../host/wyoming.ts'
import { engineCrashed, engineHung, engineUnavailable } from '../errors.ts'
import { ElsewhereError, Patience } from './patience.ts'

export interface ServiceOptions {
  /** As Home Assistant writes it, e.g. `tcp://192.168.1.20:10300`. */
  readonly url: string
  /** Silence that counts as hanging, once it has all it needs to answer. */
  readonly timeout_ms: number
}

/** Five minutes of speech at 48 kHz; texts are far smaller. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** What is told, piece by piece; kept until it was answered, for it may have to be told again. */
export class Question {
  readonly #said: Uint8Array[] = []
  #whole = false
  #more: () => void = () => undefined

  say(type: string, data: WyomingEvent['data'] = {}, payload: Uint8Array = new Uint8Array(0)): void {
    this.#said.push(encodeEvent({ type, data, payload }))
    this.#more()
  }

  /** Nothing follows: an answer is due. */
  end(): void {
    this.#whole = true
    this.#more()
  }

  get whole(): boolean {
    return this.#whole
  }

  /** Everything from the beginning, and what comes from now on; one listener at a time. */
  follow(heard: (bytes: Uint8Array) => void, whole: () => void): void {
    let told = 0
    this.#more = () => {
      for (; told < this.#said.length; told += 1) heard(this.#said[told]!)
      if (!this.#whole) return
      this.#more = () => undefined
      whole()
    }
    this.#more()
  }
}

/** Returns whether that was the last of the answer. May throw `ElsewhereError`. */
export type Answer = (event: WyomingEvent) => 'more' | 'end'

export class Service {
  readonly #options: ServiceOptions
  readonly #host: string
  readonly #port: number
  readonly #name: string
  readonly #patience: Patience

  constructor(options: ServiceOptions) {
    const { hostname, port, host } = new URL(options.url)
    this.#options = options
    this.#host = hostname.replace(/^\[|\]$/g, '')
    this.#port = Number(port)
    this.#name = host
    this.#patience = new Patience(host)
  }

  /** Asks until an answer ended; `answer` is made anew for each try. Rejects with `ElsewhereError`, or the signal's reason. */
  ask(question: Question, signal: AbortSignal, answer: () => Answer): Promise<void> {
    return this.#patience.run(signal, (begun) => this.#once(question, signal, answer(), begun))
  }

  /** What it said is not what such a service says. */
  garbled(): ElsewhereError {
    const shape = engineCrashed(this.#name, 'its answer in the middle, or with something unintelligible')
    return new ElsewhereError(shape, { serverAtFault: true })
  }

  #once(question: Question, signal: AbortSignal, answer: Answer, begun: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect({ host: this.#host, port: this.#port })
    const cutter = new EventCutter()
    let timer: NodeJS.Timeout | undefined
    /** While somebody still speaks nothing is due. */
    const watch = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => reject(this.#hangs()), this.#options.timeout_ms)
    }
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    socket.on('error', () => reject(this.#away()))
    socket.on('close', () => reject(this.#away()))
    socket.on('connect', () => {
      clearTimeout(timer)
      question.follow(
        (bytes) => socket.write(bytes),
        () => watch(),
      )
    })
    let size = 0
    socket.on('data', (bytes: Buffer) => {
      size += bytes.length
      if (question.whole) watch()
      try {
        if (size > MAX_ANSWER_BYTES) throw this.garbled()
        for (const event of cutter.push(bytes)) {
          if (typeof event === 'string') throw this.garbled()
          if (event.type === 'error') throw this.#refuses()
          if (BEGINS.has(event.type)) begun()
          if (answer(event) === 'end') resolve()
        }
      } catch (thrown) {
        reject(thrown as Error)
      }
    })
    watch()
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      hangUp(socket)
    })
  }

  /** Its own words may hold what was said: only that it does not. */
  #refuses(): ElsewhereError {
    return new ElsewhereError(engineUnavailable(this.#name, 'it says that it cannot'), {
      serverAtFault: true,
      again_ms: 0,
    })
  }

  #hangs(): ElsewhereError {
    // As long again would be too long for whoever waits.
    return new ElsewhereError(engineHung(this.#name, 'go on', this.#options.timeout_ms), {
      serverAtFault: true,
    })
  }

  #away(): ElsewhereError {
    return new ElsewhereError(engineUnavailable(this.#name, 'it does not answer, or broke off'), {
      serverAtFault: true,
      again_ms: 0,
    })
  }
}

/** Sound that was heard cannot be taken back. */
const BEGINS: ReadonlySet<string> = new Set(['audio-chunk', 'transcript'])

function hangUp(socket: Socket): void {
  // An error that comes later is nobody's.
  socket.removeAllListeners()
  socket.on('error', () => undefined)
  socket.destroy()
}
