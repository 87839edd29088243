/** What Fastify and the HTTP parser refuse by themselves, under our names and in the shape of all errors. */
import { InvalidInputError, LoqaError, limits } from '../host/index.ts'
import { fail } from './failure.ts'

/** Headers of a request; a browser with many cookies of other local servers sends a few KiB. */
export const MAX_HEADER_BYTES = 16 * 1024
/** A request must have arrived whole by then: slow senders hold a socket no longer. */
export const REQUEST_TIMEOUT_MS = 10_000

/** Errors: `InvalidInputError` for bytes that are not UTF-8 or not JSON. The content is not quoted. */
export function readJson(body: Buffer): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new InvalidInputError('The body is not UTF-8')
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidInputError('The body is not JSON')
  }
}

/** Fastify's own refusals under our names. */
export function named(error: unknown): unknown {
  if (error instanceof LoqaError) return error
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new LoqaError('too-large', `The body is larger than ${limits.MAX_BODY_BYTES} bytes`, {
        hint: `A turn has at most ${limits.MAX_TURN_TEXT} characters.`,
      })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_CONTENT_TYPE':
      return new LoqaError('unsupported-media-type', 'The body must be JSON', {
        hint: 'Send content-type: application/json.',
      })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new InvalidInputError('The body does not have the length it claims')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ROUTE_MAX_PARAM_LENGTH':
      return new InvalidInputError('The path cannot be read')
    case 'ABORT_ERR':
    case 'ECONNRESET':
      return new LoqaError('cancelled', 'The request was given up')
    default:
      return error
  }
}

/** What the HTTP parser itself refuses, answered in the shape of all errors, then closed. */
export function refuseBroken(
  error: Error & { code?: string },
  socket: NodeJS.WritableStream & { destroyed?: boolean },
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed === true) return
  const failure =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? fail('headers-too-large', `The headers are larger than ${MAX_HEADER_BYTES} bytes`)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? fail('request-timeout', `The request did not arrive within ${REQUEST_TIMEOUT_MS / 1000} s`)
        : fail('invalid-input', 'This is not HTTP')
  const body = JSON.stringify({ error: failure.error })
  socket.end(
    `HTTP/1.1 ${failure.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
