/** Moleculer: two brokers over its TCP transporter, in the clear, with its default serializer (JSON). */
import { fork } from 'node:child_process'
import { serve } from '../../actors/peer.ts'

interface Context {
  readonly params: { readonly d: string }
}
interface Broker {
  createService(schema: unknown): unknown
  start(): Promise<void>
  waitForServices(names: readonly string[], timeout_ms: number): Promise<unknown>
  call(action: string, params?: unknown): Promise<unknown>
  emit(event: string, params: unknown): unknown
}
// Installed beside this file or not at all: not among what the compiler knows.
const library = 'moleculer'
const { default: moleculer } = (await import(library)) as {
  default: { ServiceBroker: new (options: unknown) => Broker }
}

const isFar = process.argv[2] === 'far'
const PAYLOAD = { d: 'x'.repeat(100) }
const WINDOW = 2_000
const broker = new moleculer.ServiceBroker({
  nodeID: isFar ? 'far' : 'near',
  logger: false,
  metrics: false,
  tracing: false,
  transporter: {
    type: 'TCP',
    options: {
      udpDiscovery: false,
      useHostname: false,
      urls: ['tcp://127.0.0.1:15001/far', 'tcp://127.0.0.1:15002/near'],
    },
  },
})

async function far(): Promise<void> {
  let messages = 0
  broker.createService({
    name: 'far',
    actions: {
      echo: ({ params }: Context) => params,
      counted: () => messages,
      reset: () => {
        messages = 0
      },
    },
    events: {
      sink: () => {
        messages += 1
      },
    },
  })
  await broker.start()
  process.on('disconnect', () => process.exit(0))
  process.send!('ready')
}

async function near(): Promise<void> {
  const child = fork(import.meta.filename, ['far'])
  await new Promise((resolve) => child.once('message', resolve))
  await broker.start()
  await broker.waitForServices(['far'], 30_000)
  serve({
    'one-way': async (wanted) => {
      const count = Math.ceil(wanted / 4)
      await broker.call('far.reset')
      const begin = performance.now()
      for (let i = 1; i <= count; i += 1) {
        broker.emit('sink', PAYLOAD)
        if (i % WINDOW === 0) await broker.call('far.counted')
      }
      while (((await broker.call('far.counted')) as number) < count);
      return [count / ((performance.now() - begin) / 1_000)]
    },
    ask: async (count) => {
      const times: number[] = []
      for (let i = 0; i < count; i += 1) {
        const begin = performance.now()
        await broker.call('far.echo', PAYLOAD)
        times.push((performance.now() - begin) * 1_000)
      }
      return times
    },
  })
}

if (isFar) await far()
else await near()
