/** An engine's API over its socket; the only file that knows how it is spoken to. What comes back is bounded and not believed. */
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../host/index.ts'

/** What an engine says of one image or one container is 20 KB at most. */
const MAX_ANSWER_BYTES = 1024 * 1024
const MAX_HEAD_BYTES = 16 * 1024

export interface EngineOrder {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
}

export interface EngineAnswer {
  readonly status: number
  /** Of JSON what it says, else the text. */
  readonly body: unknown
}

/** Both directions of a container's standard streams. */
export interface Attached {
  send(bytes: Uint8Array): void
  close(): void
}

export interface Hearer {
  bytes(chunk: Uint8Array): void
  /** Exactly once. */
  end(): void
}

export interface EngineApi {
  /** Errors: throws when nobody answers in time, with the system's `code` where it has one. */
  ask(order: EngineOrder, within_ms: number): Promise<EngineAnswer>
  /** Errors: as `ask`, and when the engine refuses. */
  attach(path: string, hearer: Hearer, within_ms: number): Promise<Attached>
}

export type OpenEngine = (socket: string) => EngineApi

export const engineOver =
  (clock: Clock): OpenEngine =>
  (socketPath) => ({
    ask: ({ method, path, body }, within_ms) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? '' : JSON.stringify(body)
        const asked = request({
          ...{ socketPath, method, path, agent: false, maxHeaderSize: MAX_HEAD_BYTES },
          headers: {
            Host: 'engine',
            ...(text === '' ? {} : { 'Content-Type': 'application/json' }),
            'Content-Length': Buffer.byteLength(text),
          },
        })
        const late = clock.after(within_ms, () => asked.destroy(new Error('the engine does not answer')))
        asked.on('error', (error) => {
          late()
          reject(error)
        })
        asked.once('response', (answer) => {
          read(answer).then(resolve, reject).finally(late)
        })
        asked.end(text)
      }),

    attach: (path, hearer, within_ms) =>
      new Promise((resolve, reject) => {
        const asked = request({
          ...{ socketPath, method: 'POST', path, agent: false, maxHeaderSize: MAX_HEAD_BYTES },
          headers: { Host: 'engine', Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': 0 },
        })
        const late = clock.after(within_ms, () => asked.destroy(new Error('the engine does not answer')))
        asked.on('error', (error) => {
          late()
          reject(error)
        })
        asked.once('response', (answer) => {
          late()
          answer.resume()
          reject(new Error(`the engine lets nobody in (${answer.statusCode})`))
        })
        asked.once('upgrade', (_, socket, head) => {
          late()
          resolve(attached(socket, head, hearer))
        })
        asked.end()
      }),
  })

function attached(socket: Duplex, head: Uint8Array, hearer: Hearer): Attached {
  socket.on('error', () => undefined)
  socket.once('close', () => hearer.end())
  socket.on('data', (chunk: Uint8Array) => hearer.bytes(chunk))
  // The container ended its side; nobody would read ours.
  socket.once('end', () => socket.destroy())
  if (head.length > 0) hearer.bytes(head)
  return {
    send: (bytes) => void socket.write(bytes),
    close: () => socket.destroy(),
  }
}

async function read(answer: IncomingMessage): Promise<EngineAnswer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) throw new Error('the engine says more than it should')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  return { status: answer.statusCode ?? 0, body: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
