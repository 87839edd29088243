import { createConnection } from 'node:net'
import { expect, it } from 'vitest'
import { openMesh } from '../../../src/cluster/transport/libp2p-mesh.ts'
import { realHost } from '../../../src/host/real.ts'
import { closed, linked, meshContract } from './contract.ts'
import { identities, idOf, KEY } from './identities.ts'
import { MemoryNetwork } from './memory-mesh.ts'

const host = realHost()
const open = (identity = identities[0]!, port = 0, hosts = ['127.0.0.1']) =>
  openMesh({ host, identity, keys: [KEY], port, hosts, connections_per_source: 10_000 })

const memory = new MemoryNetwork(host.clock)
meshContract({ name: 'in memory', open: async (identity, keys) => memory.open(idOf(identity), keys) })
meshContract({
  name: 'over libp2p',
  open: (identity, keys) =>
    openMesh({ host, identity, keys, port: 0, hosts: ['127.0.0.1'], connections_per_source: 10_000 }),
})

it('listens on both families with one port, and says when that is taken', async () => {
  const mesh = await openMesh({ host, identity: identities[0]!, keys: [KEY], port: 0 })
  const other = await open(identities[1]!)
  other.onLink(() => {})
  mesh.onLink(() => {})
  const { port } = mesh.places[0]!
  expect(new Set(mesh.places.map((place) => place.port)).size).toBe(1)
  const families = mesh.places.map((place) => (place.host === '::' ? '::1' : '127.0.0.1'))
  for (const address of families) {
    const link = await other.dial({ host: address, port }, undefined)
    expect(link.peer).toBe(idOf(identities[0]!))
  }
  await expect(open(identities[2]!, port)).rejects.toMatchObject({ code: 'port-in-use' })
  await mesh.close()
  await other.close()
})

it('gives a stranger nothing but the name of its handshake and random bytes', async () => {
  const mesh = await open()
  const { port } = mesh.places[0]!
  const talk = (said: Uint8Array[]): Promise<Buffer> =>
    new Promise((resolve) => {
      const heard: Buffer[] = []
      const socket = createConnection({ host: '127.0.0.1', port }, () => {
        for (const bytes of said) socket.write(bytes)
      })
      socket.on('data', (bytes) => heard.push(bytes))
      socket.on('error', () => {})
      socket.on('close', () => resolve(Buffer.concat(heard)))
    })
  const line = (text: string): Buffer => Buffer.from([text.length + 1, ...Buffer.from(`${text}\n`)])
  const multistream = line('/multistream/1.0.0')
  const claim = Buffer.alloc(128, 7)
  const heard = [
    await talk([multistream, line('/loqa/1/noise'), claim]),
    await talk([multistream, line('/loqa/1/noise'), claim]),
  ]
  const greeting = Buffer.concat([multistream, line('/loqa/1/noise')])
  for (const bytes of heard) {
    expect(bytes.subarray(0, greeting.length)).toEqual(greeting)
    // A nonce and what would be the tag of somebody who shares a key; noise never begins.
    expect(bytes.length).toBe(greeting.length + 64)
    expect(bytes.includes(idOf(identities[0]!))).toBe(false)
  }
  expect(heard[0]).not.toEqual(heard[1])
  // Plain noise, as any libp2p speaks it, is not answered.
  const refused = await talk([multistream, line('/noise'), Buffer.alloc(64)])
  expect(refused.includes(Buffer.from('/noise'))).toBe(false)
  await mesh.close()
}, 15_000)

it('keeps members getting in while a stranger holds as many connections as it can', async () => {
  const mesh = await openMesh({ host, identity: identities[0]!, keys: [KEY], port: 0 })
  const { port } = mesh.places[0]!
  const sockets = Array.from({ length: 300 }, () => {
    // From an address of its own, as a stranger on the network has.
    const socket = createConnection({ host: '127.0.0.1', port, localAddress: '127.0.0.2' })
    socket.on('error', () => {})
    return socket
  })
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  const member = await open(identities[1]!)
  const { near } = await linked(member, mesh)
  expect(near.peer).toBe(idOf(identities[0]!))
  for (const socket of sockets) socket.destroy()
  near.close()
  await closed(near)
  await mesh.close()
  await member.close()
})
