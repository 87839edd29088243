/**
 * How fast a spoken command is answered, and how often a speaker is cut off: a real node, its real engines, real time.
 *
 *   node bench/voice/turns.ts [--turns 300] [--sessions 1] [--pauses going-on,each-as-whole] [--seed 2026] [--plot]
 *
 * Every turn is a connection of its own that sends 0.3 s of room noise, the sentence (half of those with a natural place for it
 * have a pause of 0.2 to 0.8 s inside), and noise again until the answer came. The clock is the client's: from having sent the
 * last sample that holds speech to the first audible sample of the reply. A turn that ends before the last speech was sent
 * is a false cut-off; its share is that of all turns, paused or not. There are two ways to pause (`pauses.ts`): with a voice
 * that goes on, as people do, and with each part spoken as if it were the whole.
 *
 * Prints JSON lines; `--plot` writes bench/voice/turns.svg. `SHOW=1` prints every turn. Needs espeak-ng and sox.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { RunningNode } from '../../test/system/running-node.ts'
import { barChart } from '../plot.ts'
import { eachAsWhole, goingOn, type Hesitation } from './pauses.ts'
import { plain, quantile } from './score.ts'
import { type Outcome, type Sentence, sentences, take } from './spoken-turn.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const HOPS = ['endpoint', 'stt', 'nlu', 'skill', 'tts'] as const

const HESITATIONS: Readonly<Record<string, Hesitation>> = {
  'going-on': goingOn,
  'each-as-whole': eachAsWhole,
}

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : (process.argv[at + 1] ?? otherwise)
}

async function run(url: string, work: Sentence[], sessions: number): Promise<Outcome[]> {
  const waiting = [...work]
  const outcomes: Outcome[] = []
  await Promise.all(
    Array.from({ length: sessions }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const outcome = await take(url, next)
        outcomes.push(outcome)
        if (process.env.SHOW) console.error(JSON.stringify(line(outcome)))
      }
    }),
  )
  return outcomes
}

const line = ({ sentence, total_ms, cut_off, view }: Outcome): object => ({
  said: sentence.text,
  pause_ms: sentence.pause_ms,
  heard: view?.transcript,
  intent: view?.intent,
  total_ms: total_ms === undefined ? null : Math.round(total_ms),
  cut_off,
  ...view?.latency_ms,
})

const round = (value: number): number => Math.round(value * 10) / 10

const cutOffPercent = (outcomes: readonly Outcome[]): number =>
  round((100 * outcomes.filter(({ cut_off }) => cut_off).length) / outcomes.length)

function summary(pauses: string, sessions: number, outcomes: readonly Outcome[]): Record<string, unknown> {
  const totals = outcomes.flatMap((outcome) => outcome.total_ms ?? [])
  const hop = (name: (typeof HOPS)[number]): number[] =>
    outcomes.flatMap(({ view }) => view?.latency_ms[name] ?? [])
  return {
    bench: 'turns',
    pauses,
    sessions,
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
    n: outcomes.length,
    answered: totals.length,
    total_ms: {
      p50: round(quantile(totals, 0.5)),
      p90: round(quantile(totals, 0.9)),
      p95: round(quantile(totals, 0.95)),
      p99: round(quantile(totals, 0.99)),
    },
    hops_ms_p50: Object.fromEntries(HOPS.map((name) => [name, round(quantile(hop(name), 0.5))])),
    hops_ms_p95: Object.fromEntries(HOPS.map((name) => [name, round(quantile(hop(name), 0.95))])),
    cut_off_percent: cutOffPercent(outcomes),
    paused: outcomes.filter(({ sentence }) => sentence.pause_ms > 0).length,
    understood_percent: round(
      (100 * outcomes.filter(({ sentence, view }) => view?.intent === sentence.intent).length) /
        outcomes.length,
    ),
    heard_percent: round(
      (100 *
        outcomes.filter(({ sentence, view }) => plain(view?.transcript ?? '') === plain(sentence.text))
          .length) /
        outcomes.length,
    ),
  }
}

/** What the node says of itself. The lag of its event loop is counted from one reading to the next. */
interface Readings {
  readonly event_loop_lag_ms: Readonly<Record<string, number>>
  /** Turns so far by how they ended: standing of the text, manner of the voice. */
  readonly ended: Readonly<Record<string, number>>
}

async function readings(url: string): Promise<Readings> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const rows = (name: string): Record<string, number> =>
    Object.fromEntries(
      [...text.matchAll(new RegExp(`^${name}\\{(.*?)\\} (\\S+)`, 'gm'))].map(([, labels, value]) => [
        labels!.replaceAll(/\w+="|"/g, ''),
        Number(value),
      ]),
    )
  return { event_loop_lag_ms: rows('loqa_event_loop_lag_ms'), ended: rows('loqa_voice_endpoints_total') }
}

async function main(): Promise<void> {
  const [turns, sessions, seed] = [
    Number(option('turns', '300')),
    Number(option('sessions', '1')),
    Number(option('seed', '2026')),
  ]
  const sets = new Map<string, Outcome[]>()
  for (const pauses of option('pauses', Object.keys(HESITATIONS).join(',')).split(',')) {
    const hesitating = HESITATIONS[pauses]
    if (hesitating === undefined) throw new Error(`--pauses is one of ${Object.keys(HESITATIONS).join(', ')}`)
    const work = sentences(turns, hesitating, seed)
    const node = await RunningNode.start()
    try {
      await run(node.http, work.slice(0, 3), 1)
      const before = await readings(node.http)
      const outcomes = await run(node.http, work, sessions)
      const { event_loop_lag_ms, ended } = await readings(node.http)
      const turned = Object.entries(ended).map(([how, count]) => [how, count - (before.ended[how] ?? 0)])
      const result = { ...summary(pauses, sessions, outcomes), ended: Object.fromEntries(turned) }
      console.log(JSON.stringify({ ...result, event_loop_lag_ms }))
      sets.set(pauses, outcomes)
    } finally {
      await node.dispose()
    }
  }
  if (process.argv.includes('--plot')) writeFileSync(new URL('turns.svg', import.meta.url), plot(sets))
}

const QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] as const
const HOP_NAMES: Readonly<Record<(typeof HOPS)[number], string>> = {
  endpoint: 'silence waited for',
  stt: 'final text',
  nlu: 'meaning',
  skill: 'skill',
  tts: 'first sound',
}

function plot(sets: ReadonlyMap<string, readonly Outcome[]>): string {
  const totals = [...sets].flatMap(([pauses, outcomes]) =>
    QUANTILES.map((part) => ({
      label: `${pauses}, p${Math.round(part * 100)}`,
      value: quantile(
        outcomes.flatMap(({ total_ms }) => total_ms ?? []),
        part,
      ),
      group: pauses,
      ...(part === 0.5 ? { goal: 200 } : part === 0.95 ? { goal: 350 } : {}),
    })),
  )
  const [first = []] = sets.values()
  const hops = HOPS.map((name) => ({
    label: `${HOP_NAMES[name]}, p50`,
    value: quantile(
      first.flatMap(({ view }) => view?.latency_ms[name] ?? []),
      0.5,
    ),
    group: 'hop',
  }))
  const cut = [...sets].map(([pauses, outcomes]) => `${pauses} ${cutOffPercent(outcomes)} %`)
  return barChart({
    title: 'From the last sound of a command to the first sound of the answer',
    subtitle: `${first.length} turns in real time, held-out voices; red: promised. Cut off: ${cut.join(', ')} (2 %).`,
    unit: 'ms',
    most: 1000,
    bars: [...totals, ...hops],
  })
}

await main()
