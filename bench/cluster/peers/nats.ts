/** NATS: two processes that talk through its server with its JavaScript client, in the clear. */
import { fork } from 'node:child_process'
import { createConnection } from 'node:net'
import { serve } from '../../actors/peer.ts'

interface Subscribed {
  readonly data: Uint8Array
  string(): string
  respond(data: Uint8Array | string): boolean
}
interface Nats {
  publish(subject: string, data: Uint8Array | string): void
  subscribe(subject: string, options: { callback: (error: unknown, message: Subscribed) => void }): unknown
  request(subject: string, data: Uint8Array | string, options: { timeout: number }): Promise<Subscribed>
  flush(): Promise<void>
}
// Installed beside this file or not at all: not among what the compiler knows.
const client = '@nats-io/transport-node'
const { connect } = (await import(client)) as { connect(options: { servers: string }): Promise<Nats> }

const PORT = 14_222
const PAYLOAD = new Uint8Array(100).fill(120)
const WINDOW = 20_000
const ACK_EVERY = 5_000
const BULK = new Uint8Array(64 * 1024)
const servers = `127.0.0.1:${PORT}`

async function far(): Promise<void> {
  const nats = await connect({ servers })
  let messages = 0
  let bytes = 0
  nats.subscribe('echo', { callback: (_, message) => message.respond(message.data) })
  nats.subscribe('sink', {
    callback: (_, { data }) => {
      messages += 1
      bytes += data.length
      if (messages % ACK_EVERY === 0 || data.length === BULK.length) nats.publish('ack', `${messages}`)
    },
  })
  nats.subscribe('report', {
    callback: (_, message) => {
      message.respond(`${messages} ${bytes}`)
      messages = 0
      bytes = 0
    },
  })
  await nats.flush()
  process.on('disconnect', () => process.exit(0))
  process.send!('ready')
}

async function near(): Promise<void> {
  while (!(await listening())) await new Promise((resolve) => setTimeout(resolve, 50))
  const child = fork(import.meta.filename, ['far'])
  await new Promise((resolve) => child.once('message', resolve))
  const nats = await connect({ servers })
  let acknowledged = 0
  let wake: () => void = () => undefined
  nats.subscribe('ack', {
    callback: (_, message) => {
      acknowledged = Number(message.string())
      wake()
    },
  })
  await nats.flush()
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })

  async function flood(count: number, payload: Uint8Array, window: number): Promise<number> {
    acknowledged = 0
    const begin = performance.now()
    for (let i = 0; i < count; i += 1) {
      nats.publish('sink', payload)
      while (i - acknowledged >= window) await once()
      if (i % 500 === 499) await new Promise((resolve) => setImmediate(resolve))
    }
    while (acknowledged < count) await once()
    const seconds = (performance.now() - begin) / 1_000
    const [messages, bytes] = (await nats.request('report', '', { timeout: 5_000 })).string().split(' ')
    if (Number(messages) !== count || Number(bytes) !== count * payload.length) throw new Error('lost')
    return seconds
  }

  serve({
    'one-way': async (wanted) => {
      const count = Math.ceil(wanted / ACK_EVERY) * ACK_EVERY
      return [count / (await flood(count, PAYLOAD, WINDOW))]
    },
    ask: async (count) => {
      const times: number[] = []
      for (let i = 0; i < count; i += 1) {
        const begin = performance.now()
        await nats.request('echo', PAYLOAD, { timeout: 5_000 })
        times.push((performance.now() - begin) * 1_000)
      }
      return times
    },
    bulk: async (megabytes) => {
      const count = Math.ceil((megabytes * 1e6) / BULK.length)
      return [(count * BULK.length) / (await flood(count, BULK, 64)) / 1e6]
    },
  })
}

const listening = (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port: PORT })
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })

if (process.argv[2] === 'far') await far()
else await near()
