/** A web server of files that is slow, counts what it sent, and spoils a byte when told to. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FileServer {
  readonly url: string
  /** Bytes of bodies handed to the system, over all connections. */
  readonly sent: () => number
  /** First byte asked for, per request. */
  readonly asked: readonly number[]
  /** Resolves when at least so many bytes were sent in all. */
  until(bytes: number): Promise<void>
  /** The byte at this place is sent wrong, the next time it is sent; `always` from now on. */
  spoil(at: number, always?: boolean): void
  close(): Promise<void>
}

export interface ServerOptions {
  readonly bytes_per_s: number
  /** Answers 200 to every range. */
  readonly ignoresRange?: boolean
}

const SLICE_EVERY_MS = 10

export async function serveFile(content: Buffer, options: ServerOptions): Promise<FileServer> {
  const asked: number[] = []
  const waiting = new Set<() => void>()
  let sent = 0
  let spoilt: { at: number; always: boolean } | undefined
  const slice = Math.ceil((options.bytes_per_s * SLICE_EVERY_MS) / 1_000)

  function send(response: ServerResponse, from: number): void {
    let at = from
    const timer = setInterval(() => {
      if (response.destroyed) return clearInterval(timer)
      const part = Buffer.from(content.subarray(at, at + slice))
      if (spoilt !== undefined && spoilt.at >= at && spoilt.at < at + part.length) {
        part[spoilt.at - at]! ^= 0x10
        if (!spoilt.always) spoilt = undefined
      }
      response.write(part)
      sent += part.length
      at += part.length
      for (const check of [...waiting]) check()
      if (at < content.length) return
      clearInterval(timer)
      response.end()
    }, SLICE_EVERY_MS)
  }

  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
    const from = options.ignoresRange === true || range === null ? 0 : Number(range[1])
    asked.push(from)
    response.on('error', () => undefined)
    const partial = from > 0
    response.writeHead(partial ? 206 : 200, {
      etag: '"v1"',
      'content-length': content.length - from,
      ...(partial ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    })
    send(response, from)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/ggml-test.bin`,
    sent: () => sent,
    asked,
    until: (bytes) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (sent < bytes) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    spoil: (at, always = false) => {
      spoilt = { at, always }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
