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
import { nactHosting } from '../../src/actors/nact.ts'
import { nodeId, requestId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { serve } from './peer.ts'

interface Numbered extends Message {
  readonly value: number
}

/** After each batch the receiver asks for more, as mailboxes here are bounded. Not counted as messages. */
interface Enough extends Message {
  readonly last: boolean
}
const ENOUGH: Enough = { type: 'enough', last: false }
const LAST_OF_ALL: Enough = { type: 'enough', last: true }
const MORE = { type: 'more' }
const BATCH = 64

/** Sums are taken modulo 2³⁰: they prove that every number came, and stay in a machine word as Erlang's do. */
const add = (sum: number, value: number): number => (sum + value) & 0x3fffffff

/** Adds up what it is told. */
const receiver: Behavior<number, Message> = {
  kind: 'receiver',
  start: () => next(0),
  receive(sum, message, context) {
    if (message.type === 'number') return next(add(sum, (message as Numbered).value))
    if (!(message as Enough).last) return next(sum, [{ type: 'send', to: context.sender!, message: MORE }])
    finished(sum)
    return same(sum)
  },
}

/** The measuring end is outside the actors, whose states hold data only. */
let finished: (value: number) => void = () => undefined

/** Tells the receiver numbers below `count`, a batch each time it is asked. */
interface Telling {
  readonly at: number
  readonly count: number
  readonly to: Ref
}
const sender: Behavior<Telling, Message, Omit<Telling, 'at'>> = {
  kind: 'sender',
  start: (args) => next({ at: 0, ...args }),
  receive({ at, count, to }) {
    const effects = new Array<Effect>(BATCH + 1)
    for (let i = 0; i < BATCH; i += 1) {
      effects[i] = { type: 'send', to, message: { type: 'number', value: at + i } as Numbered }
    }
    effects[BATCH] = { type: 'send', to, message: at + BATCH < count ? ENOUGH : LAST_OF_ALL }
    return next({ at: at + BATCH, count, to }, effects)
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

/** Children still to start; counted outside the actors, as all measuring here. */
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

/** Spawns as many children as it is told, in portions, going on when it is its turn again. */
const PORTION = 1000
const spawner: Behavior<{ readonly from: number }, Message> = {
  kind: 'spawner',
  start: () => next({ from: 0 }),
  receive: ({ from }, message, { self }) => {
    if (message.type === 'last') finished(0)
    if (message.type !== 'spawn') return next({ from })
    const { more } = message as Message & { readonly more: number }
    const portion = Math.min(PORTION, more)
    const name = self.address.slice('loqa:/spawner/'.length)
    const effects: Effect[] = []
    for (let i = from; i < from + portion; i += 1) {
      effects.push({ type: 'spawn', kind: 'idle', key: `${name}-${i}` })
    }
    if (more > portion) {
      effects.push({ type: 'send', to: self, message: { type: 'spawn', more: more - portion } as Message })
    }
    return next({ from: from + portion }, effects)
  },
}

/** Background work of nact's tree that is still to be done. */
let treeWork = 0
const { clock } = realHost()
const hosting = nactHosting(
  {
    ...clock,
    soon: (run) => {
      treeWork += 1
      clock.soon(() => {
        treeWork -= 1
        run()
      })
    },
  },
  () => undefined,
)

async function inTree(): Promise<void> {
  do await turn()
  while (treeWork > 0)
}

function system(): Runtime {
  return createRuntime({
    hosting,
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
async function tell(wanted: number): Promise<number[]> {
  const count = Math.ceil(wanted / BATCH) * BATCH
  const to = runtime.spawn({ kind: 'receiver', key: key() })
  const from = runtime.spawn({ kind: 'sender', key: key(), args: { to, count } })
  const begin = performance.now()
  const sum = await until(() => runtime.tell(from, { type: 'go' }))
  const took = performance.now() - begin
  let expected = 0
  for (let value = 0; value < count; value += 1) expected = add(expected, value)
  if (sum !== expected) throw new Error(`sum ${sum}`)
  runtime.stop(to, { kill: true })
  runtime.stop(from, { kill: true })
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

/** Children per second, until every one of them has started. */
async function spawnUnder(parent: Ref, count: number): Promise<number> {
  toStart = count
  const begin = performance.now()
  await until(() => runtime.tell(parent, { type: 'spawn', more: count } as Message))
  return (count / (performance.now() - begin)) * 1000
}

const newParent = (): Ref => runtime.spawn({ kind: 'spawner', key: key() })

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function gone(parent: Ref): Promise<void> {
  runtime.stop(parent)
  while (runtime.find(parent) !== undefined) await turn()
  await inTree()
}

async function spawn(count: number): Promise<number[]> {
  const parent = newParent()
  const rate = await spawnUnder(parent, count)
  await gone(parent)
  return [rate]
}

/** Until nact's tree, which follows in the background, holds them too. */
async function spawnIntoTree(count: number): Promise<number[]> {
  const parent = newParent()
  const begin = performance.now()
  await spawnUnder(parent, count)
  await inTree()
  const took = performance.now() - begin
  await gone(parent)
  return [(count / took) * 1000]
}

/** Bytes of heap per idle actor that has started. */
const memory = (count: number): Promise<number[]> => heapPerActor(count, async () => undefined)

/** The same once nact's tree holds it too. */
const memoryInTree = (count: number): Promise<number[]> => heapPerActor(count, inTree)

async function heapPerActor(count: number, settle: () => Promise<void>): Promise<number[]> {
  await inTree()
  global.gc!()
  const before = process.memoryUsage().heapUsed
  const parent = newParent()
  await spawnUnder(parent, count)
  await settle()
  global.gc!()
  const bytes = (process.memoryUsage().heapUsed - before) / count
  await gone(parent)
  return [bytes]
}

/**
 * With so many children of one parent: messages per second to the parent, to one child; further children per second. The
 * node holds 10,000 actors in any case, the others under another parent: only the number of siblings differs. Telling
 * is measured in seconds of this thread's processor time, which other work on the machine cannot add to.
 */
async function siblings(count: number): Promise<number[]> {
  const parent = newParent()
  const elsewhere = newParent()
  await spawnUnder(elsewhere, Math.max(1, POPULATION - count))
  await spawnUnder(parent, count)
  await inTree()
  const child = runtime.find(placedAddress('idle', `${parent.address.slice('loqa:/spawner/'.length)}-0`))!
  const rates: number[] = []
  for (const target of [parent, child]) {
    // What the spawning left to be collected and compiled is not the telling's.
    global.gc!()
    await tellInPortions(target, TELLINGS / 10)
    const begin = processorTime()
    await tellInPortions(target, TELLINGS)
    rates.push((TELLINGS * TOLD * 1000) / (processorTime() - begin))
  }
  rates.push(await spawnUnder(parent, 1_000))
  await gone(parent)
  await gone(elsewhere)
  return rates
}

/** Tells an actor a thousand messages, so many times, each time until it handled the last. */
async function tellInPortions(target: Ref, times: number): Promise<void> {
  for (let round = 0; round < times; round += 1) {
    await until(() => {
      for (let i = 0; i < TOLD - 1; i += 1) runtime.tell(target, NOTE)
      runtime.tell(target, LAST)
    })
  }
}

/** Milliseconds this thread has run. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const POPULATION = 10_000
const NOTE = { type: 'note' }
const LAST = { type: 'last' }
const TOLD = 1000
const TELLINGS = 2000

const runtime = system()
serve({
  tell,
  ask,
  spawn,
  'spawn-into-tree': spawnIntoTree,
  memory,
  'memory-in-tree': memoryInTree,
  siblings,
})
