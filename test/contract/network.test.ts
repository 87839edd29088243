import { describe, expect, it } from 'vitest'
import type { Connection, Network } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { SimulatedClock, SimulatedRandom, SimulatedWorld } from '../../src/host/simulated/index.ts'

interface Setting {
  readonly name: string
  readonly host: string
  readonly server: Network
  readonly client: Network
  /** Runs work until the promise settles: virtual time must be moved for it. */
  readonly settle: <T>(work: Promise<T>) => Promise<T>
}

function simulatedSetting(): Setting {
  const clock = new SimulatedClock()
  const world = new SimulatedWorld(clock, new SimulatedRandom(7))
  return {
    name: 'simulated',
    host: 'server',
    server: world.host('server'),
    client: world.host('client'),
    settle: async (work) => {
      let settled = false
      const mark = (): void => {
        settled = true
      }
      work.then(mark, mark)
      for (let turns = 0; !settled && turns < 10_000; turns += 1) {
        clock.step()
        await Promise.resolve()
      }
      return work
    },
  }
}

const network = realHost().network
const settings: Setting[] = [
  { name: 'real', host: '127.0.0.1', server: network, client: network, settle: (work) => work },
  simulatedSetting(),
]

describe.each(settings)('the $name network', ({ host, server, client, settle }) => {
  async function pair(): Promise<{ near: Connection; far: Connection; end: () => Promise<void> }> {
    const accepted = Promise.withResolvers<Connection>()
    const listener = await server.listen({ host, port: 0 }, accepted.resolve)
    const near = await settle(client.dial({ host, port: listener.port }, 1000))
    const far = await settle(accepted.promise)
    return { near, far, end: () => listener.close() }
  }

  it('carries bytes both ways, whole and in order', async () => {
    const { near, far, end } = await pair()
    const sent = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i, i, i))
    const heard: number[] = []
    const done = Promise.withResolvers<void>()
    far.onData((bytes) => {
      heard.push(...bytes)
      far.send(bytes.slice())
    })
    let echoed = 0
    near.onData((bytes) => {
      echoed += bytes.length
      if (echoed === 150) done.resolve()
    })
    for (const bytes of sent) near.send(bytes)
    await settle(done.promise)
    expect(heard).toEqual(sent.flatMap((bytes) => [...bytes]))
    near.close()
    await end()
  })

  it('answers false above the mark and says when it has drained', async () => {
    const { near, far, end } = await pair()
    let received = 0
    far.onData((bytes) => {
      received += bytes.length
    })
    const drained = Promise.withResolvers<void>()
    near.onDrain(drained.resolve)
    const chunk = new Uint8Array(64 * 1024)
    let sent = 0
    while (near.send(chunk.slice())) {
      sent += chunk.length
      expect(sent).toBeLessThan(256 * 1024 * 1024)
    }
    await settle(drained.promise)
    expect(received).toBeGreaterThan(0)
    near.close()
    await end()
  })

  it('tells the other side of an orderly end, after all bytes', async () => {
    const { near, far, end } = await pair()
    let bytes = 0
    const closed = Promise.withResolvers<Error | undefined>()
    far.onData((chunk) => {
      bytes += chunk.length
    })
    far.onClose(closed.resolve)
    near.send(new Uint8Array(1000))
    near.close()
    expect(await settle(closed.promise)).toBeUndefined()
    expect(bytes).toBe(1000)
    await end()
  })

  it('refuses a port nobody listens on, and one that is taken', async () => {
    await expect(settle(client.dial({ host, port: 1 }, 300))).rejects.toMatchObject({ code: 'unreachable' })
    const listener = await server.listen({ host, port: 0 }, () => {})
    await expect(server.listen({ host, port: listener.port }, () => {})).rejects.toMatchObject({
      code: 'port-in-use',
    })
    await listener.close()
  })
})

describe('the simulated network', () => {
  it('holds bytes back while a link is cut and delivers them at heal', async () => {
    const clock = new SimulatedClock()
    const world = new SimulatedWorld(clock, new SimulatedRandom(8))
    let heard = 0
    await world.host('b').listen({ host: 'b', port: 5 }, (connection) => {
      connection.onData((bytes) => {
        heard += bytes.length
      })
    })
    const dialled = world.host('a').dial({ host: 'b', port: 5 }, 100)
    clock.advance(10)
    const connection = await dialled
    world.cut('a', 'b')
    connection.send(new Uint8Array(10))
    clock.advance(60_000)
    expect(heard).toBe(0)
    expect(world.counts.held).toBeGreaterThan(0)
    world.heal()
    clock.advance(10)
    expect(heard).toBe(10)
  })
})
