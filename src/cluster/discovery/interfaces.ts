/** The network interfaces of the machine, as a door: discovery looks at it, tests put in what they like. */
import { networkInterfaces } from 'node:os'
import { MAX_INTERFACES } from './bounds.ts'

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

const isIPv4 = (address: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(address)

/** IPv6. */
export const isLinkLocal = (address: string): boolean => /^fe[89ab][0-9a-f]:/i.test(address)

/**
 * Those worth a socket: IPv4 networks (loopback too: two nodes of one machine that has no network find each other there), and
 * one link-local IPv6 address per interface, which is what multicast DNS is sent from. Addresses without neighbours are none.
 */
export function usable(list: readonly NetworkInterface[]): readonly NetworkInterface[] {
  const seen = new Set<string>()
  const speaking = list.filter(({ name, address, family, prefix, internal }) => {
    if (family === 'IPv4') return internal ? address === '127.0.0.1' : prefix < 32
    if (internal || !isLinkLocal(address) || seen.has(name)) return false
    seen.add(name)
    return true
  })
  const first = (family: NetworkInterface['family']) =>
    speaking.filter((one) => one.family === family).slice(0, MAX_INTERFACES)
  return [...first('IPv4'), ...first('IPv6')]
}

export const sameInterface = (a: NetworkInterface, b: NetworkInterface): boolean =>
  a.name === b.name && a.address === b.address && a.prefix === b.prefix

/** The same addresses on the same interfaces, whatever the order. */
export const isSameNetwork = (
  before: readonly NetworkInterface[],
  after: readonly NetworkInterface[],
): boolean =>
  before.length === after.length && before.every((one) => after.some((other) => sameInterface(one, other)))

/**
 * Whether a packet came from the network of this interface (RFC 6762, section 11): every socket hears what arrives at any
 * interface. `from` has its zone when it is link-local.
 */
export function isOnLink(own: NetworkInterface, from: string): boolean {
  if (own.family === 'IPv6') {
    const [address, zone] = from.split('%')
    return zone === own.name && isLinkLocal(address!)
  }
  if (!isIPv4(from)) return false
  const distance = (bitsOf(own.address) ^ bitsOf(from)) >>> 0
  return own.prefix === 0 || distance >>> (32 - own.prefix) === 0
}

const bitsOf = (address: string): number =>
  address.split('.').reduce((bits, byte) => ((bits << 8) | Number(byte)) >>> 0, 0)

/** Whether this address means something to another machine: no loopback, no address with a zone of ours. */
export const isTellable = (host: string): boolean =>
  !isLoopback(host) && host !== '0.0.0.0' && host !== '::' && !isLinkLocal(host)

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')
