/**
 * A spoken command in a household of several machines, beside one machine alone: real nodes, real engines, real time, all on this
 * machine.
 *
 *   node bench/cluster/voice.ts [--turns 60] [--kills 20] [--seed 2027]
 *
 * `across`: the microphone's node has no engines; one node recognises, another one has the language model and the voice. Turns are
 * taken in alternation with a node that has everything, so that both meet the same noise. `killed`: two nodes have all engines;
 * whichever is recognising is killed (SIGKILL) when half of the sentence was sent, and must be back before the next turn.
 *
 * Prints JSON lines. Needs espeak-ng and sox.
 */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { RunningNode } from '../../test/system/running-node.ts'
import { goingOn } from '../voice/pauses.ts'
import { quantile } from '../voice/score.ts'
import { type Outcome, type Sentence, sentences, take } from '../voice/spoken-turn.ts'

const ROOT = new URL('../..', import.meta.url).pathname
/** Two apart: a node enrols others on the port beside its own. */
const PORTS = { ears: 27_421, mouth: 27_431, left: 27_441, right: 27_451 } as const
const LINKED_WITHIN_MS = 30_000
const POLL_MS = 50

function option(name: string, otherwise: string): number {
  const at = process.argv.indexOf(`--${name}`)
  return Number(at === -1 ? otherwise : (process.argv[at + 1] ?? otherwise))
}

const off = (...kinds: ('stt' | 'llm' | 'tts')[]): string[] =>
  kinds.flatMap((kind) => ['--set', `inference.${kind}=off`])
const at = (port: number): string[] => [
  ...['--port', String(port), '--set', 'cluster.discovery=false'],
  ...['--set', `cluster.enrolment_port=${port === 0 ? 0 : port + 1}`],
]
const beside = (...ports: number[]): string[] => ports.flatMap((port) => ['--peer', `127.0.0.1:${port}`])

interface NodeRow {
  readonly id: string
  readonly self: boolean
  readonly state: string
  readonly capabilities: readonly string[]
}

const rows = async (node: RunningNode): Promise<NodeRow[]> =>
  (await (await fetch(`${node.http}/api/v1/nodes`)).json()) as NodeRow[]

