/**
 * What a node says of itself by multicast DNS (RFC 6762, 6763), and how what others say is read. Three records: that a
 * service of ours exists (PTR), its port (SRV), and a few short texts (TXT). No names of people, rooms or machines.
 *
 * A1 Where a node is, is where its packet came from: address records are neither sent nor read, so nobody can make us dial a
 *    third. (The price: behind a repeater of multicast DNS between two networks a static peer is needed.)
 * A2 One packet speaks for one node; one that lists several is refused whole.
 * A3 Reading never throws, whatever it is given, and costs no more than MAX_ANSWER_BYTES and MAX_RECORDS allow.
 */
import { z } from 'zod'
import type { NodeId } from '../../host/index.ts'
import { MAX_SERIAL } from '../household/bounds.ts'
import type { Life } from '../household/clones.ts'
import { householdIdSchema, nodeIdSchema } from '../household/records.ts'
import type { Standing } from '../household/sighting.ts'
import { MAX_ANSWER_BYTES, MAX_RECORDS, MAX_TXT_STRINGS, TTL_S } from './bounds.ts'
import { TAG_PATTERN } from './tag.ts'

/** RFC 6763, section 7: `_udp` stands for everything that is not TCP alone; the name is what ours always was. */
export const SERVICE = '_loqa._udp.local'
/** How the service's name lies in every packet that mentions it: labels may be shared, but once they are written out. */
const SERVICE_LABELS = Buffer.from('\x05_loqa\x04_udp\x05local')
const HEADER_BYTES = 12

export interface Announcement {
  readonly life: Omit<Life, 'address'>
  readonly mesh_port: number
  readonly enrolment_port: number
  /** Protocol versions: the one it speaks, the oldest it understands. */
  readonly speaks: number
  readonly understands: number
  readonly tag: string
  /** Only while its window is open. */
  readonly standing: Standing | undefined
}

export type AnnouncementFault = 'size' | 'records' | 'crowded' | 'incomplete' | 'text' | 'schema'

export type Heard =
  | { readonly type: 'announced'; readonly announcement: Announcement }
  | { readonly type: 'goodbye'; readonly node: NodeId }
  | { readonly type: 'refused'; readonly fault: AnnouncementFault }
  /** A question for, or an answer of, somebody else's service. */
  | { readonly type: 'other' }

/** The records of a DNS packet as `dns-packet` reads and writes them; `data` is whatever the record's type makes of it. */
export interface DnsRecord {
  readonly type: string
  readonly name: string
  readonly ttl?: number
  readonly flush?: boolean
  readonly data?: unknown
}

/**
 * Looked at before a packet is taken apart: `other` is everybody else's multicast DNS, most of what is heard in a home, and
 * costs one search for fifteen bytes.
 */
export function lookAt(packet: Uint8Array): 'read' | 'other' | AnnouncementFault {
  const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
  if (bytes.length < HEADER_BYTES) return 'size'
  if (!bytes.includes(SERVICE_LABELS, HEADER_BYTES)) return 'other'
  if (bytes.length > MAX_ANSWER_BYTES) return 'size'
  const records = [4, 6, 8, 10].reduce((sum, at) => sum + bytes.readUInt16BE(at), 0)
  return records > MAX_RECORDS ? 'records' : 'read'
}

const portSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,4}$/)
  .transform(Number)
  .refine((port) => port <= 65_535)
const countSchema = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,9})$/)
  .transform(Number)
  .refine((count) => count <= MAX_SERIAL)

/** Append only; keys of later versions are not looked at. */
const textsSchema = z.object({
  /** The peer id. */
  id: nodeIdSchema,
  /** Start of that node's process: count and random digits. */
  n: countSchema,
  b: z.string().regex(/^[0-9a-f]{16}$/),
  /** Port of the enrolment listener. */
  e: portSchema,
  p: countSchema,
  o: countSchema,
  t: z.string().regex(TAG_PATTERN),
  /** Household and whether it may give way to another: both, and only while the window is open. */
  h: householdIdSchema.optional(),
  m: z.enum(['0', '1']).optional(),
})

export function recordsOf(announcement: Announcement, ttl = TTL_S): DnsRecord[] {
  const { life, standing } = announcement
  const instance = `${life.node}.${SERVICE}`
  const texts = [
    `id=${life.node}`,
    `n=${life.incarnation}`,
    `b=${life.boot}`,
    `e=${announcement.enrolment_port}`,
    `p=${announcement.speaks}`,
    `o=${announcement.understands}`,
    `t=${announcement.tag}`,
    ...(standing === undefined ? [] : [`h=${standing.household}`, `m=${standing.movable ? 1 : 0}`]),
  ]
  const server = { port: announcement.mesh_port, weight: 0, priority: 0, target: `${life.node}.local` }
  return [
    { type: 'PTR', name: SERVICE, ttl, data: instance },
    { type: 'SRV', name: instance, ttl, flush: true, data: server },
    { type: 'TXT', name: instance, ttl, flush: true, data: texts },
  ]
}

/** Reads the records of one answer that `lookAt` let through. */
export function read(records: readonly DnsRecord[]): Heard {
  if (records.length > MAX_RECORDS) return { type: 'refused', fault: 'records' }
  const pointers = records.filter(({ type, name }) => type === 'PTR' && name === SERVICE)
  if (pointers.length === 0) return { type: 'other' }
  if (pointers.length > 1) return { type: 'refused', fault: 'crowded' }
  const { data: instance, ttl } = pointers[0]!
  const mine = records.filter(({ name }) => name === instance)
  const servers = mine.filter(({ type }) => type === 'SRV')
  const texts = mine.filter(({ type }) => type === 'TXT')
  if (servers.length !== 1 || texts.length !== 1) return { type: 'refused', fault: 'incomplete' }
  const pairs = pairsOf(texts[0]!.data)
  if (pairs === undefined) return { type: 'refused', fault: 'text' }
  const told = textsSchema.safeParse(pairs)
  const port = portOf(servers[0]!.data)
  // Both or neither: a household without knowing whether it moves is of no use.
  if (!told.success || port === undefined || (told.data.h === undefined) !== (told.data.m === undefined)) {
    return { type: 'refused', fault: 'schema' }
  }
  const { id, n, b, e, p, o, t, h, m } = told.data
  if (ttl === 0) return { type: 'goodbye', node: id }
  const announcement: Announcement = {
    life: { node: id, incarnation: n, boot: b },
    mesh_port: port,
    enrolment_port: e,
    speaks: p,
    understands: o,
    tag: t,
    standing: h === undefined ? undefined : { household: h, movable: m === '1' },
  }
  return { type: 'announced', announcement }
}

/** `key=value` texts; undefined for what is none, or says one key twice. */
function pairsOf(data: unknown): Record<string, string> | undefined {
  if (!Array.isArray(data) || data.length > MAX_TXT_STRINGS) return undefined
  const pairs = new Map<string, string>()
  for (const text of data) {
    if (!(text instanceof Uint8Array)) return undefined
    // Printable ASCII: anything else is no text of ours, and must never reach a terminal.
    const line = Buffer.from(text).toString('latin1')
    const [, key, value] = /^([a-z][a-z0-9]{0,8})=([\x20-\x7e]{0,200})$/.exec(line) ?? []
    if (key === undefined || value === undefined || pairs.has(key)) return undefined
    pairs.set(key, value)
  }
  return Object.fromEntries(pairs)
}

const serverSchema = z.object({ port: z.int().min(1).max(65_535) })

function portOf(data: unknown): number | undefined {
  const server = serverSchema.safeParse(data)
  return server.success ? server.data.port : undefined
}
