/** Speaks HTTP with a node. */
import { LoqaError } from '../host/errors.ts'
import { NodeError, NoNodeError } from './failures.ts'
import type { Whereabouts } from './find-node.ts'

export interface Client {
  get<T>(path: string): Promise<T>
  text(path: string): Promise<string>
  post<T>(path: string, body: unknown): Promise<T>
  /** The bytes of an answer as they come. */
  /** Without a body it is a GET. */
  stream(path: string, body?: unknown): Promise<AsyncIterable<Uint8Array>>
}

export function clientOf(where: Whereabouts, signal: AbortSignal): Client {
  const request = async (path: string, body?: unknown): Promise<Response> => {
    const headers = {
      ...(where.token === undefined ? {} : { authorization: `Bearer ${where.token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    let response: Response
    try {
      response = await fetch(`${where.url}${path}`, {
        headers,
        signal,
        redirect: 'error',
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      })
    } catch (thrown) {
      if (signal.aborted) throw new LoqaError('interrupted', 'Interrupted')
      throw noAnswer(where, thrown)
    }
    if (response.ok) return response
    throw await failureIn(response, where)
  }
  return {
    get: async <T>(path: string) => (await (await request(path)).json()) as T,
    text: async (path) => (await request(path)).text(),
    post: async <T>(path: string, body: unknown) => (await (await request(path, body)).json()) as T,
    stream: async (path, body) => {
      const response = await request(path, body)
      if (response.body === null)
        throw new NodeError({ code: 'no-content', message: 'The node sent nothing' })
      return response.body as AsyncIterable<Uint8Array>
    },
  }
}

function noAnswer(where: Whereabouts, thrown: unknown): NoNodeError {
  return where.from === where.url || where.from.startsWith('http')
    ? new NoNodeError(`No node answers at ${where.url}`, thrown)
    : new NoNodeError(`No node answers at ${where.url}, the address in ${where.from}: it has stopped`, thrown)
}

async function failureIn(response: Response, where: Whereabouts): Promise<LoqaError> {
  let body: unknown
  try {
    body = await response.json()
  } catch {
    body = undefined
  }
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    return new NodeError(error as { code: string; message: string; hint?: string })
  }
  return new NoNodeError(`What answers at ${where.url} is not a loqa node (HTTP ${response.status})`)
}
