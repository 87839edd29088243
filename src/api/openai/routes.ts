/** The paths below `/v1`: reads the request, asks the node, sends what came of it. Decisions are in the pure files beside this one. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { type Clock, InvalidInputError, LoqaError, NotFoundError, OverloadedError } from '../../host/index.ts'
import { failureOf } from '../failure.ts'
import { named } from '../refusals.ts'
import type { NodeView } from '../view.ts'
import { begun, serverSent, type Wait, waitFor } from './answering.ts'
import { answerChunks, wholeAnswer } from './chat.ts'
import { chatRequest, refuseUnkept } from './chat-shapes.ts'
import { embeddingReply, embeddingRequest } from './embeddings.ts'
import { misfit, openAiError, ParameterError } from './errors.ts'
import { chooseModel, modelRows } from './models.ts'
import { encoded, speechRequest, voiceOf } from './speech.ts'
import { formatted, type Segment, textOf, usageOf } from './transcript.ts'
import { readRecording, transcribe } from './transcription.ts'
import { MAX_UPLOAD_BYTES, readUpload, type Upload } from './upload.ts'

export interface OpenAiParts {
  readonly view: NodeView
  readonly clock: Clock
  /** Between one sign of life of an engine and the next. */
  readonly wait_ms: number
  readonly defect?: ((error: unknown, route: string) => void) | undefined
}

/** What an engine takes of a conversation, in JSON with its escapes, and the schemas of tools beside it. */
const MAX_JSON_BYTES = 512 * 1024
/** Of all recordings being read: two of the largest, or many sentences. While it is read each stands in memory twice. */
const MAX_HELD_BYTES = 2 * MAX_UPLOAD_BYTES
/** Each is a run of a recogniser. */
const MAX_UPLOADS = 32

export async function openAiRoutes(app: FastifyInstance, parts: OpenAiParts): Promise<void> {
  const { view, clock, wait_ms } = parts
  const created = Math.floor(clock.wall() / 1_000)
  let answers = 0
  let uploads = 0
  let held = 0
  const newId = (prefix: string): string => {
    answers += 1
    return `${prefix}-${created.toString(36)}${answers.toString(36).padStart(6, '0')}`
  }

  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  app.setErrorHandler((error, request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    return sendFailure(reply, told(sized(error, request), route))
  })
  app.setNotFoundHandler((_request, reply) =>
    sendFailure(reply, told(new NotFoundError('This path', 'See /api/docs for all that exist.'), 'none')),
  )

  function told(thrown: unknown, route: string) {
    const error = named(thrown)
    const failure = failureOf(error)
    if (failure.error.code === 'unexpected') parts.defect?.(thrown, route)
    const param = error instanceof ParameterError && error.param !== '' ? error.param : null
    return { status: failure.status, body: openAiError(failure, param) }
  }

  app.get('/models', () => ({ object: 'list', data: modelRows(view.engines(), created) }))
  app.get('/models/:id', (request) => {
    const { id } = request.params as { id: string }
    const row = modelRows(view.engines(), created).find((one) => one.id === id)
    if (row === undefined)
      throw new LoqaError('model-unknown', `There is no model called ${JSON.stringify(id)} here`)
    return row
  })

  app.post('/chat/completions', { bodyLimit: MAX_JSON_BYTES }, async (request, reply) => {
    refuseUnkept(jsonBody(request))
    const asked = read(chatRequest, request)
    const { name, engine } = chooseModel(view.engines(), 'llm', asked.model)
    const head = { id: newId('chatcmpl'), created: now(clock), model: name, call: newId('call') }
    const given = { view, engine, head, wait: waitFor(reply, clock, wait_ms) }
    if (asked.stream !== true) return wholeAnswer(asked, given)
    return stream(reply, await begun(answerChunks(asked, given)), 'done')
  })

  app.post('/embeddings', { bodyLimit: MAX_JSON_BYTES }, async (request, reply) => {
    const asked = read(embeddingRequest, request)
    const { name, engine } = chooseModel(view.engines(), 'llm', asked.model)
    const wait = waitFor(reply, clock, wait_ms)
    const embedded = []
    for (const text of [asked.input].flat()) {
      embedded.push(await view.embed({ text, ...(engine === undefined ? {} : { engine }) }, wait.signal))
      wait.heard()
    }
    wait.check()
    return embeddingReply(asked, name, embedded)
  })

  app.post('/audio/speech', async (request, reply) => {
    const asked = read(speechRequest, request)
    if (asked.stream_format === 'sse')
      throw new ParameterError('stream_format', 'stream_format: this node sends the sound itself, as "audio"')
    const { engine } = chooseModel(view.engines(), 'tts', asked.model)
    const wait = waitFor(reply, clock, wait_ms)
    const voice = voiceOf(asked)
    const sounds = view.say(
      {
        text: asked.input,
        ...(voice === undefined ? {} : { voice }),
        ...(asked.speed == null ? {} : { speed: asked.speed }),
        ...(engine === undefined ? {} : { engine }),
      },
      wait.signal,
    )
    const format = asked.response_format ?? 'wav'
    const bytes = await begun(encoded(heard(sounds, wait), format))
    wait.check()
    reply.type(format === 'wav' ? 'audio/wav' : 'audio/pcm')
    return reply.send(Readable.from(bytes, { objectMode: false }))
  })

  app.post(
    '/audio/transcriptions',
    {
      bodyLimit: MAX_UPLOAD_BYTES,
      // Before the body is read, so that it never stands in memory.
      onRequest: async (request, reply) => {
        const bytes = Number(request.headers['content-length'] ?? MAX_UPLOAD_BYTES)
        if (uploads >= MAX_UPLOADS || held + bytes > MAX_HELD_BYTES)
          throw new OverloadedError('This node', `${uploads} uploads`)
        uploads += 1
        held += bytes
        reply.raw.once('close', () => {
          uploads -= 1
          held -= bytes
        })
      },
    },
    async (request, reply) => {
      if (!Buffer.isBuffer(request.body))
        throw new LoqaError('unsupported-media-type', 'A recording is sent as multipart/form-data')
      const upload = await readUpload(request.headers['content-type'] ?? '', request.body)
      const { engine } = chooseModel(view.engines(), 'stt', upload.model)
      const recording = readRecording(upload.file)
      const wait = waitFor(reply, clock, wait_ms)
      const segments = heard(transcribe(view, recording, engine, wait.signal), wait)
      if (upload.stream)
        return stream(reply, await begun(transcriptEvents(segments, recording.seconds)), 'nothing')
      return sendTranscript(reply, upload, await gathered(segments), recording.seconds)
    },
  )

  function stream(
    reply: FastifyReply,
    events: AsyncIterable<object>,
    last: 'done' | 'nothing',
  ): FastifyReply {
    const failed = (thrown: unknown): object => told(thrown, 'stream').body
    const text = Readable.from(serverSent(events, failed, last))
    return reply.type('text/event-stream; charset=utf-8').send(text)
  }
}

