/**
 * An OpenAI-compatible server as somebody to ask: each request within its time, and with `patience.ts`. Redirects are not followed: the key and what people said go to this server alone.
 */
import { engineCrashed, engineHung, engineUnavailable, overloaded } from '../errors.ts'
import { ElsewhereError, Patience } from './patience.ts'

export interface ServerOptions {
  /** Without a slash at its end, e.g. `http://127.0.0.1:11434/v1`. */
  readonly url: string
  readonly key: string | undefined
  /** Silence that counts as hanging: before the first byte, and between two. */
  readonly timeout_ms: number
}

/** Five minutes of speech at 48 kHz; texts are far smaller. */
const MAX_BODY_BYTES = 32 * 1024 * 1024

type Content = string | FormData

/** Both may throw `ElsewhereError`, which then counts against the server. */
export interface Reader {
  bytes(bytes: Uint8Array): void
  /** The answer is whole. */
  end(): void
}

export class Server {
  readonly #options: ServerOptions
  readonly #name: string
  readonly #patience: Patience

  constructor(options: ServerOptions) {
    this.#options = options
    this.#name = new URL(options.url).host
    this.#patience = new Patience(this.#name)
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
    await this.#patience.run(signal, (begun) =>
      this.#once(path, body(), headers, signal, {
        bytes(bytes) {
          begun()
          reader.bytes(bytes)
        },
        end: () => reader.end(),
      }),
    )
  }

  /** What it said is not what such a server says. */
  garbled(): ElsewhereError {
    const shape = engineCrashed(this.#name, 'its answer in the middle, or with something unintelligible')
    return new ElsewhereError(shape, { serverAtFault: true })
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
