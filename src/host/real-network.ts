/** Byte streams over TCP. */
import { createConnection, createServer, type Socket } from 'node:net'
import { LoqaError } from './errors.ts'
import type { Connection, Network } from './host.ts'

function connectionOver(socket: Socket): Connection {
  socket.setNoDelay(true)
  let cause: Error | undefined
  socket.on('error', (error) => {
    cause = new LoqaError('reset', 'The connection was reset', { retryable: true, cause: error })
  })
  return {
    remote: `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`,
    send: (bytes) => socket.writable && socket.write(bytes),
    onData: (receive) => {
      socket.on('data', (chunk) => receive(typeof chunk === 'string' ? Buffer.from(chunk) : chunk))
    },
    onDrain: (run) => {
      socket.on('drain', run)
    },
    onClose: (run) => {
      socket.on('close', () => run(cause))
    },
    close: () => {
      socket.end()
    },
    abort: () => {
      socket.resetAndDestroy()
    },
  }
}

export const realNetwork: Network = {
  listen({ host, port }, accept) {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Network['listen']>>>()
    const server = createServer((socket) => accept(connectionOver(socket)))
    server.once('error', (error) => {
      const inUse = 'code' in error && error.code === 'EADDRINUSE'
      const code = inUse ? 'port-in-use' : 'listen-failed'
      const message = inUse ? `Port ${port} is already in use` : `Cannot listen on ${host}:${port}`
      reject(
        new LoqaError(code, message, { cause: error, hint: 'Choose another port, or 0 for a free one.' }),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () => new Promise((done) => server.close(() => done())),
      })
    })
    return promise
  },

  dial({ host, port }, timeout_ms) {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const socket = createConnection({ host, port })
    const fail = (cause?: unknown): void => {
      socket.destroy()
      reject(new LoqaError('unreachable', `${host}:${port} cannot be reached`, { retryable: true, cause }))
    }
    socket.setTimeout(timeout_ms, fail)
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeListener('error', fail)
      resolve(connectionOver(socket))
    })
    return promise
  },
}
