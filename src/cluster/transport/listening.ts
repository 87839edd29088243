/**
 * Which addresses and port to listen on. Asked of the Network door before libp2p listens, because libp2p can neither take one
 * free port for two addresses nor say which port was in use.
 */
import { errorShape, type Network } from '../../host/index.ts'
import type { Place } from './mesh.ts'

/** Somebody may take a free port between the moment it was found and the moment it is used. */
const ATTEMPTS = 5

/** The addresses that can be listened on, all with the same port. Errors: `port-in-use`, `listen-failed` (none of them). */
export async function freePlaces(network: Network, hosts: readonly string[], port: number): Promise<Place[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tried(network, hosts, port)
    } catch (error) {
      if (port !== 0 || errorShape(error).code !== 'port-in-use' || attempt === ATTEMPTS) throw error
    }
  }
}

async function tried(network: Network, hosts: readonly string[], wanted: number): Promise<Place[]> {
  const places: Place[] = []
  let port = wanted
  let missing: unknown
  for (const host of hosts) {
    try {
      const listener = await network.listen({ host, port }, (connection) => connection.abort())
      await listener.close()
      port = listener.port
      places.push({ host, port })
    } catch (error) {
      if (errorShape(error).code === 'port-in-use') throw error
      // One family may be switched off.
      missing = error
    }
  }
  if (places.length === 0) throw missing
  return places
}
