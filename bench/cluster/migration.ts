/**
 * What moving an actor's state costs: two movers in one process, each with its end of an encrypted link over loopback, as a node opens it.
 * No runtime is frozen yet: what is measured is the move itself, from the snapshot in hand to the state in hand on the other side.
 *
 *   node bench/cluster/migration.ts [--n 200]
 *
 * `pack`, `unpack`: the state to bytes and back. `away`: from freezing until the other side installs it, the time in which nothing is
 * handled. `told`: until the source knows. Prints JSON lines.
 */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { placedAddress } from '../../src/actors/index.ts'
import { newSelf } from '../../src/cluster/household/founding.ts'
import { Secret } from '../../src/cluster/household/secret.ts'
import {
  type Bundle,
  decodeMove,
  encodeMove,
  type Fence,
  type MoverInput,
  mover,
  noMoves,
  pack,
  unpack,
} from '../../src/cluster/migration/index.ts'
import { openMesh } from '../../src/cluster/transport/libp2p-mesh.ts'
import type { Link } from '../../src/cluster/transport/mesh.ts'
import { realHost } from '../../src/host/real.ts'
import { quantile } from '../voice/score.ts'

const WARM_UP = 20
const at = process.argv.indexOf('--n')
const N = at === -1 ? 200 : Number(process.argv[at + 1])
const host = realHost()
const key = new Secret(new Uint8Array(32).fill(3))

/** One turn, packed. */
const TURN_BYTES = 162
/** Turns of a conversation, as a session keeps them, up to about so many bytes. */
function stateOf(bytes: number) {
  const turns = Array.from({ length: Math.ceil(bytes / TURN_BYTES) }, (_, number) => ({
    ...{ number, at: 1_764_000_000_000 + number, who: number % 2 === 0 ? 'person' : 'house' },
    text: 'what is said in a turn of a conversation, in about a hundred and thirty characters, so that it is text more than structure',
  }))
  return { phase: 'listening', turns }
}

const bundleOf = (state: unknown): Bundle => ({
  ...{ incarnation: 1, state, mailbox: [], schedules: [], watchers: [], watching: [] },
})

const events = { installed: () => {}, released: () => {} }

async function openNode(name: string) {
  const self = newSelf(name, host.random)
  const { node } = self.card
  const mesh = await openMesh({ host, identity: self.identity, keys: [key], port: 0, hosts: ['127.0.0.1'] })
  let state = noMoves(node)
  let link: Link | undefined
  const waiting: Uint8Array[] = []
  const claims = new Map<string, Fence>()
  const kinds = new Map([['session', { version: 1 }]])

  const flush = (): void => {
    while (waiting.length > 0 && link!.send('data', waiting[0]!)) waiting.shift()
  }
  function feed(input: MoverInput): void {
    const step = mover(state, input, {
      now: host.clock.monotonic(),
      kinds,
      claim: (address) => claims.get(address),
    })
    state = step.state
    for (const effect of step.effects) {
      if (effect.type === 'say') waiting.push(encodeMove(effect.message)!)
      else if (effect.type === 'install') events.installed()
      else if (effect.type === 'release') events.released()
      else if (effect.type === 'refused' || effect.type === 'thaw') throw new Error(JSON.stringify(effect))
    }
    flush()
  }
  return {
    ...{ node, mesh, feed, claims },
    use(one: Link): void {
      link = one
      one.onFrame((_, frame) => feed({ type: 'heard', from: one.peer, message: decodeMove(frame)! }))
      one.onDrain(flush)
    },
    /** Whoever moved long ago is forgotten, as time would do. */
    forget: (): void => {
      state = noMoves(node)
    },
  }
}

const [a, b] = await Promise.all([openNode('a'), openNode('b')])
const linked = new Promise<void>((resolve) => {
  b.mesh.onLink((link) => {
    b.use(link)
    resolve()
  })
})
a.use(await a.mesh.dial({ host: '127.0.0.1', port: b.mesh.places[0]!.port }, b.node))
await linked

async function move(
  number: number,
  bundle: Bundle,
): Promise<{ readonly away: number; readonly told: number }> {
  const address = placedAddress('session', `s${number}`)
  a.claims.set(address, { epoch: 1, node: a.node })
  const both = Promise.all([
    new Promise<number>((resolve) => {
      events.installed = () => resolve(performance.now())
    }),
    new Promise<number>((resolve) => {
      events.released = () => resolve(performance.now())
    }),
  ])
  const begin = performance.now()
  a.feed({ type: 'move', address, kind: 'session', to: b.node })
  a.feed({ type: 'frozen', address, bundle })
  const [installed, released] = await both
  a.forget()
  b.forget()
  a.claims.delete(address)
  return { away: installed - begin, told: released - begin }
}

const round = (ms: number): number => Math.round(ms * 1_000) / 1_000
const quantiles = (times: readonly number[]) => ({
  ...{
    p50: round(quantile(times, 0.5)),
    p90: round(quantile(times, 0.9)),
    p99: round(quantile(times, 0.99)),
  },
})
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
}).trim()

for (const [what, size] of [
  ['10 KB', 10_000],
  ['1 MB', 1_000_000],
] as const) {
  const bundle = bundleOf(stateOf(size))
  const times = { pack: [] as number[], unpack: [] as number[], away: [] as number[], told: [] as number[] }
  let bytes = 0
  for (let i = 0; i < WARM_UP + N; i += 1) {
    const begin = performance.now()
    const packed = pack(bundle) as Uint8Array
    const between = performance.now()
    if (unpack(packed) === undefined) throw new Error('it cannot be read')
    const end = performance.now()
    const { away, told } = await move(i, bundle)
    bytes = packed.length
    if (i < WARM_UP) continue
    times.pack.push(between - begin)
    times.unpack.push(end - between)
    times.away.push(away)
    times.told.push(told)
  }
  console.log(
    JSON.stringify({
      ...{ bench: 'cluster/migration', what, bytes, n: N, warm_up: WARM_UP },
      ...{ pack_ms: quantiles(times.pack), unpack_ms: quantiles(times.unpack) },
      ...{ away_ms: quantiles(times.away), told_ms: quantiles(times.told) },
      ...{
        load: Math.round(loadavg()[0]! * 10) / 10,
        machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
        commit,
      },
    }),
  )
}
await Promise.all([a.mesh.close(), b.mesh.close()])
