/** Against Wyoming services that behave badly each run ends with a reason, or is done by an engine that is here; a cancelled one lets go. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { EventCutter, encodeEvent, type WyomingEvent } from '../../src/host/index.ts'
import { wyomingEngines } from '../../src/inference/elsewhere.ts'
import type { EngineInput, Pool } from '../../src/inference/index.ts'
import { errorCode, open, openPool, run, specs, temporaryDirectory, typesOf } from '../inference/engines.ts'
import { resultOf } from './engine-contract.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const STT = { kind: 'stt', sample_rate: 16_000 } as const
const TTS = { kind: 'tts', text: 'It is noon.' } as const
const recording: readonly EngineInput[] = Array.from({ length: 10 }, () => ({
  type: 'audio',
  samples: new Float32Array(320),
}))
const NOTHING = new Uint8Array(0)
const event = (type: string, data: WyomingEvent['data'] = {}, payload = NOTHING): Uint8Array =>
  encodeEvent({ type, data, payload })
const SOUND = { rate: 22_050, width: 2, channels: 1 }

type Act = (socket: Socket, asked: WyomingEvent, nth: number) => unknown

const works: Act = (socket, { type }) => {
  if (type === 'audio-stop') socket.write(event('transcript', { text: 'what time is it' }))
  if (type === 'synthesize')
    socket.write(
      Buffer.concat([
        event('audio-start', SOUND),
        event('audio-chunk', SOUND, new Uint8Array(401)),
        event('audio-chunk', SOUND, new Uint8Array(399)),
        event('audio-stop'),
      ]),
    )
}

describe('a service that', () => {
  let server: Server
  let pool: Pool
  let backed: Pool
  let act: Act = works
  let connections = 0
  const open_sockets = new Set<Socket>()
  const directory = temporaryDirectory()

  beforeAll(async () => {
    server = createServer((socket) => {
      connections += 1
      const nth = connections
      const cutter = new EventCutter()
      open_sockets.add(socket)
      socket.on('close', () => open_sockets.delete(socket))
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        for (const one of cutter.push(bytes as Buffer)) if (typeof one !== 'string') act(socket, one, nth)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    const settings = { stt_url: url, tts_url: url, tts_voice: 'amy', timeout_ms: 2_000 }
    const services = wyomingEngines(settings).map(({ spec }) => spec)
    pool = openPool(services).pool
    backed = openPool([
      ...services,
      ...(await specs(['random-whisper'], { unpacked_dir: directory.path })),
    ]).pool
    await Promise.all([pool.start(), backed.start()])
  })
  afterAll(async () => {
    await Promise.all([pool?.stop(), backed?.stop()])
    for (const socket of open_sockets) socket.destroy()
    server.close()
    directory.remove()
  })
  const serve = (next: Act): void => {
    act = next
    connections = 0
  }
  const hear = () => run(pool, 'stt', STT, recording)
  const say = () => run(pool, 'tts', TTS)
  /** Whatever it did before, it is asked again and believed. */
  afterEach(async () => {
    serve(works)
    expect(resultOf(await hear())).toBe('what time is it')
    expect(typesOf(await say())).toContain('done')
  })

  test('works is told the sound as it is, and the voice that was wished for', async () => {
    const asked: WyomingEvent[] = []
    serve((socket, one, nth) => {
      asked.push(one)
      works(socket, one, nth)
    })
    await hear()
    const spoken = await say()
    expect(asked.map(({ type }) => type)).toEqual([
      ...['transcribe', 'audio-start', ...recording.map(() => 'audio-chunk'), 'audio-stop', 'synthesize'],
    ])
    expect(asked[1]!.data).toEqual({ rate: 16_000, width: 2, channels: 1 })
    expect(asked[2]!.payload).toHaveLength(640)
    expect(asked.at(-1)!.data).toEqual({ text: 'It is noon.', voice: { name: 'amy' } })
    // An odd byte waits for its other half.
    const samples = spoken.flatMap((one) => (one.type === 'audio' ? [one.samples.length] : []))
    expect(samples.reduce((sum, length) => sum + length, 0)).toBe(400)
  })

  test('hangs up twice is told everything again, and answers then', async () => {
    serve((socket, one, nth) =>
      nth < 3 && one.type === 'audio-stop' ? socket.destroy() : works(socket, one, nth),
    )
    expect(resultOf(await hear())).toBe('what time is it')
    expect(connections).toBe(3)
  })

  const garbled =
    (bytes: Uint8Array): Act =>
    (socket) =>
      socket.write(bytes)
  test.each<[string, Act, string]>([
    [
      'says that it cannot',
      (socket) => socket.write(event('error', { text: 'secret' })),
      'engine-unavailable',
    ],
    ['hangs up', (socket) => socket.destroy(), 'engine-unavailable'],
    ['hangs', () => undefined, 'engine-hung'],
    [
      'announces 2 GB',
      garbled(Buffer.from('{"type":"transcript","payload_length":2147483648}\n')),
      'engine-crashed',
    ],
    ['speaks HTTP', garbled(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), 'engine-crashed'],
    ['answers with no text', garbled(event('transcript', { text: 7 })), 'engine-crashed'],
    ['says half a header', (socket) => socket.end('{"type":"trans'), 'engine-unavailable'],
  ])('%s: the run ends with a reason', async (_, behave, code) => {
    serve((socket, one, nth) => (one.type === 'audio-stop' ? behave(socket, one, nth) : undefined))
    const events = await hear()
    expect(errorCode(events)).toBe(code)
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  test.each<[string, WyomingEvent['data']]>([
    ['of one byte a sample', { ...SOUND, width: 1 }],
    ['at no rate', { ...SOUND, rate: 0 }],
    ['without a format', {}],
  ])('speaks with sound %s is not believed', async (_, format) => {
    serve((socket) => socket.write(event('audio-chunk', format, new Uint8Array(640))))
    expect(errorCode(await say())).toBe('engine-crashed')
  })

  test('stops in the middle of a sentence: it is not said twice', async () => {
    serve((socket) => socket.end(event('audio-chunk', SOUND, new Uint8Array(640))))
    const events = await say()
    expect(typesOf(events)).toEqual(['audio', 'failed'])
    expect(connections).toBe(1)
  })

  test('floods is hung up on', async () => {
    const chunk = event('audio-chunk', SOUND, new Uint8Array(64 * 1024))
    serve((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk));
        socket.once('drain', more)
      }
      more()
    })
    expect(errorCode(await say())).toBe('engine-crashed')
  })

  test('is not there: the engine that is here does it', async () => {
    serve((socket) => socket.destroy())
    expect(typesOf(await run(backed, 'stt', STT, recording)).at(-1)).toBe('done')
    expect(connections).toBe(3)
  })

  test('a run that is cancelled is let go of at once', async () => {
    const arrived = Promise.withResolvers<Socket>()
    serve((socket) => arrived.resolve(socket))
    const { stream, events } = open(pool, 'tts', TTS)
    const socket = await arrived.promise
    const left = new Promise((resolve) => socket.once('close', resolve))
    stream.cancel()
    await left
    expect(typesOf(events)).not.toContain('failed')
  })
})
