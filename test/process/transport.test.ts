/** Links between processes: a killed one is noticed at once, and one that floods takes nothing from the others. */
import { afterEach, describe, expect, it } from 'vitest'
import { openMesh } from '../../src/cluster/transport/libp2p-mesh.ts'
import type { Link, Mesh } from '../../src/cluster/transport/mesh.ts'
import { realHost } from '../../src/host/real.ts'
import { identities, idOf, KEY } from '../cluster/transport/identities.ts'
import { type Peer, startPeer } from '../cluster/transport/processes.ts'

const host = realHost()
const meshes: Mesh[] = []
const peers: Peer[] = []
afterEach(async () => {
  for (const { child } of peers.splice(0)) child.kill('SIGKILL')
  await Promise.all(meshes.splice(0).map((mesh) => mesh.close()))
})

async function start(...args: Parameters<typeof startPeer>): Promise<Peer> {
  const peer = await startPeer(...args)
  peers.push(peer)
  return peer
}

async function dial(index: number, port: number): Promise<Link> {
  const mesh = await openMesh({
    host,
    identity: identities[index]!,
    keys: [KEY],
    port: 0,
    hosts: ['127.0.0.1'],
  })
  meshes.push(mesh)
  return mesh.dial({ host: '127.0.0.1', port }, idOf(identities[0]!))
}

describe('a process', () => {
  it('that is killed is noticed in 50 ms (median of 5)', async () => {
    const took: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const peer = await start('serve', 0)
      const link = await dial(1, peer.port)
      link.onFrame(() => {})
      const closed = new Promise((resolve) => link.onClose(resolve))
      const before = host.clock.monotonic()
      peer.child.kill('SIGKILL')
      await closed
      took.push(host.clock.monotonic() - before)
    }
    expect(took.sort((a, b) => a - b)[2]).toBeLessThan(50)
  })

  it('that floods every class leaves the others at least 90 % of their goodput', async () => {
    const server = await start('serve', 0)
    const links = await Promise.all([1, 2, 3].map((index) => dial(index, server.port)))
    const SPAN_MS = 2_000
    /**
     * 100 frames of 1 KiB about every 20 ms: an even load such as audio of many rooms. Of what was offered, how much of each was
     * heard: when this machine is busy otherwise, less is offered.
     */
    const goodput = async (): Promise<number[]> => {
      let running = true
      let offered = 0
      const frame = new Uint8Array(1_024)
      const send = (): void => {
        if (!running) return
        offered += 100
        for (const link of links) for (let i = 0; i < 100; i += 1) link.send('data', frame)
        host.clock.after(20, send)
      }
      await server.report()
      send()
      await new Promise<void>((resolve) => host.clock.after(SPAN_MS, resolve))
      running = false
      const { heard } = await server.report()
      return [1, 2, 3].map((index) => (heard[idOf(identities[index]!)]?.frames ?? 0) / offered)
    }
    const alone = await goodput()
    const flooder = await start('flood', 4, server.port)
    const flooded = await goodput()
    const { heard } = await server.report()
    // The flood was one.
    expect(heard[idOf(identities[4]!)]?.frames ?? 0).toBeGreaterThan(0)
    for (const [i, frames] of flooded.entries()) expect(frames / alone[i]!).toBeGreaterThan(0.9)
    expect(flooder.child.exitCode).toBeNull()
  })
})
