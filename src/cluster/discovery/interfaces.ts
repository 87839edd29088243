/** The network interfaces of the machine, as a door: discovery looks at it, tests put in what they like. */
import { networkInterfaces } from 'node:os'

export interface NetworkInterface {
  readonly name: string
  /** An IP address; a link-local IPv6 address without its zone. */
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  /** Length of the network's prefix, bits. */
  readonly prefix: number
  /** Loopback. */
  readonly internal: boolean
}

export interface Interfaces {
  /** Those that are up and carry an address now, one entry per address. */
  list(): readonly NetworkInterface[]
}

export const realInterfaces: Interfaces = {
  list: () =>
    Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      (addresses ?? []).map(({ address, family, cidr, internal }) => ({
        name,
        address,
        family,
        prefix: Number(cidr?.split('/')[1] ?? (family === 'IPv4' ? 32 : 128)),
        internal,
      })),
    ),
}
