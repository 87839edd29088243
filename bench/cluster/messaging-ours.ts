/**
 * Our side of the messaging bench: actors of two nodes in two processes, over an encrypted link as in the node. Without arguments
 * this is the near one, which measures; `far` answers.
 */
import { fork } from 'node:child_process'
import {
  type Behavior,
  createRuntime,
  type Effect,
  fixedAddress,
  type Message,
  next,
  type Ref,
  type Runtime,
  same,
} from '../../src/actors/index.ts'
import { nactHosting } from '../../src/actors/nact.ts'
import { newSelf } from '../../src/cluster/household/founding.ts'
import { Secret } from '../../src/cluster/household/secret.ts'
import { createRemote } from '../../src/cluster/remote/remote.ts'
import { openMesh } from '../../src/cluster/transport/libp2p-mesh.ts'
import type { Link } from '../../src/cluster/transport/mesh.ts'
import type { NodeId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { serve } from '../actors/peer.ts'

/** As text, as most messages are; bytes (audio) cost their copy on top. */
const PAYLOAD = 'x'.repeat(100)
const BATCH = 512
/** Batches told and not yet counted: as many messages as the NATS side has under way. */
const UNDER_WAY = 40
const BULK_FRAME = 64 * 1024
const host = realHost()

interface Counted extends Message {
  readonly text: string
}
interface Enough extends Message {
  readonly last: boolean
}

/** Counts what it is told, every message and its bytes; asks for more after each batch. */
const receiver: Behavior<{ readonly messages: number; readonly bytes: number }, Message> = {
  kind: 'receiver',
  mailbox: { capacity: 65_536, overflow: 'reject' },
  start: () => next({ messages: 0, bytes: 0 }),
  receive(state, message, { sender }) {
    if (message.type === 'counted') {
      const { length } = (message as Counted).text
      return next({ messages: state.messages + 1, bytes: state.bytes + length })
    }
    const answer = (message as Enough).last ? { type: 'total', ...state } : { type: 'more' }
    return next((message as Enough).last ? { messages: 0, bytes: 0 } : state, [
      { type: 'send', to: sender!, message: answer as Message },
    ])
  },
}

let total: (message: { messages: number; bytes: number }) => void = () => undefined

interface Telling {
  readonly left: number
  readonly to: Ref | string
}
const teller: Behavior<Telling, Message, Telling> = {
  kind: 'teller',
  start: (args) => next(args),
  receive({ left, to }, message) {
    if (message.type === 'total') {
      total(message as Message & { messages: number; bytes: number })
      return same({ left, to })
    }
    if (left === 0) return same({ left, to })
    const effects = new Array<Effect>(BATCH + 1)
    for (let i = 0; i < BATCH; i += 1) {
      effects[i] = { type: 'send', to: to as Ref, message: { type: 'counted', text: PAYLOAD } as Counted }
    }
    effects[BATCH] = {
      type: 'send',
      to: to as Ref,
      message: { type: 'enough', last: left === 1 } as Enough,
    }
    return next({ left: left - 1, to }, effects)
  },
}

const echo: Behavior<undefined, Message> = {
  kind: 'echo',
  start: () => same(undefined),
  receive: (state, message, { replyTo }) =>
    replyTo === undefined ? same(state) : next(state, [{ type: 'reply', to: replyTo, message }]),
}

const self = newSelf('bench', host.random)
const { node } = self.card
const boot = host.random.uint32()
const remote = createRemote({
  node,
  boot,
  clock: host.clock,
  whereIs: () => undefined,
  fault: (_, what) => {
    throw new Error(what)
  },
})
const runtime: Runtime = createRuntime({
  hosting: nactHosting(host.clock, () => undefined),
  node,
  boot,
  host,
  remote: remote.port,
  behaviors: { receiver, teller, echo },
  outside: {},
  observe: {
    log: (level, message, values) => {
      if (level === 'error') throw new Error(`${message} ${JSON.stringify(values)}`)
    },
    metric: () => undefined,
    audit: () => undefined,
  },
})
remote.connect(runtime.fromAfar)
const mesh = await openMesh({
  host,
  identity: self.identity,
  keys: [new Secret(new Uint8Array(32).fill(3))],
  port: 0,
  hosts: ['127.0.0.1'],
})

function use(link: Link, bulk: (frame: Uint8Array) => void): void {
  const events = remote.linked(link)
  link.onFrame((streamClass, frame) => (streamClass === 'bulk' ? bulk(frame) : events.frame(frame)))
  link.onDrain((streamClass) => (streamClass === 'bulk' ? bulkDrained() : events.drained()))
  link.onClose(() => events.lost())
}
let bulkDrained: () => void = () => undefined

function far(): void {
  runtime.spawn({ kind: 'receiver', path: 'receiver' })
  runtime.spawn({ kind: 'echo', path: 'echo' })
  mesh.onLink((link) => {
    let bytes = 0
    use(link, (frame) => {
      bytes += frame.length
      if (frame.length === BULK_FRAME) return
      // The last one is short.
      const answer = new Uint8Array(8)
      new DataView(answer.buffer).setFloat64(0, bytes)
      link.send('bulk', answer)
      bytes = 0
    })
  })
  process.on('disconnect', () => process.exit(0))
  process.send!({ port: mesh.places[0]!.port, node })
}

async function near(): Promise<void> {
  const child = fork(import.meta.filename, ['far'], { execArgv: process.execArgv })
  const { port, node: other } = await new Promise<{ port: number; node: NodeId }>((resolve) =>
    child.once('message', (message) => resolve(message as { port: number; node: NodeId })),
  )
  const link = await mesh.dial({ host: '127.0.0.1', port }, other)
  let bulkAnswered: (bytes: number) => void = () => undefined
  use(link, (frame) => bulkAnswered(new DataView(frame.buffer, frame.byteOffset).getFloat64(0)))
  const to = fixedAddress(other, 'receiver')
  const echoAt = fixedAddress(other, 'echo')
  let names = 0

  /** Messages per second; every one is counted there. */
  async function oneWay(count: number): Promise<number[]> {
    const batches = Math.ceil(count / BATCH)
    names += 1
    const from = runtime.spawn({ kind: 'teller', key: `t${names}`, args: { left: batches, to } })
    const begin = performance.now()
    const result = await new Promise<{ messages: number; bytes: number }>((resolve) => {
      total = resolve
      for (let i = 0; i < UNDER_WAY; i += 1) runtime.tell(from, { type: 'more' })
    })
    const seconds = (performance.now() - begin) / 1_000
    const messages = batches * BATCH
    if (result.messages !== messages || result.bytes !== messages * PAYLOAD.length) {
      throw new Error(`lost: ${JSON.stringify(result)} of ${messages}`)
    }
    runtime.stop(from, { kill: true })
    return [messages / seconds]
  }

  /** Microseconds, one by one. */
  async function ask(count: number): Promise<number[]> {
    const times: number[] = []
    const question = { type: 'question', text: PAYLOAD } as Message
    for (let i = 0; i < count; i += 1) {
      const begin = performance.now()
      await runtime.ask(echoAt, question, { deadline_ms: 5_000 })
      times.push((performance.now() - begin) * 1_000)
    }
    return times
  }

  /** MB/s of frames of 64 KiB. */
  async function bulk(megabytes: number): Promise<number[]> {
    const frames = Math.ceil((megabytes * 1e6) / BULK_FRAME)
    const begin = performance.now()
    const bytes = await new Promise<number>((resolve) => {
      bulkAnswered = resolve
      let sent = 0
      bulkDrained = () => {
        while (sent < frames && link.send('bulk', new Uint8Array(BULK_FRAME))) sent += 1
        if (sent === frames && link.send('bulk', new Uint8Array(1))) sent += 1
      }
      bulkDrained()
    })
    const seconds = (performance.now() - begin) / 1_000
    if (bytes !== frames * BULK_FRAME + 1) throw new Error(`lost: ${bytes}`)
    return [bytes / seconds / 1e6]
  }

  serve({ 'one-way': oneWay, ask, bulk })
}

// In order, so that a profile is written.
process.once('SIGTERM', () => process.exit(0))
if (process.argv[2] === 'far') far()
else await near()
