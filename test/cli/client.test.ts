/** How commands speak with a node: what it says comes through, whatever breaks on the way is told in one sentence, and nothing slow is loaded. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { clientOf } from '../../src/cli/client.ts'
import { ROOT } from '../system/running-node.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** What a command has of a node that answers so. */
async function talkTo(answer: RequestListener) {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const interrupt = new AbortController()
  return { url, interrupt, client: clientOf({ url, from: url, token: 'secret' }, interrupt.signal) }
}

test('asks with the token, and gives what came', async () => {
  const { client } = await talkTo((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      const { method, url, headers } = request
      response.end(JSON.stringify({ method, url, token: headers.authorization, body: JSON.parse(body) }))
    })
  })
  expect(await client.post('/api/v1/ask', { text: 'grüß dich' })).toEqual({
    ...{ method: 'POST', url: '/api/v1/ask', token: 'Bearer secret' },
    body: { text: 'grüß dich' },
  })
})

test('gives a stream as it comes', async () => {
  const { client } = await talkTo((_, response) => {
    response.write('one ')
    setTimeout(() => response.end('two'), 20)
  })
  const parts: string[] = []
  for await (const part of await client.stream('/')) parts.push(Buffer.from(part).toString())
  expect(parts.join('')).toBe('one two')
})

test.each([
  [
    'the reason a node gives',
    409,
    '{"error":{"code":"busy","message":"Later.","hint":"Wait."}}',
    { code: 'busy', hint: 'Wait.' },
  ],
  [
    'that it is no node',
    404,
    '<h1>Not found</h1>',
    { message: expect.stringMatching(/not a loqa node \(HTTP 404\)$/) },
  ],
  [
    'that it is no node, where another one is named',
    302,
    '',
    { message: expect.stringMatching(/\(HTTP 302\)$/) },
  ],
])('says %s', async (_, status, body, error) => {
  const { client } = await talkTo((request, response) => {
    if (request.url === '/elsewhere') response.end('{}')
    else response.writeHead(status, { location: '/elsewhere' }).end(body)
  })
  await expect(client.get('/')).rejects.toMatchObject(error)
})

test('says that no node answers: where nobody listens, and where an answer is cut off', async () => {
  const { client, url } = await talkTo((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"half":')
    setTimeout(() => response.destroy(), 20)
  })
  await expect(client.get('/')).rejects.toThrow(`No node answers at ${url}`)
  server!.close()
  server!.closeAllConnections()
  await expect(client.get('/')).rejects.toThrow(`No node answers at ${url}`)
})

test('says so too of a stream that is cut off, or interrupted by the person', async () => {
  const { client, url, interrupt } = await talkTo((request, response) => {
    response.write('one')
    if (request.url === '/cut') setTimeout(() => response.destroy(), 20)
  })
  const drain = async (path: string, first: () => void = () => undefined): Promise<void> => {
    for await (const _ of await client.stream(path)) first()
  }
  await expect(drain('/cut')).rejects.toThrow(`No node answers at ${url}`)
  await expect(drain('/', () => interrupt.abort())).rejects.toMatchObject({ code: 'interrupted' })
})

test('a person who interrupts is not told that the node is gone', async () => {
  const { client, interrupt } = await talkTo(() => undefined)
  const asked = client.get('/')
  setTimeout(() => interrupt.abort(), 20)
  await expect(asked).rejects.toMatchObject({ code: 'interrupted' })
})

test('a short command loads none of what Node has for browsers', async () => {
  const { url } = await talkTo((_, response) => response.end('[]'))
  const tells = `process.on('exit', () => console.log(process.moduleLoadList.filter((name) => name.includes('undici')).length))`
  const loads = `--import=data:text/javascript,${encodeURIComponent(tells)}`
  const { stdout } = await promisify(execFile)(`${ROOT}bin/loqa`, ['--url', url, 'sessions', '--json'], {
    env: { ...process.env, NODE_OPTIONS: loads },
  })
  expect(stdout.trim().split('\n').at(-1)).toBe('0')
})
