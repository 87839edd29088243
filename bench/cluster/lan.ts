/**
 * How soon a household comes together, and how soon it notices what happens to its nodes: real processes, each in a network
 * namespace, on one switch. With Serf (Debian's `serf`) beside it in the same rig where it is installed. Needs root.
 *
 *   node bench/cluster/lan.ts [ROUNDS] [NODES]      5 rounds of 5 nodes; JSON lines
 *
 * Times run from what is done to a node (Date.now() around the signal or the cable) until the last of the others has written it
 * into its log. Nodes run without engines: they would only make each other wait for two cores.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Lan, type LanHost, type LanNode, together, whyNoLan } from '../../test/lan/rig.ts'
import { print } from '../skills/measure.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const NODES = Number(process.argv[3] ?? 5)
const STOPPED_MS = 3_000
const PATIENCE_MS = 90_000

/** One system in the rig: its nodes, and what each says of the others. */
interface Contender {
  readonly system: string
  /** Starts all at once; gives when all had all, from the first spawn. */
  start(lan: Lan): Promise<number>
  /** When every other node held that of node `index`, at or after `since`. */
  verdict(index: number, status: Verdict, since: number): Promise<number>
  kill(index: number): void
  signal(index: number, signal: NodeJS.Signals): void
  /** Whether any node called another dead since then. */
  falseDeaths(since: number): number
  host(index: number): LanHost
  restart(index: number): Promise<void>
}
type Verdict = 'unused' | 'suspect' | 'dead' | 'alive'

