/**
 * What moving an actor costs: two processes, each a node's runtime, links and mover, with an encrypted link over loopback as a node opens it.
 *
 *   node bench/cluster/migration.ts [--n 200] [--moves 10]
 *
 * `away`: from freezing until the node it left knows that the other runs it, the time in which nothing is handled, and the way back of
 * that word. Under load two senders, one on each node, tell it 1,000 numbered messages a second in all while it moves to and fro:
 * `lost`, `doubled`, `reordered` count them, `refused` are those of the lost that were known to be at once, `late` is the longest that one waited, by the wall clock of the machine. JSON lines.
 */
import { execFileSync, fork } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { type Behavior, createRuntime, type Message, next, placedAddress } from '../../src/actors/index.ts'
import { newSelf } from '../../src/cluster/household/founding.ts'
import { Secret } from '../../src/cluster/household/secret.ts'
import { HELD_MS } from '../../src/cluster/migration/bounds.ts'
import { Moving } from '../../src/cluster/migration/index.ts'
import { createRemote } from '../../src/cluster/remote/remote.ts'
import { openMesh } from '../../src/cluster/transport/libp2p-mesh.ts'
import type { Link } from '../../src/cluster/transport/mesh.ts'
import type { NodeId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { quantile } from '../voice/score.ts'

const WARM_UP = 20
const numberOf = (flag: string, usual: number): number => {
  const at = process.argv.indexOf(flag)
  return at === -1 ? usual : Number(process.argv[at + 1])
}
const N = numberOf('--n', 200)
const MOVES = numberOf('--moves', 10)
/** Messages a second, of both senders. */
const RATE = 1_000
const host = realHost()
const key = new Secret(new Uint8Array(32).fill(3))

/** One turn, packed. */
const TURN_BYTES = 162
/** Turns of a conversation, as a session keeps them, up to about so many bytes. */
function stateOf(bytes: number) {
  return Array.from({ length: Math.ceil(bytes / TURN_BYTES) }, (_, number) => ({
    ...{ number, at: 1_764_000_000_000 + number, who: number % 2 === 0 ? 'person' : 'house' },
    text: 'what is said in a turn of a conversation, in about a hundred and thirty characters, so that it is text more than structure',
  }))
}

interface Count {
  readonly turns: unknown
  readonly last: Readonly<Record<string, number>>
  readonly heard: number
  readonly doubled: number
  readonly reordered: number
  readonly late_ms: number
}
interface Numbered extends Message {
  readonly type: 'number'
  readonly by: string
  readonly n: number
  readonly at: number
}

const session: Behavior<Count, Numbered | Message, number> = {
  kind: 'session',
  mailbox: { capacity: 16_384, overflow: 'reject' },
  start: (bytes) => next({ turns: stateOf(bytes), last: {}, heard: 0, doubled: 0, reordered: 0, late_ms: 0 }),
  receive(state, message, { replyTo, wall }) {
    if (replyTo !== undefined) {
      const { turns: _, ...counts } = state
      return next(state, [{ type: 'reply', to: replyTo, message: { type: 'counts', ...counts } as Message }])
    }
    const { by, n, at } = message as Numbered
    const before = state.last[by] ?? 0
    return next({
      ...state,
      last: { ...state.last, [by]: Math.max(before, n) },
      heard: state.heard + 1,
      doubled: state.doubled + (n === before ? 1 : 0),
      reordered: state.reordered + (n < before ? 1 : 0),
      late_ms: Math.max(state.late_ms, wall - at),
    })
  },
  snapshot: (state) => state,
  restore: (snapshot) => next(snapshot as Count),
}

async function openNode(name: string) {
  const self = newSelf(name, host.random)
  const { node } = self.card
  const boot = host.random.uint32()
  const moving = new Moving({
    ...{ node, clock: host.clock, random: host.random, kinds: new Map([['session', { version: 1 }]]) },
    log: (message) => console.error(name, message),
  })
  const remote = createRemote({
    ...{ node, boot, clock: host.clock, moving: moving.remote },
    placed: { heard: (all) => moving.claimed(all), lost: () => undefined, orphaned: () => undefined },
    fault: (_, what) => console.error(name, what),
  })
  const runtime = createRuntime({
    ...{ node, boot, host, behaviors: { session }, outside: {}, remote: remote.port },
    observe: { log: console.error, metric: () => undefined, audit: () => undefined },
  })
  remote.connect(moving.connect(runtime, remote, runtime.fromAfar))
  const mesh = await openMesh({ host, identity: self.identity, keys: [key], port: 0, hosts: ['127.0.0.1'] })
  const use = (link: Link): void => {
    const events = remote.linked(link)
    link.onFrame((_, bytes) => events.frame(bytes))
    link.onDrain(() => events.drained())
  }
  return { node, moving, remote, runtime, mesh, use }
}

/** Tells `n` messages a second until it is told to stop; how many it told. */
function sender(runtime: Awaited<ReturnType<typeof openNode>>['runtime'], by: string, per_s: number) {
  const began = performance.now()
  let n = 0
  let dead = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * per_s) / 1_000)
    while (n < due) {
      n += 1
      const message: Numbered = { type: 'number', by, n, at: host.clock.wall() }
      if (!runtime.tell(placedAddress('session', 'loaded'), message)) dead += 1
    }
  }, 1)
  return () => {
    clearInterval(timer)
    return { told: n, dead }
  }
}

