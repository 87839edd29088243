/** Promised: C1 to C3 of `containers.ts`, with engines that are missing, shut, late, loose or liars; the real one is in test/process. */
import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../../src/host/simulated/index.ts'
import { Containers, usualSockets } from '../../../src/skills/containers/index.ts'
import { StreamError, StreamSplitter } from '../../../src/skills/containers/streams.ts'
import type { SandboxProcess } from '../../../src/skills/sandbox/process.ts'
import { ScriptedEngine } from './scripted-engine.ts'

const IMAGE = `tool@sha256:${'a'.repeat(64)}`
const BOUNDS = { image: IMAGE, memory_mb: 64, cpus: 1, pids: 8 }

let clock: SimulatedClock
let engine: ScriptedEngine
let containers: Containers
let heard: string
let exits: string[]

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new ScriptedEngine(clock)
  heard = ''
  exits = []
  containers = new Containers({ clock, sockets: ['/engine.sock'], node: 'kitchen', open: () => engine })
})

const settled = async (ms = 0): Promise<void> => {
  for (let turn = 0; turn < 40; turn += 1) await Promise.resolve()
  clock.advance(ms)
  for (let turn = 0; turn < 40; turn += 1) await Promise.resolve()
}

const started = (): SandboxProcess =>
  containers.starter(
    BOUNDS,
    'tool',
  )({
    bytes: (chunk) => {
      heard += Buffer.from(chunk).toString()
    },
    exit: (detail) => exits.push(detail),
  })

const piece = (of: number, text: string): Uint8Array => {
  const head = Buffer.alloc(8)
  head[0] = of
  head.writeUInt32BE(text.length, 4)
  return Buffer.concat([head, Buffer.from(text)])
}

describe('an engine', () => {
  it('is not spoken to before it is needed (C1)', () => expect(engine.asked).toEqual([]))

  it('that is switched off, missing or shut is told of in words (C2)', async () => {
    const off = new Containers({ clock, sockets: [], node: 'kitchen', open: () => engine })
    expect(await off.look(IMAGE)).toMatchObject({
      code: 'skill-runtime',
      message: expect.stringContaining('off'),
    })
    engine.says.set('GET /_ping', Object.assign(new Error('connect'), { code: 'ENOENT' }))
    expect(await containers.look(IMAGE)).toMatchObject({ hint: expect.stringContaining('Install Podman') })
    expect(await containers.state()).toEqual({ state: 'none' })
    engine.says.set('GET /_ping', Object.assign(new Error('connect'), { code: 'EACCES' }))
    expect(await containers.look(IMAGE)).toMatchObject({ message: expect.stringContaining('may not use') })
    engine.says.delete('GET /_ping')
    expect(await containers.look(IMAGE)).toBeUndefined()
  })

  it('that never answers keeps nobody waiting (C2)', async () => {
    engine.says.set('GET /_ping', 'nothing')
    const looked = containers.look(IMAGE)
    await settled(1_000)
    expect(await looked).toMatchObject({ code: 'skill-runtime' })
  })

  it('without the image, or with one that wants a disk, is told of in words (C2)', async () => {
    engine.says.set('GET /images/', { status: 404, body: {} })
    expect(await containers.look(IMAGE)).toMatchObject({ hint: `Fetch it: podman pull ${IMAGE}` })
    engine.says.set('GET /images/', { status: 200, body: { Config: { Volumes: { '/data': {} } } } })
    expect(await containers.look(IMAGE)).toMatchObject({ message: expect.stringContaining('disk') })
  })

  it('says its name', async () => {
    engine.says.set('GET /version', {
      status: 200,
      body: { Components: [{ Name: 'Podman\u001b Engine', Version: '4.3.1' }] },
    })
    expect(await containers.state()).toMatchObject({ state: 'there', name: 'Podman? Engine 4.3.1' })
  })

  it('is looked for without rights of root first', () => {
    expect(usualSockets(1_000)[0]).toBe('/run/user/1000/podman/podman.sock')
    expect(usualSockets(undefined)).toHaveLength(2)
  })
})

