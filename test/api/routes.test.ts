import { afterEach, describe, expect, it } from 'vitest'
import { documented } from '../../src/api/openapi.ts'
import { operations } from '../../src/api/operations.ts'
import { buildServer } from '../../src/api/server.ts'
import { LoqaError, OverloadedError } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { settings } from './live.ts'
import { ScriptedView, scriptedTurn } from './scripted-view.ts'

type Server = Awaited<ReturnType<typeof buildServer>>
let server: Server | undefined
afterEach(() => server?.close())

async function routes(
  changes: Partial<typeof settings> = {},
  token?: string,
): Promise<{ view: ScriptedView; inject: Server['app']['inject']; defects: unknown[] }> {
  const view = new ScriptedView()
  const defects: unknown[] = []
  server = await buildServer({
    view,
    clock: realHost().clock,
    settings: { ...settings, ...changes },
    token,
    defect: (error) => defects.push(error),
  })
  return { view, inject: server.app.inject.bind(server.app) as Server['app']['inject'], defects }
}

const local = { host: '127.0.0.1:7420' }
const json = { ...local, 'content-type': 'application/json' }

const payloads: Readonly<Record<string, object>> = {
  'household-approve': { code: '123 456' },
  'session-move': { node: 'cellar' },
  'household-revoke': { node: 'cellar' },
  'household-dismiss': { node: 'cellar' },
  'household-join': { node: 'cellar' },
  wipe: { confirm: 'wipe' },
  'approvals-decide': { allow: true },
  'skill-settings-choose': { key: 'days', value: 3 },
  'skill-secret': { key: 'api_key', value: 's3cret' },
  'skill-dev': { manifest: 'name: visitors', module: '' },
  'skill-dev-end': {},
  'persons-add': { name: 'Anna' },
  'persons-consent': { person: 'Anna', given: true },
  'persons-export': { person: 'Anna' },
  'persons-erase': { person: 'Anna' },
  'skills-add': { package: 'AAAA' },
  'skills-rm': { skill: 'weather' },
  'skills-pin': { skill: 'weather' },
  'skills-grant': { skill: 'weather' },
  'skills-enable': { skill: 'weather' },
  'skills-revoke': { kind: 'skill', what: 'weather' },
  'skills-trust': { publisher: 'acme', key: 'cd'.repeat(32) },
}
const payloadOf = (id: string): object =>
  payloads[id] ?? (/^(household|store|audit)|erase$/.test(id) ? {} : { text: 'hello' })

const urlOf = (path: string): string => path.replaceAll(/:\w+/g, 's1')

