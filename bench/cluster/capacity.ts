/**
 * A fast machine comes to a house whose machines are too slow, and goes again: four people speak to three nodes all the time; real
 * nodes, real engines, real time, all on this machine.
 *
 *   node bench/cluster/capacity.ts [--rounds 3] [--span 75] [--node 40] [--engines 4] [--seed 2027]
 *
 * The three are slowed from outside, by control groups of the kernel: each node has `--node` percent of one processor, its engines together
 * `--engines` percent, as if they were twenty times larger models. The fast one has all processors, before whatever else this machine does. A phase of `--span` seconds each: slow (the
 * three alone), helped (the fast one was started), alone again (it was stopped with SIGTERM). The first turns of a phase, `SETTLE_S`, count for
 * what is asked about them only: how soon turns use the newcomer.
 *
 * Prints JSON lines. Needs root, espeak-ng and sox.
 */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { configSchema } from '../../src/config.ts'
import { engineTime } from '../../src/node/quality.ts'
import { enginesOf, ProcessorShare, whyNoShare } from '../../test/system/processor-share.ts'
import { RunningNode } from '../../test/system/running-node.ts'
import { goingOn } from '../voice/pauses.ts'
import { quantile } from '../voice/score.ts'
import { type Outcome, type Sentence, sentences, take } from '../voice/spoken-turn.ts'

const ROOT = new URL('../..', import.meta.url).pathname
/** Two apart: a node enrols others on the port beside its own. */
const SLOW_PORTS = [28_421, 28_431, 28_441] as const
const FAST_PORT = 28_451
const SPEAKERS = 4
/** A whole turn of the fast tier, p95 (README, "How fast, how right"). */
const BUDGET_MS = 350
/** What a node itself holds against the tiers' budgets: the shortest pause, then what its engines take (`src/node/quality.ts`). */
const PAUSE_MS = configSchema.shape.voice.parse({}).pause_complete_ms
const FAST_MS = configSchema.shape.qos.parse({}).fast_ms
/** As on every machine that is so slow: an engine is not taken for hung while it works. */
const PATIENT = ['cancel_timeout_ms=10000', 'ping_timeout_ms=60000'].flatMap((key) => [
  '--set',
  `inference.${key}`,
])
/** The first turns of every process are compiled while they run. */
const SETTLE_S = 15
const POLL_MS = 200
/** From then on no recognition may begin elsewhere. */
const NEW_TURNS_MS = 5_000
/** As `take` does. */
const GIVEN_UP_MS = 5_000

function option(name: string, otherwise: string): number {
  const at = process.argv.indexOf(`--${name}`)
  return Number(at === -1 ? otherwise : (process.argv[at + 1] ?? otherwise))
}

const seconds = (count: number): Promise<void> => new Promise((done) => setTimeout(done, count * 1_000))
const at = (port: number): string[] => [
  ...['--port', String(port), '--set', 'cluster.discovery=false'],
  ...['--set', `cluster.enrolment_port=${port + 1}`],
]
const beside = (...ports: number[]): string[] => ports.flatMap((port) => ['--peer', `127.0.0.1:${port}`])

interface NodeRow {
  readonly id: string
  readonly self: boolean
  readonly name: string
  readonly capabilities: readonly string[]
  readonly adds: { readonly text: string } | null
}

const rows = async (node: RunningNode): Promise<NodeRow[]> =>
  (await (await fetch(`${node.http}/api/v1/nodes`)).json()) as NodeRow[]

/** Recognitions these nodes had begun, on that one and elsewhere. */
async function recognitions(
  nodes: readonly RunningNode[],
  id: string,
): Promise<{ there: number; elsewhere: number }> {
  const counts = { there: 0, elsewhere: 0 }
  for (const node of nodes) {
    const text = await (await fetch(`${node.http}/metrics`)).text()
    const rows = text.matchAll(/^loqa_work_begun_total\{capability="stt",node="(.*?)"\} (\S+)/gm)
    for (const [, at, count] of rows) counts[at === id ? 'there' : 'elsewhere'] += Number(count)
  }
  return counts
}

const hears = async (node: RunningNode, id: string): Promise<boolean> =>
  (await rows(node)).find((row) => row.id === id)?.capabilities.some((tag) => tag.startsWith('stt.')) === true

