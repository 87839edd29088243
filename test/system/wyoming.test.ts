/** A real node as Home Assistant would use it, over Wyoming: its words, its voice, its turns; and peers that behave badly. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventCutter, encodeEvent, type WyomingEvent } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { parseWav, readMono, resample } from '../../src/voice/index.ts'
import { fixture, RunningNode } from './running-node.ts'

const seed = Number(process.env.LOQA_SEED ?? 20_261_126)
const FUZZED = Number(process.env.LOQA_FUZZ_WYOMING ?? 5_000)

let node: RunningNode
beforeAll(async () => {
  node = await RunningNode.start(['--set', 'wyoming.enabled=true', '--set', 'wyoming.port=0'])
}, 120_000)
afterAll(() => node?.dispose())

const port = (): number =>
  (JSON.parse(readFileSync(join(node.data, 'runtime.json'), 'utf8')) as { wyoming: number }).wyoming

class Client {
  readonly socket: Socket = createConnection(port(), '127.0.0.1')
  readonly #cutter = new EventCutter()
  readonly #events: WyomingEvent[] = []
  #wake: () => void = () => undefined

  constructor() {
    this.socket.on('error', () => undefined)
    this.socket.on('data', (chunk) => {
      this.#events.push(...(this.#cutter.push(chunk as Buffer) as WyomingEvent[]))
      this.#wake()
    })
    this.socket.on('close', () => this.#wake())
  }

  send(type: string, data: Record<string, unknown> = {}, payload = new Uint8Array(0)): void {
    this.socket.write(encodeEvent({ type, data, payload }))
  }

  /** The next event of one of these types; others are passed over. */
  async next(...types: readonly string[]): Promise<WyomingEvent> {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined && types.includes(event.type)) return event
      if (event !== undefined) continue
      if (this.socket.closed) throw new Error(`the connection ended before ${types.join(' or ')}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  end(): void {
    this.socket.destroy()
  }
}

/** A recording at this rate, in pieces of 20 ms, as a satellite sends it. */
function recite(client: Client, name: string, rate: number, channels = 1): void {
  const wav = parseWav(readFileSync(fixture(name)))
  const mono = resample(readMono(wav), wav.sample_rate, rate)
  const format = { rate, width: 2, channels }
  client.send('transcribe', { language: 'en' })
  client.send('audio-start', format)
  const piece = rate / 50
  for (let at = 0; at < mono.length; at += piece) {
    const samples = mono.subarray(at, at + piece)
    const pcm = Buffer.alloc(samples.length * 2 * channels)
    samples.forEach((sample, index) => {
      for (let channel = 0; channel < channels; channel += 1)
        pcm.writeInt16LE(Math.round(sample * 32_767), 2 * (index * channels + channel))
    })
    client.send('audio-chunk', format, pcm)
  }
  client.send('audio-stop')
}

describe('a node with wyoming.enabled', () => {
  it('says what it has: a recogniser, a voice, an assistant', async () => {
    const client = new Client()
    client.send('describe')
    const { data } = await client.next('info')
    const programs = data as Record<string, { models?: { name: string }[]; voices?: { name: string }[] }[]>
    expect(programs.asr?.[0]?.models?.[0]).toMatchObject({ installed: true, languages: ['en'] })
    expect(programs.tts?.[0]?.voices?.length).toBeGreaterThan(0)
    expect(programs.handle).toHaveLength(1)
    client.send('ping', { text: 'there?' })
    expect((await client.next('pong')).data).toEqual({ text: 'there?' })
    client.end()
  })

  it('hears a recording at three rates, in one and two channels, one after the other', async () => {
    const client = new Client()
    for (const [rate, channels] of [
      [16_000, 1],
      [48_000, 2],
      [22_050, 1],
    ] as const) {
      recite(client, 'what-time-is-it.wav', rate, channels)
      expect((await client.next('transcript', 'error')).data).toMatchObject({ text: 'what time is it' })
    }
    client.end()
  })

  it('speaks a text, and its own recogniser understands what was said', async () => {
    const client = new Client()
    client.send('synthesize', { text: 'Set a timer for five minutes.' })
    const { data: format } = await client.next('audio-start')
    const sound: Uint8Array[] = []
    for (;;) {
      const event = await client.next('audio-chunk', 'audio-stop')
      if (event.type === 'audio-stop') break
      sound.push(event.payload)
    }
    client.send('audio-start', format)
    for (const pcm of sound) client.send('audio-chunk', format, Uint8Array.from(pcm))
    client.send('audio-stop')
    expect((await client.next('transcript', 'error')).data).toMatchObject({
      text: 'set a timer for five minutes',
    })
    client.end()
  })

  it('carries out a turn, and the next one of the same conversation knows of it', async () => {
    const client = new Client()
    client.send('transcript', { text: 'set a pasta timer for nine minutes' })
    const first = await client.next('handled', 'not-handled')
    expect(first).toMatchObject({ type: 'handled', data: { text: expect.stringMatching(/pasta/i) } })
    client.send('transcript', { text: 'how long is left', context: first.data.context })
    const second = await client.next('handled', 'not-handled')
    expect(second.data.text).toMatch(/minute/)
    expect(second.data.context).toEqual(first.data.context)
    client.send('transcript', { text: 'colourless green ideas sleep furiously' })
    expect((await client.next('handled', 'not-handled')).type).toBe('not-handled')
    client.end()
  })
})

describe('a peer that', () => {
  const bad: readonly [string, Buffer, string][] = [
    ['announces 2 GB', Buffer.from('{"type":"audio-chunk","payload_length":2147483648}\n'), 'too-large'],
    ['speaks HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), 'invalid-input'],
    ['floods', Buffer.alloc(16 * 20_000, '{"type":"ping"}\n'), 'overloaded'],
  ]
  for (const [what, bytes, code] of bad) {
    it(`${what} hears why and is cut off; others are served`, async () => {
      const client = new Client()
      client.socket.write(bytes)
      expect((await client.next('error')).data.code).toBe(code)
      if (!client.socket.closed) await once(client.socket, 'close')
      const other = new Client()
      other.send('ping')
      expect((await other.next('pong')).type).toBe('pong')
      other.end()
    })
  }

  it(`sends ${FUZZED} random or damaged events (seed ${seed}) ends connections, never the node`, async () => {
    const random = new SimulatedRandom(seed)
    const types = [
      'describe',
      'transcribe',
      'audio-start',
      'audio-chunk',
      'audio-stop',
      'transcript',
      'nonsense',
    ]
    for (let sent = 0; sent < FUZZED; ) {
      const client = new Client()
      const stream = Buffer.concat(
        Array.from({ length: 50 }, () => {
          const type = types[random.below(types.length)]!
          const data = { rate: 8_000 * random.below(8), width: 2, channels: random.below(4), text: '' }
          const event = Buffer.from(encodeEvent({ type, data, payload: random.bytes(random.below(64)) }))
          if (random.below(40) === 0) event[random.below(event.length)] = random.below(256)
          return event
        }),
      )
      sent += 50
      client.socket.end(stream)
      client.socket.resume()
      await once(client.socket, 'close')
    }
    // The recogniser lets go of a hundred abandoned recordings in its own time, and says meanwhile to try again.
    let heard: WyomingEvent['data'] = { code: 'overloaded' }
    for (let tries = 0; tries < 200 && heard.code === 'overloaded'; tries += 1) {
      const client = new Client()
      recite(client, 'what-time-is-it.wav', 16_000)
      heard = (await client.next('transcript', 'error')).data
      client.end()
    }
    expect(heard).toMatchObject({ text: 'what time is it' })
  })
})
