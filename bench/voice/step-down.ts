/**
 * Whether a node keeps its tiers' budgets, at their defaults: a real node whose preferred engines are those of a second one, which a proxy
 * slows on purpose; turns typed and spoken, in alternation.
 *
 *   node bench/voice/step-down.ts [--rounds 3] [--calm 10] [--below 40] [--slow 1200] [--seed 2026]
 *
 * A round: `--calm` turns in the best tier; then the proxy holds every request for `--slow` ms, and turns are counted until the tier falls;
 * `--below` turns in the lower tier; then the proxy is quick again, and nothing is asked until the tier is back.
 *
 * `tier_ms` is what the node holds against its budget: a pause as short as any, and what engines took; `client_ms`, of spoken turns, is a
 * person's wait from the last sound to the first of the answer, with the pause as it was. Prints JSON lines: one a round, one for all.
 * `SHOW=1` prints every turn. Needs espeak-ng and sox; ends with 1 where a round is not as stated.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { StatusView, TurnView } from '../../src/api/index.ts'
import { RunningNode } from '../../test/system/running-node.ts'
import { SlowProxy } from '../../test/system/slow-proxy.ts'
import { goingOn } from './pauses.ts'
import { quantile } from './score.ts'
import { type Sentence, sentences, take } from './spoken-turn.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    calm: { type: 'string', default: '10' },
    below: { type: 'string', default: '40' },
    slow: { type: 'string', default: '1200' },
    seed: { type: 'string', default: '2026' },
  },
})
/** More than two is a fault; it is counted on, to see by how much. */
const MOST_TO_FALL = 10
/** Trials that fail double their pause, up to eight minutes. */
const MOST_TO_RECOVER_MS = 600_000
const LOOK_MS = 100
/** What rings or is asked back later would be heard in another turn. */
const LATER = /^(timer|reminders?|routines?|session)\./
/** Two nodes of one machine would become a household, and lend each other their engines. */
process.env.LOQA_CLUSTER_DISCOVERY = 'false'

/** A connection that was kept may be closed by the node at the moment in which it is used again: each has its own. */
async function text(url: string, body?: object): Promise<string> {
  const asked = request(url, {
    ...{ agent: false, method: body === undefined ? 'GET' : 'POST' },
    headers: { 'content-type': 'application/json' },
  })
  asked.end(body && JSON.stringify(body))
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return (await answer.setEncoding('utf8').toArray()).join('')
}

type Quality = StatusView['quality']
const round = (value: number): number => Math.round(value * 10) / 10
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
const set = (settings: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])

interface Took {
  readonly how: 'typed' | 'spoken'
  readonly tier_ms: number | undefined
  /** Of a spoken turn; undefined: nothing was heard, or the speaker was cut off. */
  readonly client_ms: number | undefined
  readonly answered: boolean
  readonly hops: TurnView['latency_ms'] | undefined
}

class Bench {
  readonly #node: RunningNode
  readonly #spoken: readonly Sentence[]
  readonly #typed = readFileSync(`${ROOT}bench/voice/unknown.txt`, 'utf8').trim().split('\n')
  readonly #pause_ms: number
  #turns = 0

  constructor(node: RunningNode, spoken: readonly Sentence[], pause_ms: number) {
    this.#node = node
    this.#spoken = spoken
    this.#pause_ms = pause_ms
  }

  async quality(): Promise<Quality> {
    return (JSON.parse(await text(`${this.#node.http}/api/v1/status`)) as StatusView).quality
  }

  async metric(pattern: RegExp): Promise<number> {
    const metrics = await text(`${this.#node.http}/metrics`)
    return [...metrics.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
  }

  /** Typed, what no template reads; spoken, commands as people say them. */
  async turn(): Promise<Took> {
    this.#turns += 1
    const at = this.#turns >> 1
    const took = this.#turns % 2 === 1 ? await this.#type(at) : await this.#speak(at)
    if (process.env.SHOW) console.error(JSON.stringify({ ...took, tier: (await this.quality()).tier }))
    return took
  }

  async many(count: number): Promise<Took[]> {
    const took: Took[] = []
    while (took.length < count) took.push(await this.turn())
    return took
  }

  async #type(at: number): Promise<Took> {
    const question = { text: this.#typed[at % this.#typed.length] }
    const turn = JSON.parse(await text(`${this.#node.http}/api/v1/ask`, question)) as TurnView
    const answered = turn.error === undefined && turn.reply !== ''
    return {
      how: 'typed',
      tier_ms: this.#tierTime(turn),
      client_ms: undefined,
      answered,
      hops: turn.latency_ms,
    }
  }

  async #speak(at: number): Promise<Took> {
    const { view, total_ms } = await take(this.#node.http, this.#spoken[at % this.#spoken.length]!)
    const answered = view !== undefined && view.error === undefined
    return {
      how: 'spoken',
      tier_ms: view && this.#tierTime(view),
      client_ms: total_ms,
      answered,
      hops: view?.latency_ms,
    }
  }

  #tierTime({ latency_ms: { stt, nlu, tts } }: TurnView): number {
    return this.#pause_ms + (stt ?? 0) + (nlu ?? 0) + (tts ?? 0)
  }
}

