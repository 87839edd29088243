/**
 * Patience with somebody elsewhere who is asked: again after a short pause when that may help, and not at all while it keeps failing
 * (`breaker.ts`).
 */
import type { ErrorShape } from '../../host/errors.ts'
import { engineUnavailable } from '../errors.ts'
import { abandoned, ask, type Breaker, closed, failed, succeeded } from './breaker.ts'

/** Sent again only while nothing of the answer came. */
const MOST_TRIES = 3
const FIRST_PAUSE_MS = 200
/** A server that wants to be left alone for longer is left alone: this run fails. */
const LONGEST_PAUSE_MS = 2_000
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

export class Patience {
  readonly #name: string
  #breaker: Breaker = closed

  /** `name`: what it is called in messages. */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * Runs `once`, which calls `begun` when something of the answer came: then it is not tried again. Rejects with `ElsewhereError`, or with
   * the signal's reason when it was aborted.
   */
  async run(signal: AbortSignal, once: (begun: () => void) => Promise<void>): Promise<void> {
    const asked = ask(this.#breaker, performance.now())
    this.#breaker = asked.breaker
    if (!asked.allowed) {
      const why = `it failed several times; it is asked again in ${Math.ceil(asked.wait_ms / 1_000)} s`
      throw new ElsewhereError(engineUnavailable(this.#name, why), { serverAtFault: false })
    }
    try {
      await tries(signal, once)
      this.#breaker = succeeded()
    } catch (thrown) {
      if (signal.aborted) this.#breaker = abandoned(this.#breaker, performance.now())
      else if (thrown instanceof ElsewhereError && !thrown.serverAtFault) this.#breaker = succeeded()
      else this.#breaker = failed(this.#breaker, performance.now())
      throw thrown
    }
  }
}

async function tries(signal: AbortSignal, once: (begun: () => void) => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    let begun = false
    try {
      await once(() => {
        begun = true
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
