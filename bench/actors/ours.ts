/** Our runtime, measured from within: actors tell, ask and spawn each other as they do in the node. */
import {
  type Behavior,
  createRuntime,
  type Effect,
  type Message,
  next,
  placedAddress,
  type Ref,
  type Runtime,
  same,
} from '../../src/actors/index.ts'
import { nodeId, requestId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { serve } from './peer.ts'

type Done = (value: number) => void

interface Numbered extends Message {
  readonly type: 'number'
  readonly value: number
  /** The last of a batch: the sender waits for `more`. */
  readonly last: boolean
}

const MORE = { type: 'more' }

/** Adds up what it is told; answers when it has had all. */
const receiver: Behavior<
  { readonly left: number; readonly sum: number },
  Numbered,
  { count: number; done: Done }
> = {
  kind: 'receiver',
  mailbox: { capacity: 2048, overflow: 'reject' },
  start: ({ count }) => next({ left: count, sum: 0 }),
  receive: (state, { value, last }, context) => {
    const left = state.left - 1
    const sum = state.sum + value
    if (left === 0) finished(sum)
    if (last) return next({ left, sum }, [{ type: 'send', to: context.sender!, message: MORE }])
    return next({ left, sum })
  },
}

/** Behaviours hold no functions in their state; the measuring end of the bench is outside the actor system. */
let finished: Done = () => undefined

/** Tells the receiver numbers in batches, the next when the last arrived: mailboxes here are bounded. */
const BATCH = 1000
const sender: Behavior<{ readonly at: number }, Message, { to: Ref; count: number }> = {
  kind: 'sender',
  start: (args) => next({ at: 0, ...args }),
  receive: (state) => {
    const { to, count } = state as unknown as { to: Ref; count: number }
    const effects: Effect[] = []
    const end = Math.min(count, state.at + BATCH)
    for (let value = state.at; value < end; value += 1) {
      const message: Numbered = { type: 'number', value, last: value === end - 1 }
      effects.push({ type: 'send', to, message })
    }
    return next({ ...state, at: end }, effects)
  },
}

const echo: Behavior<undefined, Message> = {
  kind: 'echo',
  start: () => same(undefined),
  receive: (state, message, { replyTo }) =>
    replyTo === undefined ? same(state) : next(state, [{ type: 'reply', to: replyTo, message }]),
}

const ASK = requestId('ask')
const QUESTION = { type: 'question' }

/** Asks one question after the other: an ask begins when the answer of the one before was handled. */
const asker: Behavior<{ readonly left: number }, Message, { to: Ref; count: number }> = {
  kind: 'asker',
  start: ({ count }) => next({ left: count }),
  receive: (state, message) => {
    if (message.type === 'ask-failed') throw new Error(message.type)
    if (state.left % 1000 === 0) mark()
    if (state.left === 0) {
      finished(0)
      return same(state)
    }
    return next({ left: state.left - 1 }, [
      { type: 'ask', id: ASK, to: echoAt, message: QUESTION, deadline_ms: 5_000 },
    ])
  },
}
let echoAt: Ref

/** Started children tell their parent by being started last: the parent's count is kept outside, as all measuring. */
let toStart = 0

const idle: Behavior<undefined, Message> = {
  kind: 'idle',
  start: () => {
    toStart -= 1
    if (toStart === 0) finished(0)
    return same(undefined)
  },
  receive: (state, message) => {
    if (message.type === 'last') finished(0)
    return same(state)
  },
}

/** Spawns children in portions, going on when it is its turn again. */
const PORTION = 1000
const spawner: Behavior<{ readonly from: number; readonly count: number }, Message, { count: number }> = {
  kind: 'spawner',
  start: ({ count }) => next({ from: 0, count }),
  receive: (state, message, context) => {
    if (message.type === 'last') finished(0)
    if (message.type !== 'spawn') return same(state)
    if (state.from % state.count === 0) toStart = state.count
    const end = Math.min(state.from + PORTION, state.count)
    const name = context.self.address.slice(14)
    const effects: Effect[] = []
    for (let i = state.from; i < end; i += 1) {
      effects.push({ type: 'spawn', kind: 'idle', key: `${name}-${i}` })
    }
    if (end < state.count) effects.push({ type: 'send', to: context.self, message })
    return next({ ...state, from: end }, effects)
  },
}

function system(): Runtime {
  return createRuntime({
    node: nodeId('bench'),
    host: realHost(),
    behaviors: { receiver, sender, echo, asker, idle, spawner },
    outside: {},
    observe: {
      log: (level, message, values) => {
        if (level === 'error') throw new Error(`${message} ${JSON.stringify(values)}`)
      },
      metric: () => undefined,
      audit: () => undefined,
    },
  })
}

const until = (begin: () => void): Promise<number> =>
  new Promise((resolve) => {
    finished = resolve
    begin()
  })

/** Called by the asker before the first and after every thousandth ask. */
let mark: () => void = () => undefined

let names = 0
const key = (): string => {
  names += 1
  return `n${names}`
}

/** Messages per second from one actor to another; every one is counted and summed by the receiver. */
async function tell(count: number): Promise<number[]> {
  const to = runtime.spawn({ kind: 'receiver', key: key(), args: { count } })
  const from = runtime.spawn({ kind: 'sender', key: key(), args: { to, count } })
  const begin = performance.now()
  const sum = await until(() => runtime.tell(from, { type: 'go' }))
  const took = performance.now() - begin
  if (sum !== (count * (count - 1)) / 2) throw new Error(`sum ${sum}`)
  runtime.stop(to)
  runtime.stop(from)
  return [(count / took) * 1000]
}

/** Microseconds per ask, from asking to the handled answer, one after the other; a number for each thousand. */
async function ask(count: number): Promise<number[]> {
  echoAt = runtime.spawn({ kind: 'echo', key: key() })
  const from = runtime.spawn({ kind: 'asker', key: key(), args: { count } })
  const marks: number[] = []
  mark = () => marks.push(performance.now())
  await until(() => runtime.tell(from, { type: 'go' }))
  runtime.stop(echoAt)
  runtime.stop(from)
  return marks.slice(1).map((at, i) => at - marks[i]!)
}

async function withChildren(count: number): Promise<{ parent: Ref; rate: number }> {
  const parent = runtime.spawn({ kind: 'spawner', key: key(), args: { count } })
  const begin = performance.now()
  await until(() => runtime.tell(parent, { type: 'spawn' }))
  return { parent, rate: (count / (performance.now() - begin)) * 1000 }
}

async function gone(parent: Ref): Promise<void> {
  runtime.stop(parent)
  while (runtime.find(parent) !== undefined) await new Promise(setImmediate)
}

/** Actors per second, children of one parent, until every one of them has started. */
async function spawn(count: number): Promise<number[]> {
  const { parent, rate } = await withChildren(count)
  await gone(parent)
  return [rate]
}

/** Bytes of heap per idle actor that has started. */
async function memory(count: number): Promise<number[]> {
  global.gc!()
  const before = process.memoryUsage().heapUsed
  const { parent } = await withChildren(count)
  global.gc!()
  const bytes = (process.memoryUsage().heapUsed - before) / count
  await gone(parent)
  return [bytes]
}

/** Messages per second to a parent of so many children, to one of these children, and further children per second. */
async function siblings(count: number): Promise<number[]> {
  const { parent } = await withChildren(count)
  const rates: number[] = []
  for (const target of [parent, runtime.find(placedAddress('idle', `${parent.address.slice(14)}-0`))!]) {
    const begin = performance.now()
    await until(() => {
      for (let i = 0; i < TOLD - 1; i += 1) runtime.tell(target, NOTE)
      runtime.tell(target, { type: 'last' })
    })
    rates.push((TOLD / (performance.now() - begin)) * 1000)
  }
  const begin = performance.now()
  await until(() => runtime.tell(parent, { type: 'spawn' }))
  rates.push((Math.min(count, MORE_CHILDREN) / (performance.now() - begin)) * 1000)
  await gone(parent)
  return rates
}
const NOTE = { type: 'note' }
const TOLD = 1000
const MORE_CHILDREN = 1000

const runtime = system()
serve({ tell, ask, spawn, memory, siblings })