/** How far recognisers are behind speech, as that node was told, ms by node. */
async function lagging(node: RunningNode): Promise<Record<string, number>> {
  const text = await (await fetch(`${node.http}/metrics`)).text()
  const named = new Map((await rows(node)).map(({ id, name }) => [id, name]))
  const lags = text.matchAll(/^loqa_engine_lag_ms\{tag="stt\..*?",node="(.*?)"\} (\S+)/gm)
  return Object.fromEntries([...lags].map(([, id, lag]) => [named.get(id!) ?? id!, round(Number(lag))]))
}

/** Watches where recognitions begin for so long, from now on; when the first began there and when the last elsewhere, ms. */
async function watched(nodes: readonly RunningNode[], id: string, span_s: number) {
  const start = performance.now()
  const begin = await recognitions(nodes, id)
  let before = begin
  let first: number | undefined
  let last = 0
  const offered: number[] = []
  while (performance.now() - start < span_s * 1_000) {
    await seconds(POLL_MS / 1_000)
    const now = await recognitions(nodes, id)
    const at = Math.round(performance.now() - start)
    if (now.there > before.there) first ??= at
    if (now.elsewhere > before.elsewhere) last = at
    before = now
    const next = nodes[offered.length]
    if (next !== undefined && (await hears(next, id))) offered.push(at)
  }
  const there = before.there - begin.there
  return {
    /** How soon one node after the other knew of its recogniser. */
    offered_ms: offered,
    first_there_ms: first,
    last_elsewhere_ms: last,
    there,
    elsewhere: before.elsewhere - begin.elsewhere,
  }
}

interface Turn extends Outcome {
  readonly began: number
  readonly ended: number
}

/** Somebody who speaks to a node, hears the answer, and speaks again. */
class Speaker {
  readonly turns: Turn[] = []
  #over = false
  readonly #done: Promise<void>

  constructor(node: RunningNode, work: readonly Sentence[], first: number) {
    this.#done = this.#speak(node, work, first)
  }

  async #speak(node: RunningNode, work: readonly Sentence[], first: number): Promise<void> {
    for (let index = first; !this.#over; index += SPEAKERS) {
      const began = performance.now()
      const outcome = await take(node.http, work[index % work.length]!)
      this.turns.push({ ...outcome, began, ended: performance.now() })
    }
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#done
  }
}

const HOPS = ['endpoint', 'stt', 'nlu', 'skill', 'tts'] as const
type Hop = (typeof HOPS)[number]

const round = (value: number): number => Math.round(value * 10) / 10

function print(figures: Readonly<Record<string, unknown>>): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  console.log(
    JSON.stringify({ bench: 'cluster/capacity', ...figures, load: round(loadavg()[0]!), machine, commit }),
  )
}

/** Turns that began in a span and ended in it; one without an answer counts for the five seconds it was waited for. */
function phase(what: string, number: number, turns: readonly Turn[]): void {
  const heard = turns.filter(({ cut_off }) => !cut_off)
  const totals = heard.map(({ total_ms }) => total_ms ?? GIVEN_UP_MS)
  const counted = heard.flatMap(({ view }) => {
    const took = view === undefined ? undefined : engineTime(view.latency_ms)
    return took === undefined ? [] : [PAUSE_MS + took]
  })
  const of = (hop: Hop) => heard.flatMap(({ view }) => view?.latency_ms[hop] ?? [])
  const spread = (values: readonly number[]) => ({
    p50: round(quantile(values, 0.5)),
    p95: round(quantile(values, 0.95)),
  })
  print({
    what,
    round: number,
    n: turns.length,
    total_ms: spread(totals),
    hops_p95_ms: Object.fromEntries(HOPS.map((hop) => [hop, round(quantile(of(hop), 0.95))])),
    /** The three that took longest: what was said, and what each part of it took. */
    slowest: [...heard]
      .sort((a, b) => (b.total_ms ?? GIVEN_UP_MS) - (a.total_ms ?? GIVEN_UP_MS))
      .slice(0, 3)
      .map(({ total_ms, view, sentence }) => ({
        ...{ intent: sentence.intent, total_ms: round(total_ms ?? GIVEN_UP_MS), hops: view?.latency_ms },
      })),
    within_budget: quantile(totals, 0.95) <= BUDGET_MS,
    counted_ms: spread(counted),
    within_budget_of_fast_tier: quantile(counted, 0.95) <= FAST_MS,
    cut_off: turns.length - heard.length,
    unanswered: heard.filter(({ total_ms }) => total_ms === undefined).length,
    understood_percent: round(
      (100 * heard.filter(({ view, sentence }) => view?.intent === sentence.intent).length) / heard.length,
    ),
  })
}

