/** The paths below `/v1` around a scripted node: who may call, how failures look, what a stream does when its engine fails. */
import { afterEach, describe, expect, it } from 'vitest'
import { buildServer } from '../../../src/api/server.ts'
import { LoqaError } from '../../../src/host/index.ts'
import { realHost } from '../../../src/host/real.ts'
import { settings } from '../live.ts'
import { ScriptedView } from '../scripted-view.ts'

type Server = Awaited<ReturnType<typeof buildServer>>
let server: Server | undefined
afterEach(() => server?.close())

const TOKEN = 'a'.repeat(40)
const local = { host: '127.0.0.1:7420' }
const json = { ...local, 'content-type': 'application/json' }
const hello = { model: 'default', messages: [{ role: 'user', content: 'hello' }] }

async function routes(changes: Partial<typeof settings> = {}, token?: string) {
  const view = new ScriptedView()
  const defects: unknown[] = []
  server = await buildServer({
    view,
    clock: realHost().clock,
    settings: { ...settings, ...changes },
    token,
    defect: (error) => defects.push(error),
  })
  const { app } = server
  const post = (url: string, payload: object | string, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url, headers, payload })
  return { view, post, get: (url: string, headers = local) => app.inject({ url, headers }), defects }
}

describe('who may call', () => {
  it('is decided as for the rest of the API, and said in the shape of this one', async () => {
    const { get } = await routes({}, TOKEN)
    const refused = await get('/v1/models')
    expect(refused.statusCode).toBe(401)
    expect(refused.json().error).toMatchObject({
      type: 'authentication_error',
      code: 'invalid_api_key',
      param: null,
    })
    expect(
      (await get('/v1/models', { ...local, authorization: `Bearer ${TOKEN}` } as never)).statusCode,
    ).toBe(200)
    const rebound = await get('/v1/models', { host: 'evil.example' })
    expect(rebound.json().error).toMatchObject({ code: 'host_refused', type: 'invalid_request_error' })
    expect(rebound.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  })

  it('a page of another site may not', async () => {
    const { post, view } = await routes()
    const page = await post('/v1/chat/completions', hello, { ...json, origin: 'http://evil.example' })
    expect(page.statusCode).toBe(403)
    expect(view.wrote).toEqual([])
  })
})

describe('a failure', () => {
  it('has the shape of the API, whatever refused', async () => {
    const { get, post, defects } = await routes()
    const cases = [
      [await get('/v1/nothing'), 404, 'not_found'],
      [await post('/v1/chat/completions', '{', json), 400, 'invalid_input'],
      [await post('/v1/chat/completions', '[]', json), 400, 'invalid_input'],
      [
        await post('/v1/chat/completions', 'a=b', { ...local, 'content-type': 'text/plain' }),
        415,
        'unsupported_media_type',
      ],
      [await post('/v1/chat/completions', `{"a":"${'a'.repeat(600_000)}"}`), 413, 'too_large'],
      [await post('/v1/audio/transcriptions', hello), 415, 'unsupported_media_type'],
      [await post('/v1/embeddings', { model: 'default', input: [1, 2] }), 400, 'invalid_input'],
    ] as const
    for (const [response, status, code] of cases) {
      expect(response.statusCode, response.body).toBe(status)
      expect(response.json().error).toMatchObject({ code, type: 'invalid_request_error' })
    }
    expect(defects).toEqual([])
  })

  it('of the engine before its first word is a status; after it, the last event', async () => {
    const { post, view, defects } = await routes()
    const crash = new LoqaError('engine-crashed', 'The engine ended', { retryable: true })
    view.onWrite = async function* () {
      yield await Promise.reject(crash)
    }
    const early = await post('/v1/chat/completions', { ...hello, stream: true })
    expect(early.statusCode).toBe(503)
    expect(early.json().error).toMatchObject({ type: 'server_error', code: 'engine_crashed' })
    view.onWrite = async function* () {
      yield { type: 'text', text: 'Good' }
      throw crash
    }
    const late = await post('/v1/chat/completions', { ...hello, stream: true })
    expect(late.statusCode).toBe(200)
    const events = late.body.trim().split('\n\n')
    expect(JSON.parse(events.at(-1)!.slice('data: '.length))).toMatchObject({
      error: { code: 'engine_crashed' },
    })
    expect(late.body).not.toContain('[DONE]')
    expect(defects).toEqual([])
  })

  it('of an engine that says nothing is one of time', async () => {
    const { post, view } = await routes({ ask_timeout_ms: 50 })
    view.onWrite = async function* (_request, signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    }
    const response = await post('/v1/chat/completions', hello)
    expect(response.statusCode).toBe(504)
    expect(response.json().error.code).toBe('timeout')
  })
})

describe('a chat', () => {
  it('that is answered says of what, and as what', async () => {
    const { post, view } = await routes()
    const answer = (
      await post('/v1/chat/completions', { ...hello, temperature: 0.5, user: 'me', seed: -1 })
    ).json()
    expect(answer).toMatchObject({
      object: 'chat.completion',
      model: 'writer',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Good morning' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    })
    expect(view.wrote).toEqual([{ messages: hello.messages, temperature: 0.5, seed: 0xffff_ffff }])
  })

  it('as a stream begins with the role, ends with the reason and says that it is done', async () => {
    const { post } = await routes()
    const { body, headers } = await post('/v1/chat/completions', { ...hello, stream: true })
    expect(headers['content-type']).toContain('text/event-stream')
    const events = body
      .trim()
      .split('\n\n')
      .map((line) => line.slice('data: '.length))
    expect(events.pop()).toBe('[DONE]')
    const chunks = events.map(
      (event) => JSON.parse(event) as { choices: { delta: object; finish_reason: string | null }[] },
    )
    expect(chunks.map(({ choices }) => choices[0])).toMatchObject([
      { delta: { role: 'assistant' }, finish_reason: null },
      { delta: { content: 'Good ' } },
      { delta: { content: 'morning' } },
      { delta: {}, finish_reason: 'stop' },
    ])
  })
})
