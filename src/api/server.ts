/**
 * The HTTP server: Fastify around the table of operations. Everything is bounded: sockets, headers, bodies, the time
 * a request may take to arrive, requests per address, voice connections. Nothing of another site gets in (`guard.ts`).
 */
import { Readable } from 'node:stream'
import websocket from '@fastify/websocket'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { z } from 'zod'
import type { Clock } from '../host/index.ts'
import {
  InvalidInputError,
  LoqaError,
  limits,
  NotFoundError,
  OverloadedError,
  TimeoutError,
} from '../host/index.ts'
import { EventFeed } from './events.ts'
import { type Failure, fail, failureOf, invalidInput } from './failure.ts'
import { type GuardedRequest, type GuardRules, hasToken, refusal } from './guard.ts'
import { SECURITY_HEADERS } from './headers.ts'
import { isOpenAiPath, openAiError, openAiRoutes } from './openai/index.ts'
import { DOCS_STYLE, docsPage, openApi } from './openapi.ts'
import type { Operation } from './operation.ts'
import { given, methodNotAllowed, operations } from './operations.ts'
import { type PageReader, pageRoutes } from './page.ts'
import { RateLimiter } from './rate.ts'
import { MAX_HEADER_BYTES, named, REQUEST_TIMEOUT_MS, readJson, refuseBroken } from './refusals.ts'
import { alsoSecure } from './secure.ts'
import { voiceQuery } from './shapes.ts'
import { watchUpgrades } from './upgrades.ts'
import type { NodeView } from './view.ts'
import { CLOSE, type Socket, VoiceSocket } from './voice-socket.ts'
import { streamingWavHeader } from './wav-header.ts'

export interface ApiSettings {
  readonly host: string
  readonly port: number
  readonly allowed_hosts: readonly string[]
  readonly allowed_origins: readonly string[]
  readonly requests_per_minute: number
  readonly ask_timeout_ms: number
  readonly max_voice_connections: number
  readonly voice_idle_timeout_s: number
}

export interface ApiParts {
  readonly view: NodeView
  readonly clock: Clock
  readonly settings: ApiSettings
  /** Content of `api.token_file`; needed when others can reach the address. */
  readonly token?: string | undefined
  /** A private key and its certificate, PEM: https is answered on the same port. Absent: http alone. */
  readonly https?: string | undefined
  /** Absent: there is no page at `/`. */
  readonly page?: PageReader
  /** Counts an answered request by route and status class. */
  readonly counted?: (route: string, status: string) => void
  /** Something went wrong that nobody named: for the log. */
  readonly defect?: (error: unknown, route: string) => void
}

const HEADERS_TIMEOUT_MS = 5_000
/** How often the two timeouts above are looked at. */
const CHECK_INTERVAL_MS = 1_000
const KEEP_ALIVE_MS = 10_000
/** All sockets: voice, watchers, requests. Each costs some 50 KiB. */
const MAX_SOCKETS = 512
const MAX_WATCHERS = 32
/** At stop, open sockets get so long to read their goodbye. */
const GOODBYE_MS = 500

/** The table of operations carries its own schemas. Loading the compilers Fastify brings would cost a start 70 ms. */
const noSchemas = () => {
  throw new Error('Routes have no schemas for Fastify')
}
const NO_SCHEMAS = { compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas } }

export interface ApiServer {
  readonly app: FastifyInstance
  /** Ends what is open: voice connections with 1001, requests after they were answered. */
  close(): Promise<void>
}