const names = Array.from({ length: NODES }, (_, index) => `n${index}`)
const until = async (holds: () => number | undefined, what: string): Promise<number> => {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const found = holds()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
/** The last of many, or undefined while one is missing. */
const last = (times: readonly (number | undefined)[]): number | undefined =>
  times.includes(undefined) ? undefined : Math.max(...(times as number[]))

class Loqa implements Contender {
  readonly system = 'loqa'
  #nodes: LanNode[] = []

  async start(lan: Lan): Promise<number> {
    this.#nodes = await lan.start(names)
    const ended = await together(this.#nodes, PATIENCE_MS)
    return ended - Math.min(...this.#nodes.map(({ spawned }) => spawned))
  }

  verdict(index: number, status: Verdict, since: number): Promise<number> {
    const one = this.#nodes[index]!
    return until(
      () => last(this.#others(index).map((node) => said(node, one, status, since))),
      `${status} of ${one.name}`,
    )
  }

  kill(index: number): void {
    this.#nodes[index]!.signal('SIGKILL')
  }
  signal(index: number, signal: NodeJS.Signals): void {
    this.#nodes[index]!.signal(signal)
  }
  falseDeaths(since: number): number {
    return this.#nodes.flatMap(({ lines }) => lines.filter(({ at, to }) => at >= since && to === 'dead'))
      .length
  }
  host(index: number): LanHost {
    return this.#nodes[index]!.host
  }
  async restart(index: number): Promise<void> {
    this.#nodes[index]!.start()
    await this.#nodes[index]!.ready()
    await together(this.#nodes, PATIENCE_MS)
  }
  #others(index: number): LanNode[] {
    return this.#nodes.filter((_, other) => other !== index)
  }
}

function said(node: LanNode, other: LanNode, status: Verdict, since: number): number | undefined {
  const { id } = other
  const line = node.lines.find(({ at, peer, to, message }) => {
    if (at < since || peer !== id) return false
    if (status === 'unused') return message.includes('no longer connected')
    return status === 'alive' ? / is connected$/.test(message) : to === status
  })
  return line?.at
}

/** Serf's agents, LAN profile, each told the address of the first: it has no discovery that would need no configuration. */
class Serf implements Contender {
  readonly system = 'serf'
  readonly #agents: { host: LanHost; process: ChildProcess; lines: { at: number; text: string }[] }[] = []

  async start(lan: Lan): Promise<number> {
    const hosts = names.map(() => lan.host())
    const began = Date.now()
    for (const [index, host] of hosts.entries()) this.#spawn(index, host, hosts[0]!.address)
    const ended = await until(
      () =>
        last(
          names.flatMap((_, index) =>
            this.#others(index).map((other) => this.#said(other, index, 'alive', began)),
          ),
        ),
      'all agents joined',
    )
    return ended - began
  }

  #spawn(index: number, host: LanHost, first: string): void {
    const agent = [
      'agent',
      `-node=${names[index]}`,
      `-bind=${host.address}`,
      '-log-level=debug',
      '-profile=lan',
    ]
    const join = index === 0 ? [] : [`-retry-join=${first}`, '-retry-interval=1s']
    const child = spawn('ip', ['netns', 'exec', host.namespace, 'serf', ...agent, ...join], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines: { at: number; text: string }[] = this.#agents[index]?.lines ?? []
    child.stdout.on('data', (chunk: Buffer) => {
      for (const text of chunk.toString().split('\n')) lines.push({ at: Date.now(), text })
    })
    this.#agents[index] = { host, process: child, lines }
  }

  #others(index: number): number[] {
    return names.map((_, other) => other).filter((other) => other !== index)
  }

  #said(by: number, of: number, status: Verdict, since: number): number | undefined {
    const name = names[of]!
    const words = {
      unused: new RegExp(`Suspect ${name} has failed|EventMemberFailed: ${name} `),
      suspect: new RegExp(`Suspect ${name} has failed|EventMemberFailed: ${name} `),
      dead: new RegExp(`EventMemberFailed: ${name} `),
      alive: new RegExp(`EventMemberJoin: ${name} `),
    }
    return this.#agents[by]!.lines.find(({ at, text }) => at >= since && words[status].test(text))?.at
  }

  verdict(index: number, status: Verdict, since: number): Promise<number> {
    return until(
      () => last(this.#others(index).map((other) => this.#said(other, index, status, since))),
      `${status} of ${names[index]}`,
    )
  }
  kill(index: number): void {
    this.#agents[index]!.process.kill('SIGKILL')
  }
  signal(index: number, signal: NodeJS.Signals): void {
    this.#agents[index]!.process.kill(signal)
  }
  falseDeaths(since: number): number {
    return this.#agents.flatMap(({ lines }) =>
      lines.filter(({ at, text }) => at >= since && text.includes('EventMemberFailed')),
    ).length
  }
  host(index: number): LanHost {
    return this.#agents[index]!.host
  }
  async restart(index: number): Promise<void> {
    const since = Date.now()
    this.#spawn(index, this.#agents[index]!.host, this.#agents[0]!.host.address)
    await this.verdict(index, 'alive', since)
  }
  stop(): void {
    for (const { process: agent } of this.#agents) agent.kill('SIGKILL')
  }
}

async function round(contender: Contender, lan: Lan): Promise<Record<string, number>> {
  const times: Record<string, number> = { together_ms: await contender.start(lan) }
  const victim = NODES - 1
  const pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms))
  await pause(2_000)

  let since = Date.now()
  contender.signal(victim, 'SIGSTOP')
  await pause(STOPPED_MS)
  contender.signal(victim, 'SIGCONT')
  await pause(5_000)
  times.stopped_3s_called_dead = contender.falseDeaths(since)

  since = Date.now()
  contender.host(victim).cut()
  times.cut_suspected_ms = await noted(
    contender.system,
    () => contender.verdict(victim, 'suspect', since),
    since,
  )
  times.cut_dead_ms = (await contender.verdict(victim, 'dead', since)) - since
  await pause(1_000)
  since = Date.now()
  contender.host(victim).plug()
  times.healed_ms = (await contender.verdict(victim, 'alive', since)) - since
  await pause(3_000)

  since = Date.now()
  contender.kill(victim)
  times.killed_unused_ms = await noted(
    contender.system,
    () => contender.verdict(victim, 'unused', since),
    since,
  )
  times.killed_dead_ms = (await contender.verdict(victim, 'dead', since)) - since
  return times
}

/** Serf tells the others of a suspicion only where it was the one to suspect: its verdict is all there is to compare. */
const noted = async (system: string, verdict: () => Promise<number>, since: number): Promise<number> =>
  system === 'serf' ? Number.NaN : (await verdict()) - since

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

async function measure(make: () => Contender): Promise<void> {
  const rounds: Record<string, number>[] = []
  for (let index = 0; index < ROUNDS; index += 1) {
    const lan = new Lan()
    const contender = make()
    try {
      rounds.push(await round(contender, lan))
    } finally {
      if (contender instanceof Serf) contender.stop()
      await lan.close()
    }
  }
  const { system } = make()
  for (const what of Object.keys(rounds[0]!)) {
    const values = rounds.map((times) => times[what]!).filter((value) => !Number.isNaN(value))
    if (values.length === 0) continue
    print('cluster/lan', {
      system,
      nodes: NODES,
      what,
      n: values.length,
      median: median(values),
      max: Math.max(...values),
      values,
    })
  }
}

if (whyNoLan !== undefined) {
  console.error(whyNoLan)
  process.exit(1)
}
await measure(() => new Loqa())
const hasSerf = await new Promise<boolean>((resolve) => {
  const probe = spawn('serf', ['version'], { stdio: 'ignore' })
  probe.on('error', () => resolve(false))
  probe.on('exit', (code) => resolve(code === 0))
})
if (hasSerf) await measure(() => new Serf())
else console.error('serf is not installed: apt-get install serf')
process.exit(0)