/** Until as many other nodes are alive and have told what they can do. */
async function linked(node: RunningNode, others: number): Promise<void> {
  const deadline = performance.now() + LINKED_WITHIN_MS
  for (;;) {
    const alive = (await rows(node)).filter(
      ({ self, state, capabilities }) => !self && state === 'alive' && capabilities.length > 0,
    )
    if (alive.length >= others) return
    if (performance.now() > deadline)
      throw new Error(`${alive.length} of ${others} nodes joined:\n${node.output}`)
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

/** Runs begun so far, by the node that does them. */
async function begun(node: RunningNode, capability: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${node.http}/metrics`)).text()
  const pattern = new RegExp(
    `^loqa_work_begun_total\\{capability="${capability}",node="(.*?)"\\} (\\S+)`,
    'gm',
  )
  return new Map([...text.matchAll(pattern)].map(([, id, count]) => [id!, Number(count)]))
}

const round = (value: number): number => Math.round(value * 10) / 10
const totals = (outcomes: readonly Outcome[]): number[] => outcomes.flatMap(({ total_ms }) => total_ms ?? [])
const spread = (values: readonly number[]) => ({
  p50: round(quantile(values, 0.5)),
  p90: round(quantile(values, 0.9)),
  p95: round(quantile(values, 0.95)),
})

function print(figures: Readonly<Record<string, unknown>>): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  console.log(
    JSON.stringify({ bench: 'cluster/voice', ...figures, load: round(loadavg()[0]!), machine, commit }),
  )
}

async function across(work: readonly Sentence[]): Promise<void> {
  const nodes: RunningNode[] = []
  const start = async (...extra: string[]): Promise<RunningNode> => {
    const node = await RunningNode.start(extra)
    nodes.push(node)
    return node
  }
  try {
    const alone = await start('--set', 'cluster.enabled=false')
    await start(...at(PORTS.ears), ...off('llm', 'tts'))
    await start(...at(PORTS.mouth), ...off('stt'), ...beside(PORTS.ears))
    const microphone = await start(...at(0), ...off('stt', 'llm', 'tts'), ...beside(PORTS.ears, PORTS.mouth))
    await linked(microphone, 2)
    const one: Outcome[] = []
    const three: Outcome[] = []
    for (const [index, sentence] of work.entries()) {
      const both = [
        async () => one.push(await take(alone.http, sentence)),
        async () => three.push(await take(microphone.http, sentence)),
      ]
      for (const turn of index % 2 === 0 ? both : both.reverse()) await turn()
    }
    // The same sentence on both: what the way costs, whatever the sentence.
    const added = work.flatMap((_, i) => {
      const [a, b] = [one[i]?.total_ms, three[i]?.total_ms]
      return a === undefined || b === undefined ? [] : [b - a]
    })
    print({
      what: 'across three nodes',
      n: work.length,
      answered: totals(three).length,
      total_ms: spread(totals(three)),
      alone_ms: spread(totals(one)),
      added_ms: {
        p50: round(quantile(totals(three), 0.5) - quantile(totals(one), 0.5)),
        pairs_p50: round(quantile(added, 0.5)),
      },
      understood_percent: round((100 * three.filter(understood).length) / three.length),
    })
  } finally {
    for (const node of nodes) await node.dispose()
  }
}

const understood = ({ sentence, view }: Outcome): boolean => view?.intent === sentence.intent

async function killed(work: readonly Sentence[]): Promise<void> {
  const left = await RunningNode.start(at(PORTS.left))
  const right = await RunningNode.start([...at(PORTS.right), ...beside(PORTS.left)])
  const microphone = await RunningNode.start([
    ...at(0),
    ...off('stt', 'llm', 'tts'),
    ...beside(PORTS.left, PORTS.right),
  ])
  const owner = async (id: string): Promise<RunningNode> => {
    for (const node of [left, right])
      if ((await rows(node)).some((row) => row.self && row.id === id)) return node
    throw new Error(`nobody is ${id}`)
  }
  const calm: Outcome[] = []
  const disturbed: Outcome[] = []
  try {
    for (const sentence of work) {
      await linked(microphone, 2)
      calm.push(await take(microphone.http, sentence))
      const before = await begun(microphone, 'stt')
      let kill: Promise<void> | undefined
      const outcome = await take(microphone.http, sentence, (part) => {
        if (part < 0.5) return
        kill ??= begun(microphone, 'stt').then(async (after) => {
          const at_work = [...after].find(([id, count]) => count > (before.get(id) ?? 0))
          if (at_work === undefined) throw new Error('nobody recognises')
          const victim = await owner(at_work[0])
          await victim.end('SIGKILL')
        })
      })
      await kill
      disturbed.push(outcome)
      for (const node of [left, right]) if (!(await isUp(node))) await node.start()
    }
    const added = work.flatMap((_, i) => {
      const [a, b] = [calm[i]?.total_ms, disturbed[i]?.total_ms]
      return a === undefined || b === undefined ? [] : [b - a]
    })
    print({
      what: "the recogniser's node killed in mid-utterance",
      n: work.length,
      answered: totals(disturbed).length,
      total_ms: spread(totals(disturbed)),
      undisturbed_ms: spread(totals(calm)),
      added_ms: spread(added),
      understood_percent: round((100 * disturbed.filter(understood).length) / disturbed.length),
      calm_understood_percent: round((100 * calm.filter(understood).length) / calm.length),
    })
  } finally {
    for (const node of [microphone, left, right]) await node.dispose()
  }
}

const isUp = (node: RunningNode): Promise<boolean> =>
  fetch(`${node.http}/readyz`).then(
    () => true,
    () => false,
  )

const seed = option('seed', '2027')
const turns = option('turns', '60')
const kills = option('kills', '20')
if (turns > 0) await across(sentences(turns, goingOn, seed))
if (kills > 0) await killed(sentences(kills, goingOn, seed + 1))
