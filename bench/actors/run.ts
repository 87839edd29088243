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
/** Erlang tells in three ways; what the others are called besides `tell` itself. */
const ERLANG_TELLS = { 'in batches': 'tell-in-batches', 'in batches, heaps sized': 'tell-with-room' } as const

/** The young generation a node runs with (bin/loqa-node). */
const AS_A_NODE = '--max-semi-space-size=1'

const javascript = (name: string, file: string, ...flags: string[]): Promise<Peer> =>
  startPeer(name, process.execPath, [
    '--expose-gc',
    '--no-warnings',
    ...flags,
    join(import.meta.dirname, file),
  ])

/** One line of a comparison: a peer, and what it is told to do. */
interface Contestant {
  readonly name: string
  readonly peer: Peer
  readonly command: string
}

function contestants(what: Measure, peers: readonly Peer[]): Contestant[] {
  return peers.flatMap((peer) => {
    const plain = { name: peer.name, peer, command: what as string }
    if (what !== 'tell' || !peer.name.startsWith('erlang')) return [plain]
    const others = Object.entries(ERLANG_TELLS).map(([how, command]) => ({
      name: `${peer.name} ${how}`,
      peer,
      command,
    }))
    return [plain, ...others]
  })
}

const median = (values: readonly number[]): number => percentiles(values).p50

/** What each contestant did, round by round: by the clock, and telling also per second of its processor time. */
interface Rounds {
  readonly clock: Map<string, number[]>
  readonly processor: Map<string, number[]>
}

const note = (series: Map<string, number[]>, name: string, values: readonly number[]): void => {
  series.set(name, [...(series.get(name) ?? []), ...values])
}

/** A round of asks is the median of its thousands, and all of them together give the tail. */
async function measure(what: Measure, entered: readonly Contestant[]): Promise<Rounds> {
  const rounds: Rounds = { clock: new Map(), processor: new Map() }
  const everything = new Map<string, number[]>()
  const { unit, count, nact } = MEASURES[what]
  const sizeFor = ({ peer }: Contestant): number => (peer.name === 'nact' ? nact : count)
  // The compilers of all get their time first.
  for (const each of entered) for (let i = 0; i < 4; i += 1) await each.peer.run(each.command, sizeFor(each))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const each of entered) {
      const { numbers, processor_ms } = await each.peer.run(each.command, sizeFor(each))
      note(rounds.clock, each.name, [median(numbers)])
      note(everything, each.name, numbers)
      // Others clean up after the clock stopped.
      if (what === 'tell') note(rounds.processor, each.name, [(sizeFor(each) / processor_ms) * 1000])
    }
  }
  const load = loadavg()[0]
  for (const [peer, series] of everything) {
    print(`actors/${what}`, { peer, unit, ...percentiles(series), load })
  }
  for (const [peer, series] of rounds.processor) {
    print(`actors/${what}`, { peer, unit: `${unit} of processor time`, ...percentiles(series), load })
  }
  return rounds
}

/** Ours over theirs, round by round; for times the other way round, so that more is always better for us. */
function compare(what: Measure, rounds: Rounds, bar: number): void {
  const less = MEASURES[what].unit === 'us' || MEASURES[what].unit === 'bytes/actor'
  for (const by of ['clock', 'processor'] as const) {
    const series = rounds[by]
    const ours = series.get('ours')
    if (ours === undefined) continue
    for (const [peer, theirs] of series) {
      if (peer === 'ours') continue
      const ratios = ours.map((value, i) => (less ? theirs[i]! / value : value / theirs[i]!))
      const measured = percentiles(ratios)
      const verdict = peer.startsWith('erlang') ? { bar, met: measured.p50 >= bar } : {}
      print(`actors/${what}-ratio`, { peer: `ours : ${peer}`, by, ...measured, ...verdict })
    }
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
      // Whoever comes second meets a heap that the first left: they take turns.
      const order = round % 2 === 0 ? [10, 10_000] : [10_000, 10]
      const found = new Map<number, readonly number[]>()
      for (const count of order) found.set(count, (await peer.run('siblings', count)).numbers)
      const [few, lots] = [found.get(10)!, found.get(10_000)!]
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

const ours = await javascript('ours', 'ours.ts', AS_A_NODE)
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
    compare(what, await measure(what, contestants(what, peers)), BARS[what])
  }
  await siblings([ours, nact])
} finally {
  for (const peer of [ours, nact, ring, ...erlang]) peer.close()
}
