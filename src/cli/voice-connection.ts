/** A satellite's connection to a node; the only importer of ws here. */
import { WebSocket } from 'ws'
import type { VoiceEvent, VoiceRequest } from '../api/index.ts'
import { LoqaError } from '../host/errors.ts'
import { NodeError, NoNodeError } from './failures.ts'
import type { Whereabouts } from './find-node.ts'

export interface VoiceConnection {
  /** 16 kHz mono s16. */
  send(samples: Int16Array): void
  finish(): void
  close(): void
  /** Asks whether the node is there; `handlers.alive` hears the answer. */
  ping(): void
  /** Ends it at once, without a goodbye nobody would hear; `closed` is not called. */
  drop(): void
}

export interface VoiceHandlers {
  event(event: VoiceEvent): void
  audio(samples: Int16Array): void
  /** Something came from the node. */
  alive?(): void
  /** The node ended it; not called after `close`. */
  closed(error: LoqaError): void
}

/** For a node that is busy with its start. */
const CONNECT_MS = 5_000

/** Errors: `NoNodeError`; `NodeError` when the node refuses. */
export function connectVoice(
  where: Pick<Whereabouts, 'url' | 'token'>,
  request: VoiceRequest,
  handlers: VoiceHandlers,
  connect_ms = CONNECT_MS,
): Promise<VoiceConnection> {
  const { heard, wake, ...words } = request
  const query = new URLSearchParams({
    ...words,
    ...(heard === undefined ? {} : { heard: written(heard) }),
    ...(wake === undefined ? {} : { wake: wake ? 'on' : 'off' }),
  })
  const socket = new WebSocket(`${where.url.replace(/^http/, 'ws')}/api/v1/voice?${query}`, {
    perMessageDeflate: false,
    handshakeTimeout: connect_ms,
    ...(where.token === undefined ? {} : { headers: { authorization: `Bearer ${where.token}` } }),
  })
  const { promise, resolve, reject } = Promise.withResolvers<VoiceConnection>()
  let open = false
  let leaving = false

  const connection: VoiceConnection = {
    send: (samples) => socket.send(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)),
    finish: () => socket.send(JSON.stringify({ type: 'finish' })),
    close: () => {
      leaving = true
      socket.close(1000)
    },
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.ping()
    },
    drop: () => {
      leaving = true
      socket.terminate()
    },
  }
  const ended = (error: LoqaError): void => {
    if (leaving) return
    leaving = true
    if (open) handlers.closed(error)
    else reject(error)
  }
  socket.on('pong', () => handlers.alive?.())
  socket.on('message', (data: Buffer, binary: boolean) => {
    handlers.alive?.()
    if (binary) {
      handlers.audio(samplesOf(data))
      return
    }
    const event = JSON.parse(data.toString()) as VoiceEvent
    if (event.type === 'ready' && !open) {
      open = true
      resolve(connection)
    }
    if (event.type === 'error' && !open) {
      ended(new NodeError(event))
      return
    }
    handlers.event(event)
  })
  socket.on('unexpected-response', (_request, response) => {
    const parts: Buffer[] = []
    response.on('data', (part: Buffer) => parts.push(part))
    response.on('end', () => ended(refusalIn(Buffer.concat(parts).toString(), where)))
    response.on('error', () => ended(refusalIn('', where)))
  })
  socket.on('error', (error) => {
    ended(
      open
        ? new LoqaError('connection-lost', 'The connection to the node broke', { cause: error })
        : new NoNodeError(`No node answers at ${where.url}`, error),
    )
  })
  socket.on('close', (code: number, reason: Buffer) => {
    const said = reason.toString() || `code ${code}`
    ended(
      new LoqaError(
        code === 1013 ? 'overloaded' : 'connection-lost',
        `The node closed the connection: ${said}`,
      ),
    )
  })
  return promise
}

const written = ({ turn, samples }: NonNullable<VoiceRequest['heard']>): string =>
  samples === null ? String(turn) : `${turn}:${samples}`

function refusalIn(body: string, where: Pick<Whereabouts, 'url'>): LoqaError {
  try {
    const { error } = JSON.parse(body) as { error: { code: string; message: string; hint?: string } }
    return new NodeError(error)
  } catch {
    return new NoNodeError(`What answers at ${where.url} is not a loqa node`)
  }
}

/** Copies, because the message's buffer may start at an odd address. */
const samplesOf = (data: Buffer): Int16Array =>
  new Int16Array(new Uint8Array(data.subarray(0, data.length - (data.length % 2))).buffer)
