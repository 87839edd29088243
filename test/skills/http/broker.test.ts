/** Real servers on real sockets. What is "out in the internet" here is a server of this machine at the end of a changed cable. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HttpDoor } from '../../../src/host/index.ts'
import { realHttp } from '../../../src/host/real-http.ts'
import type { HttpAnswer, HttpRequest } from '../../../src/skills/host-ports.ts'
import { createHttpPort, MAX_BODY_BYTES } from '../../../src/skills/http/index.ts'

const PUBLIC = '93.184.216.34'
let asked: {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  body: string
}[] = []
let answer: (request: IncomingMessage, response: ServerResponse) => void
let server: Server
let port = 0
/** Says whatever bytes it is told to. */
let raw: TcpServer
let rawPort = 0
let rawSays: (socket: Socket) => void = () => undefined
const sockets = new Set<Socket>()

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += String(piece)
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    answer(request, response)
  })
  raw = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => rawSays(socket))
  })
  port = await listening(server)
  rawPort = await listening(raw)
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
  for (const socket of sockets) socket.destroy()
  raw.close()
})
beforeEach(() => {
  asked = []
  answer = (_, response) => response.end('hello')
})

const listening = (one: Server | TcpServer): Promise<number> =>
  new Promise((done) => one.listen(0, '127.0.0.1', () => done((one.address() as AddressInfo).port)))

interface Setting {
  /** What each look-up of a name gives, one after the other; the last goes on. */
  readonly names?: Readonly<Record<string, readonly (readonly string[])[]>>
  readonly hosts?: readonly string[]
  readonly private?: boolean
  readonly own?: readonly number[]
  readonly within_ms?: number
}

let looked: string[] = []
let connected: string[] = []

function go(
  request: Partial<HttpRequest> & { readonly url: string },
  setting: Setting = {},
): Promise<HttpAnswer> {
  looked = []
  connected = []
  const names: Readonly<Record<string, readonly (readonly string[])[]>> = setting.names ?? {
    'api.example': [[PUBLIC]],
  }
  const door: HttpDoor = {
    async resolve(host) {
      looked.push(host)
      const answers = names[host] ?? []
      const times = looked.filter((one) => one === host).length
      const found = answers[Math.min(times, answers.length) - 1]
      if (found === undefined) throw new Error('ENOTFOUND')
      return found
    },
    open(order, signal) {
      connected.push(order.address)
      // The cable: what is out there is a server here.
      const address = order.address === PUBLIC ? '127.0.0.1' : order.address
      return realHttp.open({ ...order, address }, signal)
    },
  }
  const http = createHttpPort({ door, own: () => ({ ports: setting.own ?? [], addresses: ['10.9.9.9'] }) })
  const grant = { hosts: setting.hosts ?? [`api.example:${port}`], private: setting.private ?? false }
  return http.request(
    { method: 'GET', headers: {}, ...request },
    grant,
    AbortSignal.timeout(setting.within_ms ?? 5_000),
  )
}

const at = (path: string, host = 'api.example'): { url: string } => ({ url: `http://${host}:${port}${path}` })
const code = (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => 'it was done',
    (thrown: { code?: string; message: string }) => `${thrown.code}: ${thrown.message}`,
  )

describe('a request that was granted', () => {
  it('goes to its server and brings the answer back', async () => {
    answer = (_, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': 'secret=1', etag: '"a"' })
      response.end('{"ok":true}')
    }
    const told = await go({ ...at('/v1?x=1'), method: 'POST', body: 'täglich', headers: { 'X-Key': 'k' } })
    expect(told).toEqual({
      status: 201,
      headers: { 'content-type': 'application/json', etag: '"a"', date: expect.any(String) },
      body: '{"ok":true}',
    })
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1?x=1', body: 'täglich' })
    expect(asked[0]!.headers).toMatchObject({
      host: `api.example:${port}`,
      'x-key': 'k',
      'content-length': '8',
    })
  })

  it('may name a whole domain, which is not the domain itself', async () => {
    const names = { 'a.b.example': [[PUBLIC]], example: [[PUBLIC]], badexample: [[PUBLIC]] }
    const hosts = [`*.example:${port}`]
    expect((await go(at('/', 'a.b.example'), { names, hosts })).status).toBe(200)
    expect(await code(go(at('/', 'example'), { names, hosts }))).toContain('not among the hosts')
    expect(await code(go(at('/', 'badexample'), { names, hosts }))).toContain('not among the hosts')
  })
})

