/**
 * A service of this node that other programs look for by multicast DNS, e.g. Wyoming by Home Assistant (RFC 6762, 6763). It is told where
 * it can be reached: on interfaces whose address it listens on, each with that address. Nothing that others say is
 * taken apart.
 *
 * S1 It says a name made of the node's id, a port and an address: no names of people, rooms or machines. S2 It says nothing on an
 * interface on which nobody could connect. S3 It says goodbye when it stops.
 */
import type { Cancel, Clock, Random } from '../../host/index.ts'
import type { DnsRecord } from './announcement.ts'
import { LOOK_MS, TTL_S } from './bounds.ts'
import { type Interfaces, isSameNetwork, type NetworkInterface, realInterfaces } from './interfaces.ts'
import type { Mdns } from './mdns.ts'

export interface ServiceOptions {
  readonly host: { readonly clock: Clock; readonly random: Random }
  /** e.g. `_wyoming._tcp.local`. */
  readonly service: string
  /** What this one is called among others of its kind: letters, digits, dashes; at most 63. */
  readonly name: string
  /** Where it listens: an address of this machine, or `0.0.0.0` or `::` for all. */
  readonly listens_on: string
  readonly port: number
  /** UDP port of multicast DNS, 5353; another one only in tests. */
  readonly multicast_port?: number
  readonly interfaces?: Interfaces
  readonly trouble: (network: string, code: string) => void
}

export interface AnnouncedService {
  stop(): Promise<void>
}

const HEADER_BYTES = 12
/** RFC 6762, section 18.2: set in answers. */
const ANSWER_BIT = 0x80

export async function announceService(options: ServiceOptions): Promise<AnnouncedService> {
  const { MDNS_PORT, Mdns } = await import('./mdns.ts')
  const { clock, random } = options.host
  const told = new Set<string>()
  const mdns = new Mdns({
    clock,
    random,
    port: options.multicast_port ?? MDNS_PORT,
    topic: { name: options.service, asks: false, lookAt: lookerFor(options.service) },
    records: (goodbye, { address }) => serviceRecords(options, address, goodbye ? 0 : TTL_S),
    onAnswer: () => undefined,
    onCount: () => undefined,
    onTrouble(network, code) {
      if (!told.has(network)) options.trouble(network, code)
      told.add(network)
    },
  })
  return keepLooking(clock, options, mdns)
}

function keepLooking(clock: Clock, options: ServiceOptions, mdns: Mdns): AnnouncedService {
  const interfaces = options.interfaces ?? realInterfaces
  let before: readonly NetworkInterface[] = []
  let cancel: Cancel = () => undefined
  const look = (): void => {
    const now = reachable(interfaces.list(), options.listens_on)
    if (!isSameNetwork(before, now)) mdns.again()
    before = now
    // Opens again what failed, too.
    mdns.use(now)
    cancel = clock.after(LOOK_MS, look)
  }
  look()
  return {
    stop() {
      cancel()
      return mdns.close()
    },
  }
}

/** IPv4 alone: a link-local address of version 6 is of no use without its zone, which cannot be told. Pure. */
export const reachable = (
  list: readonly NetworkInterface[],
  listens_on: string,
): readonly NetworkInterface[] =>
  list.filter(
    ({ family, address, internal }) =>
      family === 'IPv4' &&
      (listens_on === '0.0.0.0' || listens_on === '::'
        ? !internal
        : address === listens_on || isSelf(address, listens_on)),
  )

const isSelf = (address: string, host: string): boolean => host === 'localhost' && address === '127.0.0.1'

/** Pure. */
export function serviceRecords(
  { service, name, port }: Pick<ServiceOptions, 'service' | 'name' | 'port'>,
  address: string,
  ttl: number,
): readonly DnsRecord[] {
  const instance = `${name}.${service}`
  const target = `${name}.local`
  return [
    { type: 'PTR', name: service, ttl, data: instance },
    { type: 'SRV', name: instance, ttl, flush: true, data: { port, weight: 0, priority: 0, target } },
    { type: 'TXT', name: instance, ttl, flush: true, data: [] },
    { type: 'A', name: target, ttl, flush: true, data: address },
  ]
}

/**
 * A question that mentions the service is one for it: a search for its labels, and no packet of a stranger is ever taken apart. Who looks
 * for services asks for many kinds in one packet, and one answer too many does no harm. Pure.
 */
export function lookerFor(service: string): (packet: Uint8Array) => 'asked' | 'other' {
  // The last label is often written once for all names, and pointed to.
  const labels = service.split('.').slice(0, -1)
  const wanted = Buffer.concat(labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])))
  return (packet) => {
    const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
    if (bytes.length < HEADER_BYTES || (bytes[2]! & ANSWER_BIT) !== 0) return 'other'
    return bytes.includes(wanted, HEADER_BYTES) ? 'asked' : 'other'
  }
}
