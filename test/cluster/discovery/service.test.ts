/** A service of this node is found by programs that look for it by multicast DNS, where they could connect, and by its id alone. */
import { createSocket, type Socket } from 'node:dgram'
import packet from 'dns-packet'
import { afterEach, describe, expect, test } from 'vitest'
import type { NetworkInterface } from '../../../src/cluster/discovery/interfaces.ts'
import {
  type AnnouncedService,
  announceService,
  lookerFor,
  reachable,
  serviceRecords,
} from '../../../src/cluster/discovery/service.ts'
import { realHost } from '../../../src/host/real.ts'

const host = realHost()
const LOOPBACK: NetworkInterface = {
  ...{ name: 'lo', address: '127.0.0.1', family: 'IPv4', prefix: 8, internal: true },
}
const CARD: NetworkInterface = {
  ...{ name: 'eth0', address: '192.168.1.20', family: 'IPv4', prefix: 24, internal: false },
}
const CARD_6: NetworkInterface = { ...CARD, address: 'fe80::1', family: 'IPv6', prefix: 64 }
const SERVICE = '_wyoming._tcp.local'
/** Processes that run at once on one machine must not hear each other. */
const PORT = 20_000 + (process.pid % 20_000)

describe('where it is announced', () => {
  const all = [LOOPBACK, CARD, CARD_6]
  test.each([
    ['0.0.0.0', [CARD]],
    ['::', [CARD]],
    ['192.168.1.20', [CARD]],
    ['127.0.0.1', [LOOPBACK]],
    ['localhost', [LOOPBACK]],
    ['192.168.1.21', []],
  ])('listening on %s', (listens_on, interfaces) => {
    expect(reachable(all, listens_on)).toEqual(interfaces)
  })
})

test('what is said names the node, its port and its address on that network', () => {
  const records = serviceRecords({ service: SERVICE, name: 'loqa-abc', port: 7423 }, '192.168.1.20', 120)
  expect(records.map(({ type, name }) => `${type} ${name}`)).toEqual([
    `PTR ${SERVICE}`,
    `SRV loqa-abc.${SERVICE}`,
    `TXT loqa-abc.${SERVICE}`,
    'A loqa-abc.local',
  ])
  expect(records[1]!.data).toMatchObject({ port: 7423, target: 'loqa-abc.local' })
  expect(records[3]!.data).toBe('192.168.1.20')
})

test('a question is one that mentions it; answers and anything else are not', () => {
  const look = lookerFor(SERVICE)
  const questions = [{ type: 'PTR' as const, name: SERVICE }]
  expect(look(packet.encode({ type: 'query', questions }))).toBe('asked')
  expect(
    look(packet.encode({ type: 'query', questions: [{ type: 'PTR', name: '_other._tcp.local' }] })),
  ).toBe('other')
  expect(
    look(packet.encode({ type: 'response', answers: [{ type: 'PTR', name: SERVICE, data: 'x' }] })),
  ).toBe('other')
  for (let length = 0; length < 64; length += 1)
    expect(look(new Uint8Array(length).fill(length))).toBe('other')
})

describe('on the wire', () => {
  let announced: AnnouncedService | undefined
  let socket: Socket | undefined
  afterEach(async () => {
    await announced?.stop()
    socket?.close()
    announced = undefined
    socket = undefined
  })

  type Answer = { readonly type: string; readonly ttl?: number; readonly data: unknown }
  /** The next packet about the service, of that kind. */
  function next(kind: 'alive' | 'goodbye'): Promise<readonly Answer[]> {
    return new Promise((resolve) => {
      const hear = (bytes: Buffer): void => {
        const { answers = [] } = packet.decode(bytes)
        const pointer = answers.find(({ type, name }) => type === 'PTR' && name === SERVICE) as
          | Answer
          | undefined
        if (pointer === undefined || (pointer.ttl === 0) !== (kind === 'goodbye')) return
        socket!.off('message', hear)
        resolve(answers as Answer[])
      }
      socket!.on('message', hear)
    })
  }

  async function listen(): Promise<Socket> {
    const opened = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => opened.bind(PORT, '0.0.0.0', resolve))
    opened.addMembership('224.0.0.251', '127.0.0.1')
    opened.setMulticastInterface('127.0.0.1')
    return opened
  }

  test('it says so by itself, answers the question of who looks for many kinds, and says goodbye', async () => {
    socket = await listen()
    const first = next('alive')
    announced = await announceService({
      ...{ host, service: SERVICE, name: 'loqa-abc', listens_on: '127.0.0.1', port: 7423 },
      ...{ multicast_port: PORT, interfaces: { list: () => [LOOPBACK] }, trouble: () => undefined },
    })
    expect((await first).find(({ type }) => type === 'A')?.data).toBe('127.0.0.1')
    // What it says by itself follows a fixed plan: more than that are answers.
    const others = Array.from({ length: 40 }, (_, at) => `_kind-${at}._tcp.local`)
    const question = packet.encode({
      type: 'query',
      questions: [...others, SERVICE].map((name) => ({ type: 'PTR' as const, name })),
      answers: others.map((name) => ({ type: 'PTR' as const, name, ttl: 60, data: `one.${name}` })),
    })
    let heard = 0
    for (; heard < 6; heard += 1) {
      const answer = next('alive')
      socket.send(question, PORT, '224.0.0.251')
      expect((await answer).find(({ type }) => type === 'SRV')?.data).toMatchObject({ port: 7423 })
    }
    const goodbye = next('goodbye')
    await announced.stop()
    announced = undefined
    expect((await goodbye).every(({ ttl }) => ttl === 0)).toBe(true)
  })
})
