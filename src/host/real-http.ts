/** Requests to servers outside. A connection of its own for each, to the address given; nothing is kept between two. */
import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request as plain } from 'node:http'
import { request as secured } from 'node:https'
import { networkInterfaces } from 'node:os'
import type { HttpDoor, HttpOrder, HttpResponse } from './http.ts'

/** Head of an answer: what browsers take. More is an attack on memory. */
const MAX_HEAD_BYTES = 16 * 1024

export const realHttp: HttpDoor = {
  resolve: async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address),
  open,
}

function open(order: HttpOrder, signal: AbortSignal): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>()
  const { address, port, secure, host, path, method, headers, body } = order
  const options = {
    ...{ host: address, port, path, method, headers, signal, agent: false as const },
    ...{ maxHeaderSize: MAX_HEAD_BYTES, setDefaultHeaders: false, joinDuplicateHeaders: false },
  }
  const asked = secure ? secured({ ...options, servername: host }) : plain(options)
  asked.once('response', (answer) => {
    resolve({
      status: answer.statusCode ?? 0,
      headers: headersOf(answer),
      body: answer,
      close: () => asked.destroy(),
    })
  })
  // Also after the head has come: the body's reader is told by itself.
  asked.on('error', reject)
  asked.once('upgrade', (_, socket) => {
    socket.destroy()
    reject(new Error('the server wants to speak something else'))
  })
  asked.end(body)
  return promise
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const flat = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])
  return Object.fromEntries(flat.filter(([, value]) => value !== undefined)) as Record<string, string>
}

/** Addresses of this machine's own interfaces. */
export const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((rows) => (rows ?? []).map(({ address }) => address))