if (process.argv.includes('--peer')) {
  const peer = await openNode('b')
  peer.mesh.onLink((link) => peer.use(link))
  let stop: ReturnType<typeof sender> | undefined
  process.on('message', (what: string) => {
    if (what === 'send') stop = sender(peer.runtime, 'b', RATE / 2)
    else if (what === 'stop') process.send!(stop!())
    else peer.runtime.stop(placedAddress('session', what))
  })
  process.send!({ node: peer.node, port: peer.mesh.places[0]!.port })
} else await measure()

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, ['--peer'], { stdio: 'inherit' })
  const said = <T>(): Promise<T> =>
    new Promise((resolve) => child.once('message', (what) => resolve(what as T)))
  const { node: there, port } = await said<{ node: NodeId; port: number }>()
  const a = await openNode('a')
  a.use(await a.mesh.dial({ host: '127.0.0.1', port }, there))
  await until(() => a.remote.moves.canSay(there))
  for (const [what, bytes] of [
    ['10 KB', 10_000],
    ['1 MB', 1_000_000],
  ] as const) {
    const away: number[] = []
    for (let i = 0; i < WARM_UP + N; i += 1) {
      const keyOf = `${what.slice(-2)}-${i}`
      const { address } = a.runtime.spawn({ kind: 'session', key: keyOf, args: bytes })
      a.remote.claim(address)
      await new Promise((resolve) => setTimeout(resolve, 2))
      const { away_ms } = await a.moving.move(address, there)
      child.send(keyOf)
      if (i >= WARM_UP) away.push(away_ms)
    }
    report({ what, n: N, warm_up: WARM_UP, away_ms: quantiles(away) })
    // A node remembers each move for 15 s and 1,024 of them; a node of a household makes a few in an hour.
    await new Promise((resolve) => setTimeout(resolve, HELD_MS + 1_000))
  }
  const { address } = a.runtime.spawn({ kind: 'session', key: 'loaded', args: 10_000 })
  a.remote.claim(address)
  // The other node has heard of it.
  await new Promise((resolve) => setTimeout(resolve, 500))
  child.send('send')
  const stop = sender(a.runtime, 'a', RATE / 2)
  const away: number[] = []
  for (let i = 0; i < MOVES; i += 1)
    away.push((await a.moving.move(address, i % 2 === 0 ? there : a.node)).away_ms)
  const mine = stop()
  const told = said<{ told: number; dead: number }>()
  child.send('stop')
  const theirs = await told
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  const counts = (await a.runtime.ask(address, { type: 'counts' }, { deadline_ms: 5_000 })) as Message & Count
  const sent = mine.told + theirs.told
  report({
    ...{
      what: `${RATE} messages a second`,
      moves: MOVES,
      sent,
      lost: sent - counts.heard,
      refused: mine.dead + theirs.dead,
      doubled: counts.doubled,
    },
    ...{ reordered: counts.reordered, late_ms: counts.late_ms, away_ms: quantiles(away) },
  })
  child.kill()
  await a.mesh.close()
  process.exit(0)
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

function report(line: Record<string, unknown>): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  const load = Math.round(loadavg()[0]! * 10) / 10
  console.log(JSON.stringify({ bench: 'cluster/migration', ...line, load, machine, commit }))
}

function quantiles(times: readonly number[]) {
  const at = (q: number): number => Math.round(quantile(times, q) * 1_000) / 1_000
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: Math.round(Math.max(...times) * 1_000) / 1_000 }
}