describe('a container', () => {
  it('is heard, spoken to, and removed when it is killed', async () => {
    const process = started()
    await settled()
    expect(engine.asked.at(-1)).toMatch(/^POST .*\/start$/)
    engine.hearer!.bytes(piece(1, 'hello'))
    engine.hearer!.bytes(piece(2, 'a warning'))
    expect(heard).toBe('hello')
    process.send(Buffer.from('order'))
    expect(engine.sent).toHaveLength(1)
    process.kill()
    process.kill()
    await settled()
    expect(exits).toEqual(['was ended: a warning'])
    expect(engine.here.size).toBe(0)
  })

  it('is never started by an engine that does not hold it, and that is told to who calls next (C2)', async () => {
    engine.says.set('GET /containers/0', { status: 200, body: { HostConfig: {} } })
    started()
    await settled()
    expect(exits).toHaveLength(1)
    expect(engine.asked.some((order) => order.endsWith('/start'))).toBe(false)
    expect(engine.here.size).toBe(0)
    expect(await containers.look(IMAGE)).toMatchObject({
      message: expect.stringContaining('does not do as it is told'),
    })
    clock.advance(10_000)
    expect(await containers.look(IMAGE)).toBeUndefined()
  })

  it('that is killed while it comes into being is removed all the same', async () => {
    const process = started()
    process.kill()
    await settled()
    expect(exits).toHaveLength(1)
    expect(engine.here.size).toBe(0)
  })

  it.each([
    ['complains without end', piece(2, 'x'.repeat(70_000)), /complained without end/],
    ['speaks through no engine', new Uint8Array(16).fill(7), /spoke through no engine/],
  ])('that %s is ended', async (_, bytes, detail) => {
    started()
    await settled()
    engine.hearer!.bytes(bytes)
    expect(exits).toEqual([expect.stringMatching(detail)])
    await settled()
    expect(engine.here.size).toBe(0)
  })

  it('that could not be removed is, before the next is made (C3)', async () => {
    engine.says.set('DELETE', new Error('busy'))
    const process = started()
    await settled()
    process.kill()
    await settled()
    expect(engine.here.size).toBe(1)
    engine.says.delete('DELETE')
    engine.here.add('f'.repeat(12))
    started()
    await settled()
    expect(engine.here.size).toBe(1)
    const asked = engine.asked.find((order) => order.startsWith('GET /containers/json'))!
    expect(decodeURIComponent(asked)).toContain('loqa.node=kitchen')
  })

  it('does not keep the node from ending', async () => {
    const process = started()
    await settled()
    engine.says.set('DELETE', 'nothing')
    process.kill()
    let closed = false
    void containers.closed().then(() => {
      closed = true
    })
    await settled(1_500)
    expect(closed).toBe(true)
  })
})

describe('a stream', () => {
  it('comes out the same however it is cut', () => {
    const whole = Buffer.concat([piece(1, 'one'), piece(2, 'two'), piece(1, ''), piece(1, 'three')])
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const splitter = new StreamSplitter()
      const pieces = [...splitter.push(whole.subarray(0, cut)), ...splitter.push(whole.subarray(cut))]
      const said = (of: string): string =>
        pieces
          .filter((one) => one.of === of)
          .map(({ bytes }) => Buffer.from(bytes).toString())
          .join('')
      expect([said('output'), said('error')]).toEqual(['onethree', 'two'])
    }
  })

  it('of noise is refused, or holds nothing', () => {
    let seed = 7
    const noise = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return seed >>> 24
    }
    let refused = 0
    for (let round = 0; round < 2_000; round += 1) {
      const splitter = new StreamSplitter()
      try {
        const bytes = Uint8Array.from({ length: 64 }, (_, at) =>
          round % 2 === 0 && at < 4 ? (at === 0 ? 1 : 0) : noise(),
        )
        const held = splitter.push(bytes).reduce((sum, piece) => sum + piece.bytes.length, 0)
        expect(held).toBeLessThanOrEqual(64)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(StreamError)
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(900)
  })
})
