import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { type Live, live, Satellite } from '../api/live.ts'
import { tone } from '../api/scripted-view.ts'

const FRAMES = Number(process.env.LOQA_FUZZ_WEBSOCKET ?? 20_000)
const seed = Number(process.env.LOQA_SEED ?? 20_261_121)

let node: Live
beforeEach(async () => {
  node = await live()
})
afterEach(() => node.api.stop())

const alive = async (): Promise<void> => {
  expect(await (await fetch(`${node.api.url}/healthz`)).json()).toEqual({ ok: true })
  expect(node.defects).toEqual([])
}

/** A raw connection that has become a WebSocket. */
async function upgraded(): Promise<Socket> {
  const socket = createConnection(node.api.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'GET /api/v1/voice HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  await once(socket, 'data')
  return socket
}

/** A masked frame, often wrong: reserved bits, unknown opcodes, lengths that lie, no mask, fragments out of order. */
function frame(random: SimulatedRandom): Buffer {
  const payload = random.bytes([0, 1, 2, 3, 125, 126, 640, 641][random.below(8)]!)
  const opcodes = [0, 1, 2, 2, 2, 8, 9, 10, 3, 15]
  const first =
    (random.below(8) === 0 ? 0 : 0x80) | (random.below(12) === 0 ? 0x40 : 0) | opcodes[random.below(10)]!
  const claimed = random.below(10) === 0 ? random.below(65_536) : payload.length
  const masked = random.below(10) === 0 ? 0 : 0x80
  const head = claimed < 126 ? [first, masked | claimed] : [first, masked | 126, claimed >> 8, claimed & 255]
  const mask = masked === 0 ? [] : [...random.bytes(4)]
  const body = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from(head), Buffer.from(mask), body])
}

it(`${FRAMES} hostile frames (seed ${seed}) end connections, never the node`, async () => {
  const random = new SimulatedRandom(seed)
  let sent = 0
  const visitor = async (): Promise<void> => {
    while (sent < FRAMES) {
      const socket = await upgraded()
      const closed = once(socket, 'close')
      const count = 1 + random.below(12)
      socket.end(Buffer.concat(Array.from({ length: count }, () => frame(random))))
      sent += count
      socket.resume()
      await closed
    }
  }
  await Promise.all(Array.from({ length: 16 }, visitor))
  await alive()
  const { channels } = node.view
  expect(channels.length).toBeGreaterThan(100)
  expect(channels.every((channel) => channel.pushed.every((chunk) => chunk.length % 2 === 0))).toBe(true)
  expect(channels.filter((channel) => channel.closed !== 1)).toEqual([])
}, 120_000)

it('sound cut at any place arrives as it was', async () => {
  const random = new SimulatedRandom(seed)
  const satellite = new Satellite(node.api.url)
  await satellite.event('ready')
  const channel = node.view.channels[0]!
  const sound = tone(4_000)
  const all = new Promise<void>((resolve) => {
    channel.onPush = () => {
      if (channel.bytes === sound.length) resolve()
    }
  })
  for (let at = 0; at < sound.length; ) {
    const size = 1 + random.below(2_000)
    satellite.socket.send(sound.subarray(at, at + size))
    at += size
  }
  await all
  expect(Buffer.concat(channel.pushed)).toEqual(Buffer.from(sound))
})

describe('a flood', () => {
  it('of sound far above real time is slowed, not lost, and does not starve others', async () => {
    const satellite = new Satellite(node.api.url)
    await satellite.event('ready')
    const channel = node.view.channels[0]!
    // 16 s of sound at once: 10 s pass as a burst, the rest comes at twenty times real time.
    const second = tone(1_000)
    const all = new Promise<void>((resolve) => {
      channel.onPush = () => {
        if (channel.bytes === 16 * second.length) resolve()
      }
    })
    for (let count = 0; count < 16; count++) satellite.socket.send(second)
    expect((await fetch(`${node.api.url}/api/v1/status`)).status).toBe(200)
    await all
    await alive()
  })

  it('of a satellite that does not read ends with its connection', async () => {
    const socket = await upgraded()
    const [channel] = node.view.channels
    const closed = new Promise<void>((resolve) => {
      channel!.close = () => resolve()
    })
    socket.pause()
    const chunk = tone(1_000)
    // The kernel takes some megabytes before the node sees that nobody reads.
    for (let count = 0; count < 400; count++) channel!.listener.audio(chunk)
    await closed
    socket.destroy()
    await alive()
  })
})

it('a hundred connections that never speak: the first 64 are served, the others told why', async () => {
  const satellites = Array.from({ length: 100 }, () => new Satellite(node.api.url))
  const fates = await Promise.all(
    satellites.map((satellite) =>
      Promise.race([satellite.event('ready').then(() => 'ready'), satellite.closed]),
    ),
  )
  expect(fates.filter((fate) => fate === 'ready')).toHaveLength(64)
  for (const fate of fates.filter((fate) => fate !== 'ready')) {
    expect(fate).toMatchObject({ code: 1013, reason: expect.stringContaining('64 voice connections') })
  }
  await alive()
  for (const satellite of satellites) satellite.socket.terminate()
})
