import { createConnection } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { type Live, live } from '../api/live.ts'

const REQUESTS = Number(process.env.LOQA_FUZZ_HTTP ?? 40_000)
const seed = Number(process.env.LOQA_SEED ?? 20_261_121)
const PER_CONNECTION = 4
const AT_ONCE = 32

let node: Live
beforeAll(async () => {
  node = await live()
})
afterAll(() => node.api.stop())

const body = (text: string, type = 'application/json'): string =>
  `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
const request = (line: string, rest = '\r\n'): Buffer =>
  Buffer.from(`${line} HTTP/1.1\r\nhost: 127.0.0.1\r\n${rest}`)

const corpus: readonly Buffer[] = [
  request('GET /healthz'),
  request('GET /api/v1/status'),
  request('GET /metrics'),
  request('GET /api/docs/json'),
  request('GET /api/v1/voice?room=attic&session=s1'),
  request('GET /../../etc/passwd'),
  request('GET /api/v1/status?%00=%ff%fe'),
  request('POST /api/v1/ask', body('{"text":"set a timer","room":"attic","session":"s1"}')),
  request('POST /api/v1/ask', body('{"text":"\\ud800\\u0000"}')),
  request('POST /api/v1/ask', 'content-type: application/json\r\ncontent-length: 99999\r\n\r\n{"text":"'),
  request('POST /api/v1/say', body('{"text":"hello","voice":"low"}')),
  request(
    'POST /v1/chat/completions',
    body(
      '{"model":"default","stream":true,"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"a"}}]}',
    ),
  ),
  request(
    'POST /v1/audio/transcriptions',
    body(
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--x--\r\n',
      'multipart/form-data; boundary=x',
    ),
  ),
  request('POST /v1/audio/speech', body('{"model":"tts-1","voice":"alloy","input":"hello"}')),
  request('POST /v1/embeddings', body('{"model":"default","input":["a","b"]}')),
  request(
    'POST /api/v1/ask',
    'transfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\n4\r\n{"te\r\n9\r\nxt":"a"}\n\r\n0\r\n\r\n',
  ),
  request(
    'GET /api/v1/events',
    'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  ),
]

/** Things that have broken servers before. */
const TREATS = [
  '\r\n',
  '\u0000',
  '%00',
  '../',
  '{',
  '[[[[',
  ': ',
  'host: a\r\n',
  'content-length: 99999999\r\n',
  'content-length: -1\r\n',
  'transfer-encoding: chunked\r\n',
  'expect: 100-continue\r\n',
  'connection: close\r\n',
  '__proto__',
  'constructor',
  '\u00ff\u00fe',
  'HTTP/9.9',
  'x: '.padEnd(300, 'y'),
]

function mutate(random: SimulatedRandom): Buffer {
  const text = Buffer.from(corpus[random.below(corpus.length)]!)
  const at = random.below(text.length)
  switch (random.below(7)) {
    case 0:
      return text
    case 1:
      for (let count = random.below(6); count >= 0; count--)
        text[random.below(text.length)]! ^= 1 << random.below(8)
      return text
    case 2:
      return Buffer.concat([text.subarray(0, at), Buffer.from('\r\n\r\n')])
    case 3: {
      const other = corpus[random.below(corpus.length)]!
      return Buffer.concat([text.subarray(0, at), other.subarray(random.below(other.length))])
    }
    case 4:
      return Buffer.concat([
        text.subarray(0, at),
        Buffer.from(TREATS[random.below(TREATS.length)]!),
        text.subarray(at),
      ])
    case 5:
      return Buffer.concat([
        text.subarray(0, at),
        Buffer.from(random.bytes(random.below(64))),
        text.subarray(at),
      ])
    default:
      return Buffer.concat([text.subarray(0, at), Buffer.alloc(random.below(40_000), 'a'), text.subarray(at)])
  }
}

/** Sends the bytes, says no more, and reads until the server is done with the connection. */
function exchange(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(node.api.port, '127.0.0.1')
    const parts: Buffer[] = []
    socket.on('data', (part) => parts.push(part))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')))
    socket.end(bytes)
  })
}

it(`${REQUESTS} hostile requests (seed ${seed}) are each answered or refused; the node lives`, async () => {
  const random = new SimulatedRandom(seed)
  const statuses = new Map<string, number>()
  let left = Math.ceil(REQUESTS / PER_CONNECTION)
  const heap = process.memoryUsage().heapUsed

  const visitor = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const bytes = Buffer.concat(Array.from({ length: PER_CONNECTION }, () => mutate(random)))
      const answer = await exchange(bytes)
      for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
        statuses.set(status!, (statuses.get(status!) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, visitor))

  expect(node.defects).toEqual([])
  expect([...statuses.keys()].filter((status) => status === '500')).toEqual([])
  for (const status of ['200', '400', '404', '413', '421'])
    expect(statuses.get(status), status).toBeGreaterThan(0)
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(100 * 1024 * 1024)
  expect(await (await fetch(`${node.api.url}/healthz`)).json()).toEqual({ ok: true })
}, 300_000)
