/**
 * Which addresses are out in the internet, which are in the house, and which are nobody's to ask. From IANA's registries of special
 * purpose addresses (RFC 6890 and what changed since). Pure: texts in, a verdict out; what cannot be read is nobody's.
 */

export type Reach =
  /** Anybody's: out in the internet. */
  | 'public'
  /** This machine, the house, or what a provider keeps between. */
  | 'private'
  /** Groups, everybody, documentation, the metadata of a cloud: there is nothing a skill could want there. */
  | 'never'

type Range = readonly [prefix: string, bits: number, reach: Reach]

/** The first that fits counts. */
const IPV4: readonly Range[] = [
  ['0.0.0.0', 8, 'never'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'private'],
  // Link-local: machines without a router, and where clouds tell a machine its secrets.
  ['169.254.0.0', 16, 'never'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'never'],
  ['192.0.2.0', 24, 'never'],
  ['192.31.196.0', 24, 'never'],
  ['192.52.193.0', 24, 'never'],
  ['192.88.99.0', 24, 'never'],
  ['192.168.0.0', 16, 'private'],
  ['192.175.48.0', 24, 'never'],
  ['198.18.0.0', 15, 'never'],
  ['198.51.100.0', 24, 'never'],
  ['203.0.113.0', 24, 'never'],
  ['224.0.0.0', 3, 'never'],
]

const IPV6: readonly Range[] = [
  ['::1', 128, 'private'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'private'],
  // Documentation, and what inside of the global range stands for something else (Teredo, ORCHID, benchmarks).
  ['2001:db8::', 32, 'never'],
  ['3fff::', 20, 'never'],
  ['2001::', 23, 'never'],
  ['2000::', 3, 'public'],
  ['::', 0, 'never'],
]

/** IPv6 prefixes behind which an IPv4 address stands, and where it begins, in groups of 16 bits. */
const CARRIERS: readonly (readonly [prefix: string, bits: number, at: number])[] = [
  // Mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), compatible (deprecated).
  ['::ffff:0:0', 96, 6],
  ['::ffff:0:0:0', 96, 6],
  ['64:ff9b::', 96, 6],
  ['64:ff9b:1::', 48, 6],
  ['2002::', 16, 1],
  ['::', 96, 6],
]

/** `address` as a resolver writes it, without brackets. */
export function reachOf(address: string): Reach {
  const four = readIpv4(address)
  if (four !== undefined) return found(IPV4, four, readIpv4)
  const six = readIpv6(address)
  if (six === undefined) return 'never'
  // ::1 and :: would be taken for IPv4 addresses in the deprecated way of writing.
  const low = six.slice(0, 7).every((group) => group === 0) && six[7]! <= 1
  if (!low) {
    for (const [prefix, bits, at] of CARRIERS) {
      if (!startsWith(six, readIpv6(prefix)!, bits)) continue
      return reachOf(dotted(six[at]!, six[at + 1]!))
    }
  }
  return found(IPV6, six, readIpv6)
}

/** This very machine by any of its names. */
export function isLoopback(address: string): boolean {
  const four = readIpv4(address)
  if (four !== undefined) return four[0]! >> 8 === 127
  const six = readIpv6(address)
  if (six === undefined) return false
  if (six.slice(0, 7).every((group) => group === 0) && six[7] === 1) return true
  return startsWith(six, readIpv6('::ffff:0:0')!, 96) && six[6]! >> 8 === 127
}

const found = (
  ranges: readonly Range[],
  groups: readonly number[],
  read: (text: string) => number[] | undefined,
) => ranges.find(([prefix, bits]) => startsWith(groups, read(prefix)!, bits))?.[2] ?? 'public'

function startsWith(groups: readonly number[], prefix: readonly number[], bits: number): boolean {
  for (let i = 0; i * 16 < bits; i += 1) {
    const left = Math.min(16, bits - i * 16)
    const mask = (0xffff << (16 - left)) & 0xffff
    if ((groups[i]! & mask) !== (prefix[i]! & mask)) return false
  }
  return true
}

const dotted = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.')

/** Two groups of 16 bits; only the form with four decimal numbers, none with a leading zero. */
function readIpv4(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined
  }
  const [a, b, c, d] = parts.map(Number) as [number, number, number, number]
  return [(a << 8) | b, (c << 8) | d]
}

/** Eight groups of 16 bits (RFC 4291, 2.2); a zone (`%eth0`) belongs to it and says nothing. */
function readIpv6(text: string): number[] | undefined {
  const [address = ''] = text.split('%', 1)
  const tail = address.slice(address.lastIndexOf(':') + 1)
  const four = tail.includes('.') ? readIpv4(tail) : undefined
  if (tail.includes('.') && four === undefined) return undefined
  const whole =
    four === undefined
      ? address
      : address.slice(0, -tail.length) + four.map((group) => group.toString(16)).join(':')
  const halves = whole.split('::')
  if (halves.length > 2) return undefined
  const [head = [], end = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - end.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...end]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.map((group) => Number.parseInt(group, 16))
}