describe('every operation', () => {
  it.each(operations.map((operation) => [operation.id, operation] as const))(
    '%s gives what its shape says',
    async (_, operation) => {
      const { inject } = await routes()
      const response = await inject({
        method: operation.method,
        url: urlOf(operation.path),
        headers: operation.method === 'POST' ? json : local,
        ...(operation.method === 'POST' ? { payload: payloadOf(operation.id) } : {}),
      })
      expect(response.statusCode).toBe(200)
      expect(response.headers['content-type']).toContain(operation.contentType)
      if (operation.contentType === 'application/json') {
        expect(operation.response.safeParse(response.json()).error).toBeUndefined()
      }
    },
  )

  it('carries the headers that keep other sites out and no CORS', async () => {
    const { inject } = await routes()
    for (const url of ['/healthz', '/api/v1/status', '/api/docs', '/nothing', '/%ff']) {
      const { headers } = await inject({ url, headers: local })
      expect(headers['content-security-policy'], url).toContain("frame-ancestors 'none'")
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['cache-control']).toBe('no-store')
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('the household', () => {
  const post = async (action: string, payload: object) => {
    const { view, inject } = await routes()
    const url = `/api/v1/household/${action}`
    const response = await inject({ method: 'POST', url, headers: json, payload })
    return { view, status: response.statusCode, error: response.json().error?.code as string | undefined }
  }

  it('is changed by what a person asks for, and nothing else', async () => {
    expect((await post('open', { minutes: 5 })).view.changes).toEqual([{ action: 'open', minutes: 5 }])
    expect((await post('open', {})).view.changes).toEqual([{ action: 'open' }])
    expect((await post('revoke', { node: 'cellar' })).view.changes).toEqual([
      { action: 'revoke', node: 'cellar' },
    ])
    expect(await post('open', { minutes: 61 })).toMatchObject({ status: 400, error: 'invalid-input' })
    expect(await post('open', { forever: true })).toMatchObject({ status: 400, error: 'invalid-input' })
    expect(await post('approve', { code: '12345' })).toMatchObject({ status: 400, error: 'invalid-input' })
    expect(await post('revoke', {})).toMatchObject({ status: 400, error: 'invalid-input' })
  })

  it('says that a code is wrong', async () => {
    expect(await post('approve', { code: '000000' })).toMatchObject({ status: 403, error: 'code-wrong' })
  })
})

describe('the audit log', () => {
  it('takes what it can look for, and says what it cannot', async () => {
    const { inject } = await routes()
    const get = (query: string) => inject({ url: `/api/v1/audit?${query}`, headers: local })
    expect((await get('limit=1&what=skill.call&since=2026-01-02T03:04:05Z')).json()).toHaveLength(1)
    for (const wrong of ['limit=0', 'limit=1001', 'limit=x', 'since=yesterday', 'what=', 'whom=me'])
      expect((await get(wrong)).statusCode, wrong).toBe(400)
  })

  it('has nothing to acknowledge when it is whole', async () => {
    const { view, inject } = await routes()
    view.auditNow = { ...view.auditNow, ok: true, faulty: 0, faults: [] }
    const url = '/api/v1/audit/acknowledge'
    const response = await inject({ method: 'POST', url, headers: json, payload: {} })
    expect([response.statusCode, response.json().error.code]).toEqual([409, 'audit-unbroken'])
  })
})

describe('adding a skill', () => {
  it('takes more than other requests and no more than a package can be', async () => {
    const { view, inject } = await routes()
    const post = (bytes: number) => {
      const payload = { package: Buffer.alloc(bytes, 1).toString('base64'), dry_run: true }
      return inject({ method: 'POST', url: '/api/v1/skills/add', headers: json, payload })
    }
    expect((await post(4 * 1024 * 1024)).statusCode).toBe(200)
    expect((await post(6 * 1024 * 1024)).statusCode).toBe(413)
    expect(view.skills.wanted).toHaveLength(1)
  })

  it('has names for what is wrong', async () => {
    const { inject } = await routes()
    for (const payload of [{}, { package: 'no base64!' }, { package: 'AAAA', zone: 1 }]) {
      const response = await inject({ method: 'POST', url: '/api/v1/skills/add', headers: json, payload })
      expect([response.statusCode, response.json().error.code]).toEqual([400, 'invalid-input'])
    }
    expect((await inject({ url: '/api/v1/skills/nothing', headers: local })).statusCode).toBe(404)
  })
})

describe('asking', () => {
  it('hands on text, room and session, cleaned of line breaks', async () => {
    const { view, inject } = await routes()
    const payload = { text: ' what\ttime\nis it ', room: 'attic', session: 's7' }
    const response = await inject({ method: 'POST', url: '/api/v1/ask', headers: json, payload })
    expect(response.json()).toEqual(scriptedTurn)
    expect(view.asked).toEqual([{ text: 'what time is it', room: 'attic', session: 's7' }])
  })

  const refused: readonly (readonly [string, string | Buffer, number, string])[] = [
    ['no text', '{}', 400, 'invalid-input'],
    ['empty text', '{"text":"  "}', 400, 'invalid-input'],
    ['a number', '{"text":7}', 400, 'invalid-input'],
    ['an unknown key', '{"text":"a","txt":"b"}', 400, 'invalid-input'],
    ['control characters', '{"text":"a\\u0007b"}', 400, 'invalid-input'],
    ['half a surrogate pair', '{"text":"a\\ud800b"}', 400, 'invalid-input'],
    ['a strange session', '{"text":"a","session":"../x"}', 400, 'invalid-input'],
    ['what is not JSON', 'text=a', 400, 'invalid-input'],
    ['an array', '["text"]', 400, 'invalid-input'],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400, 'invalid-input'],
    ['nothing', '', 400, 'invalid-input'],
    ['a long text', JSON.stringify({ text: 'a'.repeat(4_097) }), 413, 'text-too-long'],
    ['a text of 1 MB', JSON.stringify({ text: 'a'.repeat(1_000_000) }), 413, 'too-large'],
    ['deep nesting', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 400, 'invalid-input'],
    ['a prototype', '{"text":"a","__proto__":{"x":1}}', 400, 'invalid-input'],
  ]
  it.each(refused)('%s is refused with a reason', async (_, payload, status, code) => {
    const { view, inject, defects } = await routes()
    const response = await inject({ method: 'POST', url: '/api/v1/ask', headers: json, payload })
    expect([response.statusCode, response.json().error?.code]).toEqual([status, code])
    expect(response.json().error.message).toMatch(/\w+ \w+/)
    expect(view.asked).toEqual([])
    expect(defects).toEqual([])
  })

  it('takes JSON only', async () => {
    const { inject } = await routes()
    const headers = { ...local, 'content-type': 'text/plain' }
    const response = await inject({ method: 'POST', url: '/api/v1/ask', headers, payload: 'hi' })
    expect([response.statusCode, response.json().error.code]).toEqual([415, 'unsupported-media-type'])
  })

  it('gives errors of the node their status and keeps defects to the log', async () => {
    const { view, inject, defects } = await routes()
    const ask = () => inject({ method: 'POST', url: '/api/v1/ask', headers: json, payload: { text: 'a' } })
    view.onAsk = async () => {
      throw new OverloadedError('The recogniser', '16 streams')
    }
    const busy = await ask()
    expect([busy.statusCode, busy.json().error.code, busy.json().error.hint]).toEqual([
      503,
      'overloaded',
      'Try again in a moment.',
    ])
    view.onAsk = async () => {
      throw new Error('secret words')
    }
    const defect = await ask()
    expect([defect.statusCode, defect.json().error.code]).toEqual([500, 'unexpected'])
    expect(defect.body).not.toContain('secret')
    expect(defects).toHaveLength(1)
  })

  it('ends when the answer takes too long', async () => {
    const { view, inject } = await routes({ ask_timeout_ms: 20 })
    view.onAsk = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    const response = await inject({
      method: 'POST',
      url: '/api/v1/ask',
      headers: json,
      payload: { text: 'a' },
    })
    expect([response.statusCode, response.json().error.code]).toEqual([504, 'timeout'])
  })
})

describe('saying', () => {
  const say = {
    method: 'POST',
    url: '/api/v1/say',
    headers: json,
    payload: { text: 'hello', voice: 'low' },
  } as const

  it('streams a WAV', async () => {
    const { view, inject } = await routes()
    const response = await inject(say)
    expect(response.rawPayload.subarray(0, 4).toString()).toBe('RIFF')
    expect(response.rawPayload.readUInt32LE(24)).toBe(22_050)
    expect(response.rawPayload.length).toBe(44 + 2 * 441 * 2)
    expect(view.said).toEqual([{ text: 'hello', voice: 'low' }])
  })

  it('is a proper error when it fails before the first sound', async () => {
    const { view, inject } = await routes()
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give
    view.onSay = async function* () {
      throw new LoqaError('engine-unavailable', 'No voice is installed')
    }
    const failed = await inject(say)
    expect([failed.statusCode, failed.json().error.code]).toEqual([503, 'engine-unavailable'])
    view.onSay = async function* () {}
    expect((await inject(say)).statusCode).toBe(503)
  })
})

describe('what strangers see', () => {
  it('is whether the node is alive, nothing else', async () => {
    const { view, inject } = await routes({}, 't'.repeat(40))
    view.readyNow = { ready: false, reasons: ['the recogniser is loading /home/ada/model'] }
    expect((await inject({ url: '/healthz', headers: local })).body).toBe('{"ok":true}')
    const ready = await inject({ url: '/readyz', headers: local })
    expect([ready.statusCode, ready.body]).toEqual([503, '{"ready":false,"reasons":[]}'])
    for (const operation of operations.filter(({ path }) => !['/healthz', '/readyz'].includes(path))) {
      const response = await inject({
        method: operation.method,
        url: urlOf(operation.path),
        headers: json,
        payload: '{}',
      })
      expect(response.statusCode, operation.path).toBe(401)
    }
    for (const url of ['/api/docs', '/api/docs/json', '/api/v1/voice', '/nothing']) {
      expect((await inject({ url, headers: local })).statusCode, url).toBe(401)
    }
  })

  it('opens with the token', async () => {
    const token = 't'.repeat(40)
    const { view, inject } = await routes({}, token)
    view.readyNow = { ready: false, reasons: ['loading'] }
    const headers = { ...local, authorization: `Bearer ${token}` }
    expect((await inject({ url: '/api/v1/status', headers })).statusCode).toBe(200)
    expect((await inject({ url: '/readyz', headers })).json().reasons).toEqual(['loading'])
    const wrong = { ...local, authorization: `Bearer ${token}x` }
    expect((await inject({ url: '/api/v1/status', headers: wrong })).statusCode).toBe(401)
  })

  it('is no longer ok while it stops', async () => {
    const { view, inject } = await routes()
    view.statusNow = { ...view.statusNow, health: { state: 'stopping', reasons: [] } }
    expect((await inject({ url: '/healthz', headers: local })).statusCode).toBe(503)
  })
})

describe('paths', () => {
  it.each([
    ['GET', '/nothing', 404, 'not-found'],
    ['GET', '/api/v1/ask', 405, 'method-not-allowed'],
    ['DELETE', '/api/v1/status', 405, 'method-not-allowed'],
    ['GET', '/../../etc/passwd', 404, 'not-found'],
    ['GET', '/%ff', 400, 'invalid-input'],
    ['GET', '/api/v1/voice', 426, 'upgrade-required'],
    ['GET', '/api/v1/events', 426, 'upgrade-required'],
  ] as const)('%s %s gives %i', async (method, url, status, code) => {
    const { inject } = await routes()
    const response = await inject({ method, url, headers: local })
    expect([response.statusCode, response.json().error.code]).toEqual([status, code])
  })

  it('too many from one address are refused with the time to wait', async () => {
    const { inject } = await routes({ requests_per_minute: 30 })
    const codes = []
    for (let index = 0; index < 5; index++)
      codes.push((await inject({ url: '/metrics', headers: local })).statusCode)
    expect(codes).toEqual([200, 200, 200, 429, 429])
    const refused = await inject({ url: '/metrics', headers: local })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await inject({ url: '/healthz', headers: local })).statusCode).toBe(200)
  })
})

describe('the documentation', () => {
  it('is OpenAPI 3.1 with every operation and no dangling reference', async () => {
    const { inject } = await routes()
    const document = (await inject({ url: '/api/docs/json', headers: local })).json()
    expect(document.openapi).toBe('3.1.0')
    for (const { path, method } of operations)
      expect(document.paths[documented(path)]).toHaveProperty(method.toLowerCase())
    expect(document.paths).toHaveProperty('/api/v1/voice')
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = reference!.split('/').reduce((place, name) => place?.[name], document)
      expect(target, reference).toBeDefined()
    }
  })

  it('is a page that asks nobody else for anything', async () => {
    const { inject } = await routes()
    const page = (await inject({ url: '/api/docs', headers: local })).body
    const requested = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)
    expect(requested).toEqual(['/api/docs/style.css', '/api/docs/json'])
    expect(page).not.toMatch(/<script|style=/)
    const style = await inject({ url: '/api/docs/style.css', headers: local })
    expect(style.headers['content-type']).toContain('text/css')
    expect(style.body).not.toMatch(/url\(|@import/)
  })
})
