/** The API's own description: an OpenAPI 3.1 document from the table of operations, and a page to read it. Pure. */
import { z } from 'zod'
import { OPENAI_PATHS } from './openai/index.ts'
import type { Operation } from './operation.ts'
import { operations } from './operations.ts'
import { failure, voiceQuery } from './shapes.ts'

type Json = Readonly<Record<string, unknown>>

/** Refusals any operation may give. */
const COMMON_ERRORS = [401, 403, 421, 429, 500]
const REASONS: Readonly<Record<number, string>> = {
  400: 'The request does not fit its schema',
  401: 'The token is missing or wrong',
  403: 'The page is of another site',
  404: 'There is no such thing',
  409: 'Not possible as things are',
  413: 'The text or body is too large',
  421: 'The Host header is not a name of this node',
  429: 'Too many requests from this address; Retry-After says when',
  500: 'A defect; the log names it',
  503: 'Not possible now; try again in a moment',
  504: 'The answer took too long',
}

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    const path = documented(operation.path)
    paths[path] = {
      ...paths[path],
      [operation.method.toLowerCase()]: describe(operation),
    }
  }
  paths['/api/v1/voice'] = { get: describeVoice() }
  paths['/api/v1/events'] = { get: describeEvents() }
  for (const { method, path, summary } of OPENAI_PATHS)
    paths[documented(path)] = {
      [method.toLowerCase()]: { summary, responses: { 200: { description: "As OpenAI's API has it" } } },
    }
  return {
    openapi: '3.1.0',
    info: {
      title: 'loqa-node',
      version,
      description:
        'A node of the household: ask it, speak with it, watch it. Errors are { error: { code, message, hint } }.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
    },
    security: [{}, { token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Failure: schemaOf(failure, 'output') },
    },
    paths,
  }
}

/** `/sessions/:id` as OpenAPI writes it. */
export const documented = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}')

function describe(operation: Operation): Json {
  const responses: Record<string, Json> = {
    200: {
      description: 'Done',
      content: { [operation.contentType]: { schema: schemaOf(operation.response, 'output') } },
    },
  }
  for (const status of [...operation.errors, ...COMMON_ERRORS].sort()) {
    responses[status] = {
      description: REASONS[status] ?? 'Failed',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
    }
  }
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...parametersIn(operation),
    ...(operation.request === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(operation.request, 'input') } },
          },
        }),
    responses,
  }
}

const SWITCHED = { 101: { description: 'The connection is a WebSocket now' } }

function parametersIn({ params, query }: Operation): Json {
  const parts = Object.entries(params?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemaOf(schema as z.ZodType, 'input'),
  }))
  const parameters = [...parts, ...(query === undefined ? [] : parametersOf(query))]
  return parameters.length === 0 ? {} : { parameters }
}

function parametersOf(query: z.ZodType): readonly Json[] {
  const { properties = {} } = schemaOf(query, 'input') as { properties?: Record<string, Json> }
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }))
}

function describeVoice(): Json {
  return {
    operationId: 'voice',
    summary: 'A satellite: sound up, sound and events down (WebSocket).',
    description: [
      'Binary messages both ways are PCM, s16le, mono, 16 kHz, of any length up to 64 KiB; a split sample is put together again.',
      'Text messages up: {"type":"finish"} ends the recording at once, {"type":"ping"} keeps a silent connection open.',
      'Text messages down: ready, speech-started, partial, final, reply, turn, stop-playback, reply-end, tone, announce, card, notice, error.',
      'Close codes: 1001 the node stops, 1008 messages it cannot read, 1009 too large, 1013 too many connections or not read, 4408 idle.',
      'A browser offers the token as a subprotocol: new WebSocket(url, ["loqa.v1", "loqa.bearer." + token]).',
    ].join(' '),
    parameters: parametersOf(voiceQuery),
    responses: SWITCHED,
  }
}

const describeEvents = (): Json => ({
  operationId: 'events',
  summary: 'What happens on the node (WebSocket): the status when it changes, each finished turn.',
  responses: SWITCHED,
})

/** One page without script and without any request beside its own style sheet. */
export function docsPage(version: string): string {
  const rows = operations.map((operation) => {
    const body =
      operation.request === undefined
        ? ''
        : `<h3>Takes</h3><pre>${asHtml(JSON.stringify(schemaOf(operation.request, 'input'), null, 2))}</pre>`
    const gives =
      operation.contentType === 'application/json'
        ? `<pre>${asHtml(JSON.stringify(schemaOf(operation.response, 'output'), null, 2))}</pre>`
        : `<p><code>${operation.contentType}</code></p>`
    return section(operation.method, operation.path, operation.summary, `${body}<h3>Gives</h3>${gives}`)
  })
  const voice = describeVoice()
  rows.push(
    section('WS', '/api/v1/voice', String(voice.summary), `<p>${asHtml(String(voice.description))}</p>`),
  )
  rows.push(section('WS', '/api/v1/events', String(describeEvents().summary), ''))
  for (const { method, path, summary } of OPENAI_PATHS) rows.push(section(method, path, summary, ''))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>loqa-node API</title>
<link rel="stylesheet" href="/api/docs/style.css">
</head>
<body>
<main>
<h1>loqa-node API <small>${asHtml(version)}</small></h1>
<p>Machine readable: <a href="/api/docs/json">/api/docs/json</a> (OpenAPI 3.1). Errors are
<code>{ "error": { "code", "message", "hint" } }</code>.</p>
<pre>curl -s http://127.0.0.1:7420/api/v1/ask -H 'content-type: application/json' -d '{"text":"what time is it"}'</pre>
${rows.join('\n')}
</main>
</body>
</html>
`
}

const section = (method: string, path: string, summary: string, body: string): string =>
  `<details><summary><b>${method}</b> <code>${asHtml(path)}</code> ${asHtml(summary)}</summary>${body}</details>`

const asHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export const DOCS_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
small { font-weight: normal; opacity: .7 }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .6rem 0 }
summary { cursor: pointer }
summary b { display: inline-block; min-width: 3rem }
h3 { font-size: 1rem; margin: .6rem 0 0 }
pre { overflow-x: auto; padding: .8rem; border-radius: .4rem; background: color-mix(in srgb, currentColor 7%, transparent) }
`
