import { once } from 'node:events'
import { createConnection } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { NodeEvent } from '../../src/api/index.ts'
import { type Live, live, Satellite } from './live.ts'
import { type ScriptedChannel, scriptedTurn, tone } from './scripted-view.ts'

let running: Live | undefined
afterEach(async () => {
  await running?.api.stop()
  running = undefined
})

const start = async (...given: Parameters<typeof live>): Promise<Live> => {
  running = await live(...given)
  return running
}

/** The node's end of the n-th connection, once it is there. */
async function channel(live: Live, satellite: Satellite, index = 0): Promise<ScriptedChannel> {
  await satellite.event('ready')
  return live.view.channels[index]!
}

/** Resolves when the node's end has got so many bytes. */
function received(end: ScriptedChannel, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (end.bytes >= bytes) resolve()
    }
    end.onPush = check
    check()
  })
}

describe('a satellite', () => {
  it('is told its session and room, sends sound, gets sound and events', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url, '/api/v1/voice?room=attic&session=s9')
    const end = await channel(node, satellite)
    expect(end.request).toEqual({ room: 'attic', session: 's9' })
    expect(satellite.events[0]).toEqual({ type: 'ready', session: 's9', room: 'attic', sample_rate: 16000 })

    satellite.socket.send(tone(100))
    await received(end, 3_200)
    expect(Buffer.concat(end.pushed)).toEqual(Buffer.from(tone(100)))

    end.listener.audio(tone(20))
    end.listener.event({ type: 'turn', turn: scriptedTurn })
    expect((await satellite.event('turn')).turn).toEqual(scriptedTurn)
    expect(Buffer.concat(satellite.audio)).toEqual(Buffer.from(tone(20)))
  })

  it('may split samples over messages of any size', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url)
    const end = await channel(node, satellite)
    const sound = tone(50)
    for (let at = 0, size = 1; at < sound.length; at += size, size = (size % 7) + 2) {
      satellite.socket.send(sound.subarray(at, at + size))
    }
    await received(end, sound.length)
    expect(Buffer.concat(end.pushed)).toEqual(Buffer.from(sound))
    expect(end.pushed.every((chunk) => chunk.length % 2 === 0)).toBe(true)
  })

  it('can say that nothing follows', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url)
    const end = await channel(node, satellite)
    satellite.socket.send('{"type":"finish"}')
    satellite.socket.send(new Uint8Array(2))
    await received(end, 2)
    expect(end.finished).toBe(1)
  })

  it('that leaves frees its channel', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url)
    const end = await channel(node, satellite)
    const closed = new Promise<void>((resolve) => {
      end.close = () => resolve()
    })
    satellite.socket.terminate()
    await closed
  })
})

describe('a message that is not understood', () => {
  it.each(['', 'hello', '{}', '{"type":"stop"}', '[]', '{"type":"finish","x":1}', '\u0000'])(
    '%j is answered with an error and nothing else happens',
    async (text) => {
      const node = await start()
      const satellite = new Satellite(node.api.url)
      const end = await channel(node, satellite)
      satellite.socket.send(text)
      expect((await satellite.event('error')).code).toBe('invalid-input')
      satellite.socket.send(tone(20))
      await received(end, 640)
      expect(end.finished).toBe(0)
    },
  )

  it('ends the connection after twenty', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url)
    await satellite.event('ready')
    for (let index = 0; index < 30; index++) satellite.socket.send('nonsense')
    expect((await satellite.closed).code).toBe(1008)
  })

  it('that is too large ends the connection', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url)
    await satellite.event('ready')
    satellite.socket.send(new Uint8Array(64 * 1024 + 1))
    expect((await satellite.closed).code).toBe(1009)
  })
})

describe('a connection the node does not take', () => {
  it.each([
    ['/api/v1/voice?room=nowhere', 1011, 'not-found'],
    ['/api/v1/voice?session=..%2Fx', 1008, 'invalid-input'],
    ['/api/v1/voice?rom=attic', 1008, 'invalid-input'],
  ])('%s is closed with the reason', async (path, code, error) => {
    const node = await start()
    const satellite = new Satellite(node.api.url, path)
    const closed = await satellite.closed
    expect(closed.code).toBe(code)
    expect(closed.reason).not.toBe('')
    expect(satellite.events.at(-1)).toMatchObject({ type: 'error', code: error })
  })

  it('beyond the limit is closed with the reason; the others stay', async () => {
    const node = await start({ max_voice_connections: 2 })
    const first = [new Satellite(node.api.url), new Satellite(node.api.url)]
    for (const satellite of first) await satellite.event('ready')
    const third = new Satellite(node.api.url)
    expect(await third.closed).toMatchObject({
      code: 1013,
      reason: expect.stringContaining('2 voice connections'),
    })
    first[0]!.socket.close()
    await first[0]!.closed
    const fourth = new Satellite(node.api.url)
    await fourth.event('ready')
    expect(first[1]!.socket.readyState).toBe(1)
  })

  it.each([
    ['another origin', { origin: 'http://evil.example' }, 403],
    ['another host', { host: 'evil.example' }, 421],
  ])('from %s never becomes a WebSocket', async (_, headers, status) => {
    const node = await start()
    const satellite = new Satellite(node.api.url, '/api/v1/voice', { headers })
    const [, response] = (await once(satellite.socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ]
    expect(response.statusCode).toBe(status)
    expect(node.view.channels).toEqual([])
  })

  it('that sends no sound for long is closed with the reason', async () => {
    const node = await start({ voice_idle_timeout_s: 0.1 })
    const satellite = new Satellite(node.api.url)
    expect(await satellite.closed).toMatchObject({ code: 4408, reason: expect.stringContaining('No sound') })
  })
})

describe('a connection that asks to upgrade before its last request was answered', () => {
  it('is dropped and does not keep the node from stopping', async () => {
    const node = await start()
    const head = 'host: 127.0.0.1\r\n'
    const socket = createConnection(node.api.port, '127.0.0.1')
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.write(
      `GET /healthz HTTP/1.1\r\n${head}\r\nGET /api/v1/voice HTTP/1.1\r\n${head}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    await closed
    running = undefined
    await node.api.stop()
  })
})

describe('a stopping node', () => {
  it('says goodbye to every connection', async () => {
    const node = await start()
    const satellite = new Satellite(node.api.url)
    const watcher = new Satellite(node.api.url, '/api/v1/events')
    await satellite.event('ready')
    await watcher.event('status')
    running = undefined
    await node.api.stop()
    expect((await satellite.closed).code).toBe(1001)
    expect((await watcher.closed).code).toBe(1001)
  })
})

describe('watching', () => {
  it('shows the status first, then each turn from wherever it came', async () => {
    const node = await start()
    const watcher = new Satellite(node.api.url, '/api/v1/events')
    expect((await watcher.event('status')).status).toMatchObject({ node: { name: 'attic' } })
    await fetch(`${node.api.url}/api/v1/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"hello"}',
    })
    const told = (await watcher.event('turn')) as unknown as Extract<NodeEvent, { type: 'turn' }>
    expect(told.turn).toEqual(scriptedTurn)
  })
})
