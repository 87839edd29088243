/** Errors as HTTP answers: `{ error: { code, message, hint } }`. Pure. */
import type { ZodError } from 'zod'
import { errorShape, LoqaError } from '../host/index.ts'

export interface Failure {
  readonly status: number
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** Codes whose condition is not the server's fault, or passes; every other one is 500. */
const STATUS: Readonly<Record<string, number>> = {
  'invalid-input': 400,
  unauthorized: 401,
  'code-wrong': 403,
  'not-entitled': 403,
  'origin-refused': 403,
  'not-found': 404,
  'model-unknown': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'not-member': 409,
  'not-alone': 409,
  'household-full': 409,
  'already-there': 409,
  'not-moved': 409,
  ambiguous: 409,
  'audit-unbroken': 409,
  'approval-over': 409,
  'package-invalid': 400,
  'skill-unsigned': 403,
  'skill-tampered': 403,
  'skill-untrusted': 403,
  'skill-expired': 403,
  'skill-revoked': 403,
  'skill-forbidden': 403,
  'skill-ungranted': 403,
  'skill-downgrade': 409,
  'skill-pinned': 409,
  'skills-full': 409,
  'grammar-invalid': 400,
  'skill-refused': 400,
  'skill-runtime': 409,
  'too-large': 413,
  'text-too-long': 413,
  'unsupported-media-type': 415,
  'host-refused': 421,
  'upgrade-required': 426,
  'rate-limited': 429,
  'enrolment-locked': 429,
  'headers-too-large': 431,
  cancelled: 499,
  overloaded: 503,
  'not-ready': 503,
  stopping: 503,
  // The conversation lives on another machine, which is gone; or it ended in the middle.
  unreachable: 503,
  stopped: 503,
  'actor-failed': 503,
  'store-closed': 503,
  'store-io': 503,
  'engine-unavailable': 503,
  'engine-crashed': 503,
  'engine-hung': 503,
  timeout: 504,
  'store-full': 507,
}

export function failureOf(thrown: unknown): Failure {
  const { code, message, hint } = errorShape(thrown)
  return fail(code, message, hint)
}

export const fail = (code: string, message: string, hint?: string): Failure => ({
  status: STATUS[code] ?? 500,
  error: { code, message, ...(hint === undefined ? {} : { hint }) },
})

/** A request that does not fit its schema, as one sentence per fault. */
export function invalidInput(error: ZodError): LoqaError {
  const faults = error.issues.slice(0, 5).map((issue) => {
    const where = issue.path.length === 0 ? 'The request' : issue.path.join('.')
    return `${where}: ${issue.message.replace(/^Invalid input: /, '')}`
  })
  const tooLong = error.issues.some((issue) => issue.code === 'too_big' && issue.path[0] === 'text')
  return new LoqaError(tooLong ? 'text-too-long' : 'invalid-input', faults.join('; '), {
    hint: 'The shapes are described at /api/docs.',
  })
}
