/** Stands before an HTTP server and holds every request for a while, as one that is overloaded or far away would. */
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export class SlowProxy {
  /** So long a request is held before it is passed on. */
  slow_ms = 0
  readonly #server: Server

  private constructor(to: URL) {
    this.#server = createServer((asked, answer) => {
      const parts: Buffer[] = []
      answer.on('error', () => undefined)
      asked.on('data', (part: Buffer) => parts.push(part))
      asked.on('end', () => {
        setTimeout(() => {
          const { method, url, headers } = asked
          const onward = request(
            { host: to.hostname, port: to.port, method, path: url, headers: { ...headers, host: to.host } },
            (come) => {
              answer.writeHead(come.statusCode ?? 502, come.headers)
              come.pipe(answer)
            },
          )
          onward.on('error', () => answer.destroy())
          answer.on('close', () => onward.destroy())
          onward.end(Buffer.concat(parts))
        }, this.slow_ms)
      })
    })
  }

  static async before(url: string): Promise<SlowProxy> {
    const proxy = new SlowProxy(new URL(url))
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
