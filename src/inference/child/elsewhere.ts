/**
 * An OpenAI-compatible server as somebody to ask: each request within its time, again after a short pause when that may help, and not
 * at all while it keeps failing (`breaker.ts`). Redirects are not followed: the key and what people said go to this server alone.
 */
import type { ErrorShape } from '../../host/errors.ts'
import { engineCrashed, engineHung, engineUnavailable, overloaded } from '../errors.ts'
import { abandoned, ask, type Breaker, closed, failed, succeeded } from './breaker.ts'

export interface ServerOptions {
  /** Without a slash at its end, e.g. `http://127.0.0.1:11434/v1`. */
  readonly url: string
  readonly key: string | undefined
  /** Silence that counts as hanging: before the first byte, and between two. */
  readonly timeout_ms: number
}

/** Sent again only while nothing of the answer came. */
const MOST_TRIES = 3
const FIRST_PAUSE_MS = 200
/** A server that wants to be left alone for longer is left alone: this run fails. */
const LONGEST_PAUSE_MS = 2_000
/** Five minutes of speech at 48 kHz; texts are far smaller. */
const MAX_BODY_BYTES = 32 * 1024 * 1024

type Content = string | FormData

/** Both may throw `ElsewhereError`, which then counts against the server. */
export interface Reader {
  bytes(bytes: Uint8Array): void
  /** The answer is whole. */
  end(): void
}

/** How a run ended that did not end well. */
export class ElsewhereError extends Error {
  readonly shape: ErrorShape
  /** Says something of the server, not of the work. */
  readonly serverAtFault: boolean
  /** Another try may go better, in so many ms. */
  readonly again_ms: number | undefined

  constructor(shape: ErrorShape, more: { serverAtFault: boolean; again_ms?: number | undefined }) {
    super(shape.message)
    this.shape = shape
    this.serverAtFault = more.serverAtFault
    this.again_ms = more.again_ms
  }
}

export class Server {
  readonly #options: ServerOptions
  readonly #name: string
  #breaker: Breaker = closed

  constructor(options: ServerOptions) {
    this.#options = options
    this.#name = new URL(options.url).host
  }

  /**
   * Sends and reads to the end; `reader` gets the answer's body in pieces. Rejects with `ElsewhereError`, or with
   * the signal's reason when it was aborted.
   */
  async send(
    path: string,
    body: () => Content,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    reader: Reader,
  ): Promise<void> {
    const asked = ask(this.#breaker, performance.now())
    this.#breaker = asked.breaker
    if (!asked.allowed) {
      const why = `it failed several times; it is asked again in ${Math.ceil(asked.wait_ms / 1_000)} s`
      throw new ElsewhereError(engineUnavailable(this.#name, why), { serverAtFault: false })
    }
    try {
      await this.#tries(path, body, headers, signal, reader)
      this.#breaker = succeeded()
    } catch (thrown) {
      if (signal.aborted) this.#breaker = abandoned(this.#breaker, performance.now())
      else if (thrown instanceof ElsewhereError && !thrown.serverAtFault) this.#breaker = succeeded()
      else this.#breaker = failed(this.#breaker, performance.now())
      throw thrown
    }
  }

  /** What it said is not what such a server says. */
  garbled(): ElsewhereError {
    const shape = engineCrashed(this.#name, 'its answer in the middle, or with something unintelligible')
    return new ElsewhereError(shape, { serverAtFault: true })
  }

  async #tries(
    path: string,
    body: () => Content,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    reader: Reader,
  ): Promise<void> {
    for (let tried = 1; ; tried += 1) {
      let begun = false
      try {
        await this.#once(path, body(), headers, signal, {
          bytes(bytes) {
            begun = true
            reader.bytes(bytes)
          },
          end: () => reader.end(),
        })
        return
      } catch (thrown) {
        if (signal.aborted || !(thrown instanceof ElsewhereError)) throw thrown
        const { again_ms } = thrown
        if (begun || again_ms === undefined || tried >= MOST_TRIES) throw thrown
        // Twice as long each time, by half more or less, so that several do not come back together.
        const pause_ms = Math.max(again_ms, FIRST_PAUSE_MS * 2 ** (tried - 1) * (0.5 + Math.random()))
        if (pause_ms > LONGEST_PAUSE_MS) throw thrown
        await pause(pause_ms, signal)
      }
    }
  }

  async #once(
    path: string,
    body: Content,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    reader: Reader,
  ): Promise<void> {
    const { url, key, timeout_ms } = this.#options
    const silence = new AbortController()
    let timer = setTimeout(() => silence.abort(), timeout_ms)
    try {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        redirect: 'error',
        headers: { ...headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
        body,
        signal: AbortSignal.any([signal, silence.signal]),
      })
      if (!response.ok) throw await this.#refused(response)
      let size = 0
      for await (const bytes of response.body ?? []) {
        clearTimeout(timer)
        timer = setTimeout(() => silence.abort(), timeout_ms)
        size += bytes.byteLength
        if (size > MAX_BODY_BYTES) throw this.garbled()
        reader.bytes(bytes)
      }
      reader.end()
    } catch (thrown) {
      if (thrown instanceof ElsewhereError || signal.aborted) throw thrown
      throw silence.signal.aborted ? this.#hangs() : this.#away()
    } finally {
      clearTimeout(timer)
    }
  }

  async #refused(response: Response): Promise<ElsewhereError> {
    const { status, headers } = response
    await response.body?.cancel()
    const says = `it answers with status ${status}`
    const seconds = Number(headers.get('retry-after') ?? 0)
    const again_ms = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0
    if (status === 429) {
      const shape = { ...overloaded(this.#name, 0), message: `${this.#name} takes no more now: ${says}` }
      return new ElsewhereError(shape, { serverAtFault: true, again_ms })
    }
    if (status >= 500 || status === 408)
      return new ElsewhereError(engineUnavailable(this.#name, says), { serverAtFault: true, again_ms })
    if (status === 401 || status === 403 || status === 404) {
      const hint = 'Check openai.url, openai.key_file and the names of the models.'
      return new ElsewhereError(engineUnavailable(this.#name, says, hint), { serverAtFault: true })
    }
    // Too long for it, or a wish it does not know: another engine may do it.
    return new ElsewhereError(engineUnavailable(this.#name, says), { serverAtFault: false })
  }

  #hangs(): ElsewhereError {
    const shape = engineHung(this.#name, 'go on', this.#options.timeout_ms)
    // As long again would be too long for whoever waits.
    return new ElsewhereError(shape, { serverAtFault: true })
  }

  #away(): ElsewhereError {
    const shape = engineUnavailable(this.#name, 'it does not answer, or broke off')
    return new ElsewhereError(shape, { serverAtFault: true, again_ms: 0 })
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const abort = (): void => {
    clearTimeout(timer)
    reject(signal.reason as Error)
  }
  signal.addEventListener('abort', abort, { once: true })
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
