/** Why an ask was not answered, and why an actor failed. A `timeout`, `overloaded`, `not-found` or `cancelled` of the host completes the list. */
import { type ErrorShape, LoqaError } from '../host/index.ts'

/** The actor ended before it answered. It may have carried out the request. */
export class StoppedError extends LoqaError {
  constructor(what: string) {
    super('stopped', `${what} stopped before it answered`, { retryable: true })
  }
}

/** The actor failed while it handled the request, or before a promised answer. It may have carried it out. */
export class ActorFailedError extends LoqaError {
  constructor(what: string) {
    super('actor-failed', `${what} failed before it answered`, { retryable: true })
  }
}

/** The address names another node, and no way leads there. */
export class UnreachableError extends LoqaError {
  constructor(what: string) {
    super('unreachable', `${what} cannot be reached`, { retryable: true })
  }
}

/** Children failed more often than their supervisor's intensity allows. */
export class IntensityExceededError extends LoqaError {
  constructor(child: string, intensity: number, period_ms: number) {
    super('intensity-exceeded', `${child} failed more than ${intensity} times in ${period_ms} ms`)
  }
}

/** The content may not leave the memory of this node (`privacy_scope` ephemeral). */
export class PrivateError extends LoqaError {
  constructor(what: string) {
    super('private', `What was meant for ${what} may not leave this node`)
  }
}

/** An error another node told: its code, words and all, without the class. */
export const errorOf = ({ code, message, retryable, hint }: ErrorShape): LoqaError =>
  new LoqaError(code, message, { retryable, hint })
