/** Speaks HTTP with a node. */
import type * as Http from 'node:http'
import { LoqaError } from '../host/errors.ts'
import { NodeError, NoNodeError } from './failures.ts'
import type { Whereabouts } from './find-node.ts'

export interface Client {
  get<T>(path: string): Promise<T>
  text(path: string): Promise<string>
  post<T>(path: string, body: unknown): Promise<T>
  /** The bytes of an answer as they come. Without a body it is a GET. */
  stream(path: string, body?: unknown): Promise<AsyncIterable<Uint8Array>>
}

type Answer = Http.IncomingMessage

/**
 * Asked for, not imported: an import of `node:http` loads the WebSocket and the `fetch` that Node brings along, and so does calling that
 * `fetch`; either takes longer than all else that a short command does.
 */
const protocolOf = (url: URL): Pick<typeof Http, 'request'> =>
  url.protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')

export function clientOf(where: Whereabouts, signal: AbortSignal): Client {
  const begin = (path: string, body: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const url = new URL(`${where.url}${path}`)
      const headers = {
        ...(where.token === undefined ? {} : { authorization: `Bearer ${where.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const method = body === undefined ? 'GET' : 'POST'
      const asked = protocolOf(url).request(url, { method, headers, signal }, resolve)
      asked.on('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  /** Whatever breaks on the way is told in one way. Redirects are not followed: a node sends none. */
  const broken = (thrown: unknown): LoqaError =>
    signal.aborted ? new LoqaError('interrupted', 'Interrupted') : noAnswer(where, thrown)
  const whole = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (thrown) {
      throw broken(thrown)
    }
  }
  async function* parts(answer: Answer): AsyncGenerator<Uint8Array> {
    try {
      yield* answer as AsyncIterable<Uint8Array>
    } catch (thrown) {
      throw broken(thrown)
    }
  }
  const request = async (path: string, body?: unknown): Promise<Answer> => {
    const answer = await whole(begin(path, body))
    const { statusCode: status = 0 } = answer
    if (status >= 200 && status < 300) return answer
    throw failureIn(await whole(text(answer)), status, where)
  }
  const read = async (path: string, body?: unknown): Promise<string> => whole(text(await request(path, body)))
  return {
    get: async <T>(path: string) => JSON.parse(await read(path)) as T,
    text: (path) => read(path),
    post: async <T>(path: string, body: unknown) => JSON.parse(await read(path, body)) as T,
    stream: async (path, body) => parts(await request(path, body)),
  }
}

async function text(answer: Answer): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of answer) parts.push(part as Uint8Array)
  return Buffer.concat(parts).toString('utf8')
}

function noAnswer(where: Whereabouts, thrown: unknown): NoNodeError {
  return where.from.startsWith('http') || where.url.endsWith(where.from)
    ? new NoNodeError(`No node answers at ${where.url}`, thrown)
    : new NoNodeError(`No node answers at ${where.url}, the address in ${where.from}: it has stopped`, thrown)
}

function failureIn(text: string, status: number, where: Whereabouts): LoqaError {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    return new NodeError(error as { code: string; message: string; hint?: string })
  }
  return new NoNodeError(`What answers at ${where.url} is not a loqa node (HTTP ${status})`)
}