describe('a request is refused before anybody is asked', () => {
  it.each([
    ['another host', 'http://evil.example/'],
    ['another port', 'http://api.example:9/'],
    ['the usual port where another was granted', 'http://api.example/'],
    ['a file', 'file:///etc/passwd'],
    ['another scheme', 'ftp://api.example/'],
    ['a password in the address', 'http://me:pw@api.example:1/'],
    ['a host hidden behind a password', 'http://api.example@evil.example/'],
    ['nothing that is an address', 'http://'],
    ['an address as one number', 'http://2130706433/'],
    ['an address in hexadecimal', 'http://0x7f.1/'],
    ['an address in octal', 'http://0177.0.0.1/'],
    ['IPv6 for this machine', 'http://[::1]/'],
    ['a mapped address', 'http://[::ffff:127.0.0.1]/'],
  ])('%s', async (_, url) => {
    expect(await code(go({ url }))).toMatch(/^http-refused: /)
    expect([looked, connected]).toEqual([[], []])
  })

  it.each([
    'Host',
    'Connection',
    'Transfer-Encoding',
    'Content-Length',
    'Upgrade',
    'Proxy-Authorization',
    'Expect',
  ])('with the header %s', async (name) => {
    expect(await code(go({ ...at('/'), headers: { [name]: 'x' } }))).toContain('not a skill’s to set')
    expect(connected).toEqual([])
  })

  it.each(['a\r\nX-Evil: 1', 'a\nb', 'a\u0000b', 'snow ☃'])('with the header value %j', async (value) => {
    expect(await code(go({ ...at('/'), headers: { 'X-Key': value } }))).toContain('holds what no header may')
    expect(connected).toEqual([])
  })
})

describe('the house', () => {
  it.each([
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.9',
    '127.0.0.1',
    '::1',
    'fd12::1',
    'fe80::1',
    '::ffff:192.168.1.1',
    '64:ff9b::10.0.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '255.255.255.255',
  ])('is not reached by a name that points to %s', async (address) => {
    const tried = go(at('/'), { names: { 'api.example': [[address]] } })
    expect(await code(tried)).toMatch(/^http-refused: /)
    expect(connected).toEqual([])
  })

  it('is not reached when only one of many addresses is inside', async () => {
    expect(await code(go(at('/'), { names: { 'api.example': [[PUBLIC, '10.0.0.1']] } }))).toContain(
      'inside this house',
    )
    expect(connected).toEqual([])
  })

  it('is reached by whom that was granted; the node itself and the metadata of a cloud are not', async () => {
    const names = { 'api.example': [['127.0.0.1']] }
    expect((await go(at('/'), { names, private: true })).body).toBe('hello')
    const itself = go(at('/'), { names, private: true, own: [port] })
    expect(await code(itself)).toContain('it asks this node itself')
    const mapped = go(at('/'), {
      names: { 'api.example': [['::ffff:10.9.9.9']] },
      private: true,
      own: [port],
    })
    expect(await code(mapped)).toContain('it asks this node itself')
    const cloud = go(at('/'), { names: { 'api.example': [['169.254.169.254']] }, private: true })
    expect(await code(cloud)).toContain('nobody’s to ask')
    expect(asked).toHaveLength(1)
  })

  it('is not reached by a name that changes between the look and the connection', async () => {
    const names = { 'api.example': [[PUBLIC], ['127.0.0.1']] }
    expect((await go(at('/'), { names })).body).toBe('hello')
    expect([looked, connected]).toEqual([['api.example'], [PUBLIC]])
  })

  it('is not reached by a name that changes before the second hop', async () => {
    answer = (_, response) => response.writeHead(302, { location: '/again' }).end()
    const names = { 'api.example': [[PUBLIC], ['127.0.0.1']] }
    expect(await code(go(at('/'), { names }))).toContain('inside this house')
    expect(connected).toEqual([PUBLIC])
  })
})