const spread = (values: readonly number[]): object => ({
  n: values.length,
  p50: round(quantile(values, 0.5)),
  p95: round(quantile(values, 0.95)),
  most: round(Math.max(...values)),
})
const kept = (took: readonly Took[]): object => ({
  tier_ms: spread(took.flatMap(({ tier_ms }) => tier_ms ?? [])),
  client_ms: spread(took.flatMap(({ client_ms }) => client_ms ?? [])),
  answered: `${took.filter(({ answered }) => answered).length} of ${took.length}`,
})
const place = (): object => ({
  load: round(loadavg()[0]!),
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
})

async function play(bench: Bench, proxy: SlowProxy, number: number): Promise<Took[]> {
  const before = await bench.quality()
  const calm = await bench.many(Number(options.calm))
  const rich = await bench.quality()
  proxy.slow_ms = Number(options.slow)
  const falling: Took[] = []
  while ((await bench.quality()).tier === before.tier && falling.length < MOST_TO_FALL)
    falling.push(await bench.turn())
  const fallen = await bench.quality()
  const below = await bench.many(Number(options.below))
  const low = await bench.quality()
  const FAILED = /loqa_qos_trials_total\{[^}]*kept="false"[^}]*\} (\d+)/g
  const failed_trials = await bench.metric(FAILED)
  proxy.slow_ms = 0
  const quick_at = performance.now()
  while ((await bench.quality()).tier !== before.tier && performance.now() - quick_at < MOST_TO_RECOVER_MS)
    await pause(LOOK_MS)
  const recovered = await bench.quality()
  const over = below.filter(({ tier_ms }) => tier_ms === undefined || tier_ms > fallen.budget_ms).length
  const p95 = quantile(
    below.map(({ tier_ms }) => tier_ms ?? Number.POSITIVE_INFINITY),
    0.95,
  )
  const holds =
    rich.tier === 'rich' &&
    fallen.tier === 'balanced' &&
    falling.length <= 2 &&
    low.tier === 'balanced' &&
    p95 <= fallen.budget_ms &&
    recovered.tier === 'rich'
  if (!holds) process.exitCode = 1
  console.log(
    JSON.stringify({
      ...{ bench: 'step-down', round: number, holds, slow_ms: Number(options.slow) },
      calm: { tier: rich.tier, budget_ms: rich.budget_ms, ...kept(calm) },
      fall: { to: fallen.tier, turns: falling.length, why: fallen.last_step?.why, ...kept(falling) },
      below: {
        ...{ tier: low.tier, budget_ms: low.budget_ms, over, ...kept(below) },
        slowest: below.toSorted((a, b) => (b.tier_ms ?? 0) - (a.tier_ms ?? 0)).slice(0, 2),
      },
      recovery: {
        ...{ to: recovered.tier, s: round((performance.now() - quick_at) / 1_000) },
        failed_trials_so_far: failed_trials,
      },
      ...place(),
    }),
  )
  return below
}

const server = await RunningNode.start(['--set', 'qos.tier=rich'])
const proxy = await SlowProxy.before(server.http)
const node = await RunningNode.start(
  set({
    ...{ 'openai.url': `${proxy.url}/v1`, 'openai.stt_model': 'whisper-1' },
    ...{ 'openai.llm_model': 'default', 'openai.tts_model': 'tts-1' },
    // What was asked a moment ago is to be asked again: each turn needs its engines.
    ...{ 'qos.tier': 'auto', 'qos.answers_kept': 0 },
  }),
)
try {
  const settings = (await node.json<{ key: string; value: unknown }[]>('config', 'show', '--running')) ?? []
  const pause_ms = Number(settings.find(({ key }) => key === 'voice.pause_complete_ms')?.value)
  const count = Number(options.rounds) * (Number(options.calm) + Number(options.below) + MOST_TO_FALL)
  const spoken = sentences(count, goingOn, Number(options.seed)).filter(({ intent }) => !LATER.test(intent))
  const bench = new Bench(node, spoken, pause_ms)
  await bench.many(4)
  const below: Took[] = []
  for (let number = 1; number <= Number(options.rounds); number += 1)
    below.push(...(await play(bench, proxy, number)))
  console.log(JSON.stringify({ bench: 'step-down', below: kept(below), ...place() }))
} finally {
  await node.dispose()
  proxy.close()
  await server.dispose()
}