export async function buildServer(parts: ApiParts): Promise<ApiServer> {
  const { view, clock, settings } = parts
  const rules: GuardRules = {
    allowed_hosts: settings.allowed_hosts,
    allowed_origins: settings.allowed_origins,
    token: parts.token,
  }
  const rate = new RateLimiter(settings.requests_per_minute, Math.max(1, settings.requests_per_minute / 10))
  const feed = new EventFeed(view, clock)
  const voices = new Set<VoiceSocket>()
  const watchers = new Set<Socket>()
  const version = view.status().node.version
  let stopping = false

  const app = fastify({
    logger: false,
    schemaController: NO_SCHEMAS,
    bodyLimit: limits.MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 128 },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    clientErrorHandler: refuseBroken,
    frameworkErrors: (error, _request, reply) => {
      reply.headers(SECURITY_HEADERS)
      return send(reply, failureOf(named(error)))
    },
  })
  app.server.maxConnections = MAX_SOCKETS
  const secured = parts.https === undefined ? undefined : alsoSecure(app.server, parts.https, clock)
  const upgrades = watchUpgrades(app.server, clock)
  await app.register(websocket, {
    options: {
      maxPayload: limits.MAX_SOCKET_MESSAGE_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered: Set<string>) => (offered.has('loqa.v1') ? 'loqa.v1' : false),
    },
    preClose: (done: () => void) => done(),
  })
  app.websocketServer.on('connection', (_socket, request) => upgrades.established(request.socket))

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJson(body as Buffer))
    } catch (thrown) {
      done(thrown as Error)
    }
  })

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    const guarded = guardedRequest(request)
    const refused = refusal(guarded, rules)
    if (refused !== undefined) return send(reply, refused)
    if (guarded.path === '/healthz') return
    const wait_ms = rate.take(request.ip, clock.monotonic())
    if (wait_ms > 0) {
      reply.header('retry-after', String(Math.ceil(wait_ms / 1000)))
      return send(
        reply,
        fail(
          'rate-limited',
          'Too many requests from this address',
          'Slow down, or raise api.requests_per_minute.',
        ),
      )
    }
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    parts.counted?.(route, `${Math.floor(reply.statusCode / 100)}xx`)
  })
  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(named(error))
    if (failure.error.code === 'unexpected') parts.defect?.(error, request.routeOptions.url ?? 'none')
    return send(reply, failure)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request)
    const missing =
      methodNotAllowed(path) ?? new NotFoundError('This path', 'See /api/docs for all that exist.')
    return send(reply, failureOf(missing))
  })

  for (const operation of operations) {
    app.route({
      method: operation.method,
      url: operation.path,
      ...(operation.most_bytes === undefined ? {} : { bodyLimit: operation.most_bytes }),
      handler: (request, reply) => answer(operation, request, reply),
    })
  }
  await app.register(
    (scope) => openAiRoutes(scope, { view, clock, wait_ms: settings.ask_timeout_ms, defect: parts.defect }),
    { prefix: '/v1' },
  )
  if (parts.page !== undefined) pageRoutes(app, parts.page)
  app.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(docsPage(version)))
  app.get('/api/docs/style.css', (_request, reply) => reply.type('text/css').send(DOCS_STYLE))
  app.get('/api/docs/json', () => openApi(version))
  app.route({ method: 'GET', url: '/api/v1/voice', handler: needsUpgrade, wsHandler: openVoice })
  app.route({ method: 'GET', url: '/api/v1/events', handler: needsUpgrade, wsHandler: openEvents })

  async function answer(
    operation: Operation,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const deadline = new AbortController()
    const over = clock.after(settings.ask_timeout_ms, () =>
      deadline.abort(new TimeoutError('The answer', settings.ask_timeout_ms)),
    )
    reply.raw.once('close', () => {
      over()
      deadline.abort()
    })
    const { status = 200, body } = await operation.run({
      view,
      body: operation.request === undefined ? undefined : validBody(operation, request),
      query: validQuery(operation, request),
      params: operation.params === undefined ? {} : valid(operation.params, request.params),
      signal: deadline.signal,
      trusted: hasToken(guardedRequest(request), rules),
      told: (turn) => feed.turn(turn),
    })
    if (operation.contentType === 'audio/wav') return sendSpeech(reply, body as ReturnType<NodeView['say']>)
    if (operation.contentType === 'application/x-ndjson') {
      return reply.type(operation.contentType).send(Readable.from(body as AsyncIterable<string>))
    }
    if (operation.contentType === 'text/plain') {
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(body)
    }
    return reply.code(status).send(body)
  }

  function openVoice(socket: Socket, request: FastifyRequest): void {
    const query = voiceQuery.safeParse(request.query)
    if (!query.success) {
      refuseSocket(socket, CLOSE.unreadable, invalidInput(query.error))
      return
    }
    if (voices.size >= settings.max_voice_connections) {
      refuseSocket(
        socket,
        CLOSE.overloaded,
        new OverloadedError('This node', `${settings.max_voice_connections} voice connections`),
      )
      return
    }
    const begin = (): void => {
      const voice = new VoiceSocket(socket, {
        view,
        clock,
        request: given(query.data),
        idle_timeout_ms: settings.voice_idle_timeout_s * 1000,
        told: (turn) => feed.turn(turn),
      })
      voices.add(voice)
      socket.on('close', () => voices.delete(voice))
      if (stopping) voice.close(CLOSE.stopping, 'The node stops')
    }
    const { heard, session } = query.data
    if (heard === undefined || session === undefined) begin()
    else void comingBack(socket, session, begin)
  }

  /** Its conversation may live on another node: it is asked for first, and what the satellite says meanwhile waits. */
  async function comingBack(socket: Socket, session: string, begin: () => void): Promise<void> {
    let open = true
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      open = false
    })
    socket.pause()
    await view.bring(session)
    if (!open) return
    begin()
    socket.resume()
  }

  function openEvents(socket: Socket): void {
    socket.on('error', () => socket.terminate())
    if (watchers.size >= MAX_WATCHERS) {
      refuseSocket(socket, CLOSE.overloaded, new OverloadedError('This node', `${MAX_WATCHERS} watchers`))
      return
    }
    watchers.add(socket)
    const unwatch = feed.watch((event) => {
      // A watcher that does not read misses events rather than filling the memory.
      if (socket.bufferedAmount < limits.MAX_FRAME_BYTES) socket.send(JSON.stringify(event))
    })
    socket.on('close', () => {
      watchers.delete(socket)
      unwatch()
    })
  }

  return {
    app,
    async close() {
      stopping = true
      for (const voice of voices) voice.close(CLOSE.stopping, 'The node stops')
      for (const socket of watchers) socket.close(CLOSE.stopping, 'The node stops')
      const late = clock.after(GOODBYE_MS, () => {
        upgrades.dropAll()
        secured?.dropAll()
      })
      await app.close()
      late()
    },
  }
}