describe('a redirect', () => {
  const sending = (location: string, status = 302) => {
    answer = (request, response) => {
      if (request.url === '/') response.writeHead(status, { location }).end()
      else response.end('there')
    }
  }

  it('is followed where the skill could go by itself', async () => {
    sending('/there')
    expect((await go(at('/'))).body).toBe('there')
  })

  it.each([
    'http://evil.example/',
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://169.254.169.254/latest',
    'file:///etc/passwd',
    '//evil.example/',
  ])('to %s is not', async (location) => {
    sending(location)
    expect(await code(go(at('/')))).toMatch(/^http-refused: /)
    expect(connected).toEqual([PUBLIC])
  })

  it('to a granted name that is inside is not', async () => {
    sending(`http://inside.example:${port}/there`)
    const names = { 'api.example': [[PUBLIC]], 'inside.example': [['127.0.0.1']] }
    const hosts = [`api.example:${port}`, `inside.example:${port}`]
    expect(await code(go(at('/'), { names, hosts }))).toContain('inside this house')
    expect(asked).toHaveLength(1)
  })

  it('to another server leaves what was meant for the first behind', async () => {
    sending(`http://other.example:${port}/there`, 307)
    const names = { 'api.example': [[PUBLIC]], 'other.example': [[PUBLIC]] }
    const hosts = [`api.example:${port}`, `other.example:${port}`]
    const headers = { Authorization: 'Bearer s', 'X-Key': 's', Accept: 'text/plain' }
    await go({ ...at('/'), method: 'POST', body: 'b', headers }, { names, hosts })
    expect(asked[0]!.headers).toMatchObject({ authorization: 'Bearer s', 'x-key': 's' })
    expect(asked[1]!.headers).not.toHaveProperty('authorization')
    expect(asked[1]!.headers).not.toHaveProperty('x-key')
    expect(asked[1]).toMatchObject({ method: 'POST', body: 'b', headers: { accept: 'text/plain' } })
  })

  it('after a POST goes on as GET and without a body', async () => {
    sending('/there', 303)
    await go({ ...at('/'), method: 'POST', body: 'b', headers: { 'Content-Type': 'text/plain' } })
    expect(asked[1]).toMatchObject({ method: 'GET', body: '' })
    expect(asked[1]!.headers).not.toHaveProperty('content-type')
  })

  it('without end ends', async () => {
    answer = (_, response) => response.writeHead(302, { location: '/' }).end()
    expect(await code(go(at('/')))).toContain('without end')
    expect(asked).toHaveLength(6)
  })
})

describe('a server', () => {
  const rawAt = (): Promise<HttpAnswer> =>
    go({ url: `http://api.example:${rawPort}/` }, { hosts: [`api.example:${rawPort}`], within_ms: 400 })

  it('that says that it will send too much is not listened to', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': String(MAX_BODY_BYTES + 1) })
      response.flushHeaders()
    }
    expect(await code(go(at('/')))).toContain('http-too-large')
  })

  it('that sends without end is cut off', async () => {
    let sent = 0
    rawSays = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) sent += 65_536
      }
      socket.on('drain', more)
      more()
    }
    expect(await code(rawAt())).toContain('http-too-large')
    // What the kernel's buffers took before the end was seen.
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  it('that sends a byte now and then is given up in time', async () => {
    rawSays = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const drip = setInterval(() => socket.write('a'), 20)
      socket.once('close', () => clearInterval(drip))
    }
    expect(await code(rawAt())).toContain('timeout')
  })

  it('that says nothing is given up in time', async () => {
    rawSays = () => undefined
    expect(await code(rawAt())).toContain('timeout')
  })

  it('that sends a head without end is cut off', async () => {
    rawSays = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      for (let i = 0; i < 2_000; i += 1) socket.write(`x-${i}: ${'a'.repeat(100)}\r\n`)
      socket.write('\r\n')
    }
    expect(await code(rawAt())).toContain('http-too-large')
  })

  it.each([
    ['speaks something else', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['wants to upgrade', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['ends in the middle', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'],
    ['gives two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na'],
  ])('that %s is no server', async (_, words) => {
    rawSays = (socket) => socket.end(words)
    expect(await code(rawAt())).toContain('http-failed')
  })

  it('that answers compressed is refused: what unfolds has no size', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
    expect(await code(go(at('/')))).toContain('compressed')
  })

  it('whose name nobody knows cannot be found', async () => {
    expect(await code(go(at('/'), { names: {} }))).toContain('could not be found')
  })
})
