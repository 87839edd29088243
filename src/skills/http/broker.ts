/**
 * Carries out a skill's requests. Every hop is judged by itself: the host against what was granted, each address it has, and then the
 * connection goes to an address that was judged, whatever the name resolves to a moment later.
 */
import type { HttpDoor, HttpResponse } from '../../host/index.ts'
import { LoqaError } from '../../host/index.ts'
import type { HttpAnswer, HttpGrant, HttpPort, HttpRequest } from '../host-ports.ts'
import {
  headersFor,
  judgeAddresses,
  MAX_BODY_BYTES,
  MAX_REDIRECTS,
  redirected,
  refused,
  type Surroundings,
  type Target,
  targetOf,
  toldHeaders,
} from './rules.ts'

export interface BrokerParts {
  readonly door: HttpDoor
  /** Asked anew for each request: interfaces come and go. */
  readonly own: () => Surroundings
}

export function createHttpPort({ door, own }: BrokerParts): HttpPort {
  return {
    async request(first, grant, signal) {
      let request = first
      for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
        const target = targetOf(request.url, grant)
        const response = await ask(door, request, target, grant, own(), signal)
        try {
          const on = redirected(request, target, response.status, response.headers.location)
          if (on === undefined) return await answerOf(response, signal)
          request = on
        } finally {
          response.close()
        }
      }
      throw refused('the server sends it on without end')
    },
  }
}

async function ask(
  door: HttpDoor,
  request: HttpRequest,
  target: Target,
  grant: HttpGrant,
  own: Surroundings,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const headers = headersFor(request, target)
  const { url, port, secure } = target
  const host = url.hostname
  const named = host.startsWith('[') ? [host.slice(1, -1)] : undefined
  const found = named ?? (await resolved(door, host, signal))
  const addresses = judgeAddresses(found, target, grant, own)
  try {
    return await door.open(
      {
        ...{ address: addresses[0]!, port, secure, host, headers },
        ...{ path: `${url.pathname}${url.search}`, method: request.method, body: request.body },
      },
      signal,
    )
  } catch (thrown) {
    throw failed(thrown, signal)
  }
}

async function resolved(door: HttpDoor, host: string, signal: AbortSignal): Promise<readonly string[]> {
  const gone = Promise.withResolvers<never>()
  const abort = (): void =>
    gone.reject(new LoqaError('timeout', 'The request took too long', { retryable: true }))
  signal.addEventListener('abort', abort, { once: true })
  gone.promise.catch(() => undefined)
  try {
    return await Promise.race([door.resolve(host), gone.promise])
  } catch (thrown) {
    if (signal.aborted) throw failed(thrown, signal)
    throw new LoqaError('http-failed', `${host} could not be found`, { retryable: true, cause: thrown })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function answerOf({ status, headers, body }: HttpResponse, signal: AbortSignal): Promise<HttpAnswer> {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw refused('the server answers compressed, though it was not to')
  if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw TOO_LARGE()
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    for await (const piece of body) {
      length += piece.length
      if (length > MAX_BODY_BYTES) throw TOO_LARGE()
      pieces.push(piece)
    }
    // A body without a length ends where the connection does, also when it was we who ended it.
    if (signal.aborted) throw failed(undefined, signal)
  } catch (thrown) {
    throw thrown instanceof LoqaError ? thrown : failed(thrown, signal)
  }
  // What is not UTF-8 is replaced, not refused: old servers write names in other ways.
  return { status, headers: toldHeaders(headers), body: new TextDecoder().decode(Buffer.concat(pieces)) }
}

const TOO_LARGE = (): LoqaError =>
  new LoqaError('http-too-large', `The answer is larger than ${MAX_BODY_BYTES / 1024} KiB`)

function failed(cause: unknown, signal: AbortSignal): LoqaError {
  if (signal.aborted) return new LoqaError('timeout', 'The request took too long', { retryable: true, cause })
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'HPE_HEADER_OVERFLOW')
    return new LoqaError('http-too-large', 'The head of the answer is too large', { cause })
  return new LoqaError('http-failed', 'The server could not be reached, or broke off', {
    retryable: true,
    cause,
  })
}
