/**
 * Discovery over real sockets: nodes of one machine, on a multicast port of their own, with interfaces that the test puts in
 * and takes away.
 */
import { createSocket } from 'node:dgram'
import packet from 'dns-packet'
import { afterEach, describe, expect, test } from 'vitest'
import { type DnsRecord, recordsOf } from '../../../src/cluster/discovery/announcement.ts'
import {
  type Discovery,
  type DiscoveryEffect,
  openDiscovery,
} from '../../../src/cluster/discovery/discovery.ts'
import type { NetworkInterface } from '../../../src/cluster/discovery/interfaces.ts'
import type { HouseholdId } from '../../../src/cluster/household/records.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { type NodeId, nodeIdOf } from '../../../src/host/index.ts'
import { realHost } from '../../../src/host/real.ts'

const host = realHost()
const LOOPBACK: NetworkInterface = {
  name: 'lo',
  address: '127.0.0.1',
  family: 'IPv4',
  prefix: 8,
  internal: true,
}
/** Processes that run at once on one machine must not hear each other. */
const PORT = 20_000 + (process.pid % 20_000)
const KEY = new Secret(Buffer.alloc(32, 1))
const OTHER_KEY = new Secret(Buffer.alloc(32, 2))
const HOUSEHOLD = '0f'.repeat(16) as HouseholdId
const idOf = (seed: number): NodeId => nodeIdOf(seed.toString(16).padStart(2, '0').repeat(32))

class Resident {
  readonly node: NodeId
  readonly effects: DiscoveryEffect[] = []
  readonly discovery: Discovery
  interfaces: readonly NetworkInterface[]
  #waiting: (() => void)[] = []

  constructor(seed: number, key = KEY, options: { boot?: string; interfaces?: NetworkInterface[] } = {}) {
    this.node = idOf(seed)
    this.interfaces = options.interfaces ?? [LOOPBACK]
    this.discovery = openDiscovery({
      host,
      life: { node: this.node, incarnation: 1, boot: options.boot ?? seed.toString(16).padStart(16, '0') },
      ports: { mesh: 7_000 + seed, enrolment: 8_000 + seed },
      multicast: { port: PORT },
      interfaces: { list: () => this.interfaces },
      onEffect: (effect) => {
        this.effects.push(effect)
        const waiting = this.#waiting
        this.#waiting = []
        for (const wake of waiting) wake()
      },
    })
    this.discovery.take({ type: 'tell', standing: undefined, keys: [key] })
    residents.push(this)
  }