const send = (reply: FastifyReply, failure: Failure): FastifyReply => {
  const body = isOpenAiPath(pathOf(reply.request)) ? openAiError(failure) : { error: failure.error }
  return reply.code(failure.status).type('application/json').send(body)
}

const needsUpgrade = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
  send(reply, fail('upgrade-required', 'This path is a WebSocket', 'Connect with ws://; see /api/docs.'))

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!

const guardedRequest = (request: FastifyRequest): GuardedRequest => ({
  path: pathOf(request),
  host: request.headers.host,
  origin: request.headers.origin,
  authorization: request.headers.authorization,
  protocols: request.headers['sec-websocket-protocol'],
})

function validBody(operation: Operation, request: FastifyRequest): unknown {
  if (request.body === undefined) {
    throw new InvalidInputError('The body is missing', 'Send JSON with content-type: application/json.')
  }
  return valid(operation.request!, request.body)
}

function valid(schema: z.ZodType, given: unknown): unknown {
  const read = schema.safeParse(given)
  if (!read.success) throw invalidInput(read.error)
  return read.data
}

/** An operation that takes no query has never looked at one: it still does not. */
function validQuery({ query }: Operation, request: FastifyRequest): unknown {
  if (query === undefined) return undefined
  const read = query.safeParse(request.query)
  if (!read.success) throw invalidInput(read.error)
  return read.data
}

/** Waits for the first sound, so that a failure before it is a proper error; then streams. */
async function sendSpeech(reply: FastifyReply, speech: ReturnType<NodeView['say']>): Promise<FastifyReply> {
  const chunks = speech[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done === true) throw new LoqaError('engine-unavailable', 'No speech was made for this text')
  async function* wav(head: { pcm: Uint8Array; sample_rate: number }): AsyncGenerator<Uint8Array> {
    try {
      yield streamingWavHeader(head.sample_rate)
      yield head.pcm
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        yield next.value.pcm
    } finally {
      await chunks.return?.()
    }
  }
  return reply.type('audio/wav').send(Readable.from(wav(first.value), { objectMode: false }))
}

function refuseSocket(socket: Socket, code: number, error: LoqaError): void {
  socket.on('error', () => socket.terminate())
  const { code: name, message, hint } = error
  socket.send(JSON.stringify({ type: 'error', code: name, message, ...(hint === undefined ? {} : { hint }) }))
  socket.close(code, Buffer.from(message).subarray(0, 123).toString())
}
