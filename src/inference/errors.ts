/** How engine work fails, as plain data: it travels in events and outcomes. Messages name engines and files, never content. */
import type { ErrorShape } from '../host/index.ts'

const AGAIN = 'It restarts by itself; try again in a moment.'

export type EngineErrorCode =
  | 'engine-crashed'
  | 'engine-hung'
  | 'engine-over-memory'
  | 'engine-unavailable'
  | 'model-invalid'
  | 'overloaded'
  | 'timeout'
  | 'invalid-input'
  | 'output-incomplete'

const error = (code: EngineErrorCode, message: string, retryable: boolean, hint?: string): ErrorShape => ({
  code,
  message,
  retryable,
  ...(hint === undefined ? {} : { hint }),
})

/** `how` is e.g. `by signal SIGABRT`, `with exit code 255`. */
export const engineCrashed = (engine: string, how: string): ErrorShape =>
  error('engine-crashed', `The engine ${engine} ended ${how}`, true, AGAIN)

export const engineGarbled = (engine: string): ErrorShape =>
  error('engine-crashed', `The engine ${engine} sent something unintelligible`, true, AGAIN)

/** `doing` is e.g. `answer a ping`, `load its model`, `let go of a cancelled run`. */
export const engineHung = (engine: string, doing: string, timeout_ms: number): ErrorShape =>
  error('engine-hung', `The engine ${engine} did not ${doing} within ${timeout_ms} ms`, true, AGAIN)

export const engineOverMemory = (engine: string, rss_mb: number, limit_mb: number): ErrorShape =>
  error(
    'engine-over-memory',
    `The engine ${engine} used ${Math.round(rss_mb)} MB of memory; its limit is ${limit_mb} MB`,
    true,
    'It restarts by itself; if it happens again, raise inference.rss_limit_mb or choose a smaller model.',
  )

export const engineUnavailable = (what: string, why: string, hint?: string): ErrorShape =>
  error('engine-unavailable', `${what} is not available: ${why}`, true, hint ?? 'Try again in a moment.')

/** Trying again changes nothing: this node has no such engine. */
export const notOffered = (what: string): ErrorShape =>
  error(
    'engine-unavailable',
    `${what} is not available: no engine here offers it`,
    false,
    'Choose a model for it in the configuration.',
  )

export const modelInvalid = (what: string, why: string, hint: string): ErrorShape =>
  error('model-invalid', `${what} cannot be used: ${why}`, false, hint)

export const overloaded = (what: string, limit: number): ErrorShape =>
  error('overloaded', `${what} already does ${limit} runs, its limit`, true, 'Try again in a moment.')

export const timedOut = (what: string, timeout_ms: number): ErrorShape =>
  error('timeout', `${what} took longer than ${Math.round(timeout_ms)} ms`, true)

export const invalidInput = (message: string): ErrorShape => error('invalid-input', message, false)

export const outputIncomplete = (max_tokens: number): ErrorShape =>
  error(
    'output-incomplete',
    `The language model did not finish its answer within ${max_tokens} tokens`,
    false,
  )
