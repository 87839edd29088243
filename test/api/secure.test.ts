/** https on the port of http: real handshakes with Node's own TLS, which checks the certificate, and what is not one. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { selfSigned } from '../../src/host/certificate.ts'
import { wall } from '../../src/host/index.ts'
import { type Live, live } from './live.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const certificate = selfSigned(
  {
    common_name: 'loqa-node test',
    names: ['localhost', '127.0.0.1'],
    from: wall(Date.now() - 60_000),
    until: wall(Date.now() + 3_600_000),
  },
  key,
)
const https = `${key.export({ type: 'pkcs8', format: 'pem' }) as string}${certificate}`

let running: Live
const open: Socket[] = []
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  await running.api.stop()
})

const start = async (): Promise<void> => {
  running = await live({}, { https })
}

/** Trusts this certificate alone, and that only for its names. */
function get(path: string, method = 'GET', body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ host: '127.0.0.1', port: running.api.port, path, method, ca: certificate, agent: false },
        headers: { 'content-type': 'application/json' },
      },
      async (answer) => {
        let text = ''
        for await (const chunk of answer) text += String(chunk)
        resolve({ status: answer.statusCode ?? 0, text })
      },
    )
    asked.once('error', reject)
    asked.end(body)
  })
}

async function dial(): Promise<Socket> {
  const socket = connect(running.api.port, '127.0.0.1')
  open.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** However it came about: what is dropped may end in a reset. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()))

describe('one port', () => {
  it('answers both, with a certificate that is checked', async () => {
    await start()
    expect((await get('/healthz')).status).toBe(200)
    expect(JSON.parse((await get('/api/v1/status')).text)).toMatchObject({ node: {} })
    expect((await get('/api/v1/ask', 'POST', JSON.stringify({ text: 'a'.repeat(3_000) }))).status).toBe(200)
    const plain = await fetch(`${running.api.url}/api/v1/status`)
    expect(plain.status).toBe(200)
    expect(running.defects).toEqual([])
  })

  it('speaks WebSocket over TLS, and says goodbye there', async () => {
    await start()
    const socket = new WebSocket(`wss://localhost:${running.api.port}/api/v1/events`, ['loqa.v1'], {
      ca: certificate,
    })
    await once(socket, 'open')
    const goodbye = once(socket, 'close')
    await running.api.stop()
    expect((await goodbye)[0]).toBe(1001)
  })

  it('reads a request that comes byte by byte', async () => {
    await start()
    const socket = await dial()
    socket.setNoDelay(true)
    for (const letter of 'GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n') {
      socket.write(letter)
      await new Promise(setImmediate)
    }
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1\.1 200/)
  })

  it('takes nothing older than TLS 1.2', async () => {
    await start()
    const socket = connectSecurely({
      ...{ host: '127.0.0.1', port: running.api.port, ca: certificate },
      ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    })
    open.push(socket)
    const [error] = await once(socket, 'error')
    expect(String(error)).toMatch(/alert|version|protocol/i)
    expect((await get('/healthz')).status).toBe(200)
  })
})

describe('who does not speak', () => {
  it('is dropped after a while: at once silent, or in the middle of a handshake', async () => {
    await start()
    const [silent, halfway] = await Promise.all([dial(), dial()])
    halfway.write(Buffer.from([0x16, 0x03, 0x01]))
    await Promise.all([closed(silent), closed(halfway)])
    expect((await get('/healthz')).status).toBe(200)
  }, 30_000)

  it('holds up no stop', async () => {
    await start()
    const sockets = await Promise.all([dial(), dial(), dial()])
    sockets[1]!.write(Buffer.from([0x16, 0x03]))
    const gone = Promise.all(sockets.map(closed))
    const since = performance.now()
    await running.api.stop()
    // Half a second to say goodbye; who speaks no HTTP yet would have had five.
    expect(performance.now() - since).toBeLessThan(4_000)
    await gone
  })

  it('who talks nonsense hurts nobody', async () => {
    await start()
    for (let i = 0; i < 300; i += 1) {
      const socket = await dial()
      const length = 1 + ((i * 37) % 600)
      const noise = Buffer.from(Array.from({ length }, (_, at) => (at * 131 + i * 17 + (at ^ i)) & 0xff))
      if (i % 2 === 0) noise[0] = 0x16
      socket.end(noise)
      if (i % 3 === 0) socket.destroy()
    }
    expect((await get('/healthz')).status).toBe(200)
    expect(running.defects).toEqual([])
  })
})
