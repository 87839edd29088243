/**
 * Errors a caller can act on. `code` is stable and may be matched by scripts, `message` is safe to show and to
 * log (no user content), `retryable` says whether the same call may succeed later unchanged.
 */
export class LoqaError extends Error {
  readonly code: string
  readonly retryable: boolean
  /** What the person can do about it, one sentence. */
  readonly hint: string | undefined

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
    this.hint = options.hint
  }

  toJSON(): ErrorShape {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    }
  }
}

/** An error as plain data: what travels in messages, over HTTP and to the terminal. */
export interface ErrorShape {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly hint?: string
}

/** Something went wrong that no one named: a defect. Its details stay in the log. */
export const unexpected: ErrorShape = {
  code: 'unexpected',
  message: 'An internal error occurred',
  retryable: false,
  hint: 'The log names it; please report it.',
}

/** The safe shape of whatever was thrown. */
export const errorShape = (thrown: unknown): ErrorShape =>
  thrown instanceof LoqaError ? thrown.toJSON() : unexpected

/** A broken invariant: kills the actor it happens in, nothing else. Stays on in production. */
export class InvariantError extends LoqaError {
  constructor(message: string) {
    super('invariant', message)
  }
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** Ends every `switch` over a union; the compiler proves that it is never reached. */
export function assertNever(value: never): never {
  throw new InvariantError(`unhandled case: ${JSON.stringify(value)?.slice(0, 80)}`)
}

export class CancelledError extends LoqaError {
  constructor(what: string, cause?: unknown) {
    super('cancelled', `${what} was cancelled`, { cause })
  }
}

export class TimeoutError extends LoqaError {
  constructor(what: string, timeout_ms: number) {
    super('timeout', `${what} took longer than ${Math.round(timeout_ms)} ms`, { retryable: true })
  }
}

export class OverloadedError extends LoqaError {
  constructor(what: string, limit: string) {
    super('overloaded', `${what} is at its limit of ${limit}`, {
      retryable: true,
      hint: 'Try again in a moment.',
    })
  }
}

export class NotFoundError extends LoqaError {
  constructor(what: string, hint?: string) {
    super('not-found', `${what} does not exist`, { hint })
  }
}

export class InvalidInputError extends LoqaError {
  constructor(message: string, hint?: string) {
    super('invalid-input', message, { hint })
  }
}
