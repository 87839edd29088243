/**
 * https on the port of http: who begins with a TLS handshake gets one, everybody else is served as before. One port is what a
 * person remembers and a firewall opens.
 *
 * S1 What does not say what it speaks, or does not end its handshake, is dropped in time. S2 The HTTP server closes
 *    those it was handed; `dropAll` closes those that are still on the way to it, and all with TLS.
 */
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:tls'
import type { Clock } from '../host/index.ts'

/** RFC 8446, section 5.1: the type of a record that begins a handshake. No method of HTTP begins so. */
const HANDSHAKE = 0x16
/** As long as headers may take: a browser that opens a connection ahead sends nothing for a while, and opens another. */
const FIRST_BYTE_TIMEOUT_MS = 5_000
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface Secured {
  dropAll(): void
}

/** Has `server` serve TLS too, with the key and the certificate in `pem`. Before it listens. */
export function alsoSecure(server: Server, pem: string, clock: Clock): Secured {
  const serving = server.listeners('connection') as ((socket: Duplex) => void)[]
  const serve = (socket: Duplex): void => {
    for (const each of serving) each.call(server, socket)
  }
  const open = new Set<Duplex>()
  const secure = createServer({
    ...{ key: pem, cert: pem, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] },
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  })
  secure.on('secureConnection', serve)
  // Scanners, and browsers whose person has not agreed to the certificate yet.
  secure.on('tlsClientError', (_error, socket) => socket.destroy())

  server.removeAllListeners('connection')
  server.on('connection', (socket: Duplex) => {
    const drop = (): void => void socket.destroy()
    const cancel = clock.after(FIRST_BYTE_TIMEOUT_MS, drop)
    open.add(socket)
    socket.on('error', drop)
    socket.once('close', () => {
      cancel()
      open.delete(socket)
    })
    socket.once('readable', () => {
      cancel()
      const first = socket.read(1) as Buffer | null
      // The end came first.
      if (first === null) return drop()
      socket.unshift(first)
      if (first[0] === HANDSHAKE) return void secure.emit('connection', socket)
      open.delete(socket)
      socket.off('error', drop)
      serve(socket)
    })
  })
  return {
    dropAll: () => {
      for (const socket of open) socket.destroy()
    },
  }
}
