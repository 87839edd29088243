/** Places as libp2p writes them (multiaddrs), and back. Pure. */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Place } from './mesh.ts'

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/

/**
 * An address that needs an interface (`fe80::1%eth0`) has no multiaddr and goes as a name, which the system understands. The other
 * side refuses it: libp2p cannot name who came from such an address. Dial the others of a node first.
 */
export function addressOf({ host, port }: Place): Multiaddr {
  if (IPV4.test(host)) return multiaddr(`/ip4/${host}/tcp/${port}`)
  if (host.includes(':') && !host.includes('%')) return multiaddr(`/ip6/${host}/tcp/${port}`)
  return multiaddr(`/dns/${host}/tcp/${port}`)
}

export function placeOf(address: Multiaddr): Place {
  const partOf = (...names: string[]): string | undefined =>
    address.getComponents().find(({ name }) => names.includes(name))?.value
  return {
    host: partOf('ip4', 'ip6', 'dns', 'dns4', 'dns6') ?? 'unknown',
    port: Number(partOf('tcp') ?? 0),
  }
}