function sendTranscript(
  reply: FastifyReply,
  { response_format }: Upload,
  segments: readonly Segment[],
  seconds: number,
): FastifyReply {
  const { type, body } = formatted({ segments, seconds }, response_format)
  return reply.type(type).send(body)
}

async function* transcriptEvents(
  segments: AsyncIterable<Segment>,
  seconds: number,
): AsyncGenerator<object, void, void> {
  const all: Segment[] = []
  for await (const segment of segments) {
    yield { type: 'transcript.text.delta', delta: all.length === 0 ? segment.text : ` ${segment.text}` }
    all.push(segment)
  }
  yield { type: 'transcript.text.done', text: textOf(all), usage: usageOf(seconds) }
}

/** Errors: `timeout` when the items ended because nothing came. */
async function* heard<T>(items: AsyncIterable<T>, wait: Wait): AsyncGenerator<T, void, void> {
  for await (const item of items) {
    wait.heard()
    yield item
  }
  wait.check()
}

async function gathered<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export const sendFailure = (
  reply: FastifyReply,
  { status, body }: { readonly status: number; readonly body: object },
): FastifyReply => reply.code(status).type('application/json').send(body)

const now = (clock: Clock): number => Math.floor(clock.wall() / 1_000)

/** Each path has its own limit, which the refusal is to name. */
function sized(error: unknown, { routeOptions }: FastifyRequest): unknown {
  const isTooLarge =
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
  return isTooLarge
    ? new LoqaError('too-large', `The body is larger than ${routeOptions.bodyLimit} bytes`)
    : error
}

function jsonBody(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request
  if (typeof body !== 'object' || body === null || Array.isArray(body) || Buffer.isBuffer(body))
    throw new InvalidInputError('The body must be a JSON object', 'Send content-type: application/json.')
  return body as Readonly<Record<string, unknown>>
}

function read<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  const result = schema.safeParse(jsonBody(request))
  if (!result.success) throw misfit(result.error)
  return result.data
}
