/**
 * The actor runtime beside its peers, in one run: rounds are interleaved, so that all meet the same noise, and ratios are
 * taken within a round. `node bench/actors/run.ts [rounds]`, JSON lines; see README.md for what each supports.
 */
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { percentiles, print } from '../skills/measure.ts'
import { type Peer, startErlang, startPeer } from './peer.ts'

const ROUNDS = Math.max(5, Number(process.argv[2] ?? 7))

const MEASURES = {
  tell: { unit: 'messages/s', count: 2_000_000, nact: 50_000 },
  ask: { unit: 'us', count: 200_000, nact: 20_000 },
  spawn: { unit: 'actors/s', count: 50_000, nact: 20_000 },
  'spawn-into-tree': { unit: 'actors/s', count: 50_000, nact: 0 },
  memory: { unit: 'bytes/actor', count: 20_000, nact: 20_000 },
  'memory-in-tree': { unit: 'bytes/actor', count: 20_000, nact: 0 },
} as const
type Measure = keyof typeof MEASURES

/** Who takes part in what. */
const TAKES_PART: Readonly<Record<string, readonly Measure[]>> = {
  ours: ['tell', 'ask', 'spawn', 'spawn-into-tree', 'memory', 'memory-in-tree'],
  nact: ['tell', 'ask', 'spawn', 'memory'],
  ring: ['tell', 'ask', 'spawn'],
}
const ERLANG: readonly Measure[] = ['tell', 'ask', 'spawn', 'memory']

const javascript = (name: string, file: string): Promise<Peer> =>
  startPeer(name, process.execPath, ['--expose-gc', '--no-warnings', join(import.meta.dirname, file)])

const median = (values: readonly number[]): number => percentiles(values).p50

/** Numbers of each round, by peer. A round of asks is the median of its thousands, and all of them together give the tail. */
async function measure(what: Measure, peers: readonly Peer[]) {
  const rounds = new Map<string, number[]>()
  const everything = new Map<string, number[]>()
  const { count, nact } = MEASURES[what]
  const sizeFor = (peer: Peer): number => (peer.name === 'nact' ? nact : count)
  // The compilers of all get their time first.
  for (const peer of peers) for (let i = 0; i < 4; i += 1) await peer.run(what, sizeFor(peer))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const peer of peers) {
      const numbers = await peer.run(what, sizeFor(peer))
      rounds.set(peer.name, [...(rounds.get(peer.name) ?? []), median(numbers)])
      everything.set(peer.name, [...(everything.get(peer.name) ?? []), ...numbers])
    }
  }
  for (const [peer, series] of everything) {
    print(`actors/${what}`, { peer, unit: MEASURES[what].unit, ...percentiles(series), load: loadavg()[0] })
  }
  return rounds
}

/** Ours over theirs, round by round; for times the other way round, so that more is always better for us. */
function compare(what: Measure, rounds: ReadonlyMap<string, readonly number[]>, bar: number): void {
  const ours = rounds.get('ours')!
  const less = MEASURES[what].unit === 'us' || MEASURES[what].unit === 'bytes/actor'
  for (const [peer, theirs] of rounds) {
    if (peer === 'ours') continue
    const ratios = ours.map((value, i) => (less ? theirs[i]! / value : value / theirs[i]!))
    const measured = percentiles(ratios)
    const verdict = peer.startsWith('erlang') ? { bar, met: measured.p50 >= bar } : {}
    print(`actors/${what}-ratio`, { peer: `ours : ${peer}`, ...measured, ...verdict })
  }
}

/** What 10 and 10,000 children of one parent change, each pair within a round. */
async function siblings(peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) {
    const parts = peer.name === 'ours' ? ['tell-parent', 'tell-child', 'spawn-child'] : ['tell-parent']
    const ratios: number[][] = parts.map(() => [])
    const many: number[][] = parts.map(() => [])
    await peer.run('siblings', 1_000)
    for (let round = 0; round < ROUNDS; round += 1) {
      const few = await peer.run('siblings', 10)
      const lots = await peer.run('siblings', 10_000)
      parts.forEach((_, i) => {
        ratios[i]!.push(few[i]! / lots[i]!)
        many[i]!.push(lots[i]!)
      })
    }
    parts.forEach((part, i) => {
      print(`actors/siblings-${part}`, {
        peer: peer.name,
        siblings: 10_000,
        unit: '/s',
        ...percentiles(many[i]!),
      })
      print(`actors/siblings-${part}-cost`, {
        peer: peer.name,
        of: '10,000 over 10',
        ...percentiles(ratios[i]!),
      })
    })
  }
}

const ours = await javascript('ours', 'ours.ts')
const nact = await javascript('nact', 'nact-peer.ts')
const ring = await javascript('ring', 'ring-peer.ts')
const erlang: Peer[] = []
for (const schedulers of [1, 2]) {
  const peer = await startErlang(schedulers)
  if (typeof peer === 'string') print('actors/skipped', { peer: `erlang-s${schedulers}`, why: peer })
  else erlang.push(peer)
}

const BARS: Readonly<Record<Measure, number>> = {
  tell: 2,
  ask: 1,
  spawn: 1,
  'spawn-into-tree': 1,
  memory: 1,
  'memory-in-tree': 1,
}
try {
  for (const what of Object.keys(MEASURES) as Measure[]) {
    const takesPart = [ours, nact, ring].filter(({ name }) => TAKES_PART[name]!.includes(what))
    const peers = [...takesPart, ...(ERLANG.includes(what) ? erlang : [])]
    compare(what, await measure(what, peers), BARS[what])
  }
  await siblings([ours, nact])
} finally {
  for (const peer of [ours, nact, ring, ...erlang]) peer.close()
}
