/** Failures in the shape of OpenAI's API: `{ error: { message, type, param, code } }`. Pure. */
import type { ZodError } from 'zod'
import { LoqaError } from '../../host/index.ts'
import type { Failure } from '../failure.ts'

export interface OpenAiError {
  readonly error: {
    readonly message: string
    readonly type: string
    /** Which part of the request is wrong. */
    readonly param: string | null
    readonly code: string | null
  }
}

/** A part of the request that is wrong or cannot be kept. */
export class ParameterError extends LoqaError {
  readonly param: string

  constructor(param: string, message: string, code: 'invalid-input' | 'too-large' = 'invalid-input') {
    super(code, message)
    this.param = param
  }
}

export const isOpenAiPath = (path: string): boolean => path === '/v1' || path.startsWith('/v1/')

/** Codes clients know by another name. */
const CODES: Readonly<Record<string, string>> = {
  unauthorized: 'invalid_api_key',
  'rate-limited': 'rate_limit_exceeded',
  'model-unknown': 'model_not_found',
}

/** What this API says of a failure; `param` where the failure is of one. The hint becomes a part of the message: there is no other place. */
export function openAiError({ status, error }: Failure, param: string | null = null): OpenAiError {
  const { code, message, hint } = error
  return {
    error: {
      message: hint === undefined ? message : `${message}. ${hint}`,
      type: typeOf(status),
      param,
      code: CODES[code] ?? code.replaceAll('-', '_'),
    },
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

/** The first fault of a request that does not fit its schema. */
export function misfit(error: ZodError): ParameterError {
  const [issue] = error.issues
  const where = issue?.path.join('.') ?? ''
  const what = (issue?.message ?? 'does not fit').replace(/^Invalid input: /, '')
  return new ParameterError(where, `${where === '' ? 'The request' : where}: ${what}`)
}
