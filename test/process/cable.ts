/**
 * The network as a house sees it, at the end of a changed cable: some names and what they resolve to, one server for all that is out
 * in the internet, and a count of who would have been reached inside.
 */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import type { HttpDoor } from '../../src/host/index.ts'
import { realHttp } from '../../src/host/real-http.ts'

const PUBLIC = '93.184.216.34'
/** What each look-up gives, one after the other; the last goes on. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'public.example': [PUBLIC],
  'evil.example': [PUBLIC],
  'router.example': ['10.0.0.1'],
  'me.example': ['127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'rebinding.example': [PUBLIC, '10.0.0.1'],
}

export class Cable {
  /** Requests that the server outside saw. */
  readonly outside: string[] = []
  /** Addresses inside that were connected to. */
  readonly inside: string[] = []
  readonly #looked: string[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** `/to?<url>` sends on. */
  static async laid(): Promise<Cable> {
    const server = createServer((request, response) => {
      cable.outside.push(`${request.headers.host}${request.url}`)
      const [path, to = ''] = (request.url ?? '').split('?')
      if (path === '/to') response.writeHead(302, { location: to })
      response.end('hello')
    })
    const cable = new Cable(server)
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    return cable
  }

  readonly door: HttpDoor = {
    resolve: async (host) => {
      // An address is its own name, as for the system.
      const found = isIP(host) === 0 ? NAMES[host] : [host]
      if (found === undefined) throw new Error('ENOTFOUND')
      this.#looked.push(host)
      const times = this.#looked.filter((one) => one === host).length
      return [found[Math.min(times, found.length) - 1]!]
    },
    open: (order, signal) => {
      if (order.address !== PUBLIC) {
        this.inside.push(order.address)
        throw new Error('ECONNREFUSED')
      }
      const { port } = this.#server.address() as AddressInfo
      return realHttp.open({ ...order, address: '127.0.0.1', port }, signal)
    },
  }

  cut(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