async function household(share: { node: number; engines: number }, shares: ProcessorShare[]) {
  const nodes: RunningNode[] = []
  for (const [index, port] of SLOW_PORTS.entries()) {
    const others = beside(...SLOW_PORTS.slice(0, index))
    nodes.push(await RunningNode.start([...at(port), ...PATIENT, '--name', `slow${index + 1}`, ...others]))
  }
  for (const node of nodes) {
    const [whole, engines] = [new ProcessorShare(share.node), new ProcessorShare(share.engines)]
    shares.push(whole, engines)
    whole.hold(node.pid)
    for (const pid of enginesOf(node.pid)) engines.hold(pid)
  }
  return nodes
}

async function run(): Promise<void> {
  if (whyNoShare !== undefined) throw new Error(whyNoShare)
  const span = option('span', '75')
  const shares: ProcessorShare[] = []
  // A machine of its own does not wait for what else this one does; nor do those who speak. What is started from now on is in it.
  const unhindered = new ProcessorShare(cpus().length)
  unhindered.hold(process.pid)
  const slow = await household(
    { node: option('node', '40') / 100, engines: option('engines', '4') / 100 },
    shares,
  )
  const nodes = [...slow]
  const work = sentences(80, goingOn, option('seed', '2027'))
  const speakers = Array.from({ length: SPEAKERS }, (_, i) => new Speaker(slow[i % slow.length]!, work, i))
  const since = (start: number): Turn[] =>
    speakers.flatMap(({ turns }) => turns.filter(({ began }) => began >= start))
  let fast: RunningNode | undefined
  try {
    await seconds(SETTLE_S)
    for (let number = 1; number <= option('rounds', '3'); number += 1) {
      const slow_from = performance.now()
      await seconds(span)
      phase('three slow nodes', number, since(slow_from))
      print({
        what: 'how far recognisers are behind, slow nodes',
        round: number,
        lag_ms: await lagging(slow[0]!),
      })

      const spawned = performance.now()
      if (fast === undefined) {
        fast = await RunningNode.start([...at(FAST_PORT), '--name', 'fast', ...beside(...SLOW_PORTS)])
        nodes.push(fast)
      } else await fast.start()
      const ready = performance.now()
      const id = (await rows(fast)).find(({ self }) => self)!.id
      const seen = await watched(slow, id, SETTLE_S)
      print({
        what: 'where recognitions began, from its ready line on',
        round: number,
        ...seen,
        all_within_5_s: seen.there > 0 && seen.last_elsewhere_ms <= NEW_TURNS_MS,
        start_to_ready_ms: Math.round(ready - spawned),
      })
      const helped_from = performance.now()
      await seconds(span)
      phase('and a fast one', number, since(helped_from))
      print({ what: 'how far recognisers are behind', round: number, lag_ms: await lagging(slow[0]!) })
      print({
        what: 'what loqa nodes says of it',
        round: number,
        said: (await Promise.all(slow.map(rows))).map(
          (seen) => seen.find((row) => row.id === id)?.adds?.text,
        ),
        logged: slow.map(
          ({ output }) =>
            output
              .split('\n')
              .findLast((line) => line.includes('A node adds capacity') && line.includes(id))
              ?.match(/"adds":"(.*?)"/)?.[1],
        ),
      })

      const stopping = performance.now()
      await fast.end('SIGTERM')
      await seconds(SETTLE_S)
      const meanwhile = since(stopping - 5_000).filter(({ began }) => began <= stopping)
      print({
        what: 'turns that were under way when it was stopped',
        round: number,
        n: meanwhile.length,
        answered: meanwhile.filter(({ total_ms, cut_off }) => total_ms !== undefined || cut_off).length,
        longest_ms: round(Math.max(...meanwhile.map(({ total_ms }) => total_ms ?? 0))),
      })
    }
    const last_from = performance.now()
    await seconds(span)
    phase('three slow nodes', option('rounds', '3') + 1, since(last_from))
  } finally {
    await Promise.all(speakers.map((speaker) => speaker.stop()))
    for (const node of nodes) await node.dispose()
    unhindered.release(process.pid)
    for (const share of [...shares, unhindered]) await share.close()
  }
}

await run()