  async until<T extends DiscoveryEffect['type']>(
    type: T,
    fits: (effect: Extract<DiscoveryEffect, { type: T }>) => boolean = () => true,
  ): Promise<Extract<DiscoveryEffect, { type: T }>> {
    for (;;) {
      const found = this.effects.find(
        (effect): effect is Extract<DiscoveryEffect, { type: T }> =>
          effect.type === type && fits(effect as Extract<DiscoveryEffect, { type: T }>),
      )
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

const residents: Resident[] = []
afterEach(async () => {
  await Promise.all(residents.splice(0).map(({ discovery }) => discovery.stop()))
})

/** Says anything to everybody on the loopback interface, as whatever runs there could. */
async function shout(...packets: Uint8Array[]): Promise<void> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  socket.setMulticastInterface('127.0.0.1')
  for (const bytes of packets) {
    await new Promise<void>((resolve) => socket.send(bytes, PORT, '224.0.0.251', () => resolve()))
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()))
}

const answer = (records: readonly DnsRecord[]): Uint8Array =>
  packet.encode({ type: 'response', answers: structuredClone(records) as never })

const saying = (node: NodeId, port: number): readonly DnsRecord[] =>
  recordsOf({
    life: { node, incarnation: 1, boot: 'f'.repeat(16) },
    mesh_port: port,
    enrolment_port: port,
    speaks: 1,
    understands: 1,
    tag: '0'.repeat(16),
    standing: undefined,
  })

describe('nodes on one machine', () => {
  test('know of each interface whether they hear there what they say themselves', async () => {
    const anna = new Resident(9, KEY, { interfaces: [] })
    expect(anna.discovery.multicast).toEqual([])
    anna.interfaces = [LOOPBACK]
    await expect
      .poll(() => anna.discovery.multicast, { timeout: 30_000 })
      .toEqual([{ network: 'lo', heard_ms: expect.any(Number) }])
  })

  test('of one household dial each other; of another one they are met, and told apart by an open window only', async () => {
    const [anna, bert, stranger] = [new Resident(1), new Resident(2), new Resident(3, OTHER_KEY)]
    const dial = await anna.until('dial')
    expect(dial).toMatchObject({ place: { host: '127.0.0.1', port: 7_002 }, expected: bert.node })
    expect(await bert.until('dial')).toMatchObject({ place: { port: 7_001 }, expected: anna.node })
    expect(await anna.until('met')).toEqual({ type: 'met', node: stranger.node, standing: undefined })
    expect(anna.discovery.placesOf(stranger.node).enrolment).toEqual([{ host: '127.0.0.1', port: 8_003 }])
    const standing = { household: HOUSEHOLD, movable: true }
    stranger.discovery.take({ type: 'tell', standing, keys: [OTHER_KEY] })
    await anna.until('met', (met) => met.standing?.household === HOUSEHOLD)
    expect(anna.effects.filter((one) => one.type === 'dial' && one.expected === stranger.node)).toEqual([])
    // Nobody takes notice of what it said itself.
    expect(anna.discovery.placesOf(anna.node).mesh).toEqual([])
  })

  test('are found when their interface comes up late, and forgotten at a goodbye', async () => {
    const anna = new Resident(1, KEY, { interfaces: [] })
    const bert = new Resident(2)
    expect(anna.effects.some(({ type }) => type === 'dial')).toBe(false)
    anna.interfaces = [LOOPBACK]
    await Promise.all([anna.until('dial'), bert.until('dial')])
    const stranger = new Resident(3, OTHER_KEY)
    await anna.until('met')
    await stranger.discovery.stop()
    await shout(answer(saying(idOf(99), 1)))
    await anna.until('met', ({ node }) => node === idOf(99))
    expect(anna.discovery.placesOf(stranger.node).mesh).toEqual([])
  })

  test('hear of a copy of themselves that holds their key, and believe nobody who does not', async () => {
    const anna = new Resident(1)
    await shout(answer(saying(anna.node, 7_666)))
    const copy = new Resident(1, KEY, { boot: 'c'.repeat(16) })
    const { life } = await anna.until('cloned')
    expect(life).toMatchObject({ node: anna.node, boot: 'c'.repeat(16), address: '127.0.0.1' })
    expect(copy.node).toBe(anna.node)
    const known = { name: 'anna', room: '', state: undefined, rtt_ms: null, capabilities: [] }
    const [row] = anna.discovery.explain({
      self: { id: anna.node, ...known },
      members: new Map(),
      revoked: new Set(),
      pending: new Map(),
      joining: undefined,
    })
    expect(row?.why_not_connected?.reason).toBe('self-elsewhere')
  })

  test('survive a thousand invented services and whatever else is shouted, and still find each other', async () => {
    const anna = new Resident(1)
    const flood = Array.from({ length: 1_000 }, (_, i) =>
      answer(saying(nodeIdOf(i.toString(16).padStart(64, '0')), 7_421)),
    )
    const rubbish = flood.slice(0, 200).map((bytes, i) => bytes.subarray(0, 40 + i))
    await shout(...flood, ...rubbish, Buffer.alloc(9_000, 1))
    const bert = new Resident(2)
    await Promise.all([anna.until('dial'), bert.until('dial', ({ expected }) => expected === anna.node)])
    const rows = anna.discovery.explain({
      self: { id: anna.node, name: '', room: '', state: undefined, rtt_ms: null, capabilities: [] },
      members: new Map(),
      revoked: new Set(),
      pending: new Map(),
      joining: undefined,
    })
    expect(rows.length).toBeLessThanOrEqual(20)
    // How many the system's own buffer dropped before is not ours to say.
    expect(anna.discovery.counts['refused_too-many']).toBeGreaterThan(0)
    expect(anna.effects.filter(({ type }) => type === 'met').length).toBeLessThan(100)
  })
})
