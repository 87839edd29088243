/**
 * Numbers about the running node in Prometheus form; the only importer of prom-client. The metrics with promised names
 * are declared in `CATALOGUE`; behaviours may add others through the `metric` effect, bounded in number.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

type Kind = 'counter' | 'gauge' | 'histogram'
export type Labels = Readonly<Record<string, string>>

interface Declaration {
  readonly kind: Kind
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, in the unit of the name. */
  readonly buckets?: readonly number[]
}

/** Fine below 400 ms, where the promises lie; coarse above. */
const LATENCY_MS = [1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 600, 1_000, 2_000, 5_000]

export const CATALOGUE: Readonly<Record<string, Declaration>> = {
  loqa_voice_latency_ms: {
    kind: 'histogram',
    help: 'Time each hop of a voice turn took; total runs from the last speech sample in to the first audible sample out',
    labels: ['hop'],
    buckets: LATENCY_MS,
  },
  loqa_event_loop_lag_ms: {
    kind: 'gauge',
    help: 'How late timers ran since the last scrape, by quantile',
    labels: ['quantile'],
  },
  loqa_cluster_members: { kind: 'gauge', help: 'Members of the household by state', labels: ['state'] },
  loqa_actor_mailbox_depth: { kind: 'gauge', help: 'Messages waiting in all mailboxes', labels: [] },
  loqa_work_begun_total: {
    kind: 'counter',
    help: 'Engine runs of this node, by the node that does them',
    labels: ['capability', 'node'],
  },
  loqa_relocations_total: {
    kind: 'counter',
    help: 'Conversations of this node that it began to move to another one by itself',
    labels: ['why', 'outcome'],
  },
  loqa_work_moved_total: {
    kind: 'counter',
    help: 'Engine runs that another node took over',
    labels: ['capability', 'why'],
  },
  loqa_work_hedged_total: {
    kind: 'counter',
    help: 'Engine runs of this node that a second engine began because the first was late, and which of the two was sooner',
    labels: ['capability', 'event'],
  },
  loqa_work_wait_ms: {
    kind: 'histogram',
    help: 'From all an engine run of this node needs until its first result, wherever it was done',
    labels: ['capability'],
    buckets: LATENCY_MS,
  },
  loqa_engine_p95_ms: {
    kind: 'gauge',
    help: 'What 95 of 100 runs took lately on engines of the household: seen from here, else as their node says',
    labels: ['tag', 'node'],
  },
  loqa_engine_lag_ms: {
    kind: 'gauge',
    help: 'How far recognisers of the household were behind speech lately, as their nodes say',
    labels: ['tag', 'node'],
  },
  loqa_engine_warmth_total: {
    kind: 'counter',
    help: 'Engines of this node that were let go of because others have the same, and that were woken',
    labels: ['engine', 'event'],
  },
  loqa_engine_running: {
    kind: 'gauge',
    help: 'Runs under way on engines of the household, as far as this node was told',
    labels: ['tag', 'node'],
  },
  loqa_capacity_sessions: {
    kind: 'gauge',
    help: 'People who may speak at the same time and be served as fast as one, in the household as this node sees it',
    labels: [],
  },
  loqa_processor_load: {
    kind: 'gauge',
    help: 'Share of the processors of this machine in use, as it is told to the others',
    labels: [],
  },
  loqa_qos_tier: {
    kind: 'gauge',
    help: 'The quality tier answers are given in: 1 for the one in force',
    labels: ['tier'],
  },
  loqa_qos_budget_ms: { kind: 'gauge', help: 'Budget of a turn in the tier in force', labels: [] },
  loqa_qos_turn_p95_ms: {
    kind: 'gauge',
    help: 'What 95 of 100 of the last turns in the tier in force took, without the pause before them',
    labels: [],
  },
  loqa_qos_steps_total: {
    kind: 'counter',
    help: 'Steps from one quality tier to another',
    labels: ['from', 'to', 'why'],
  },
  loqa_qos_trials_total: {
    kind: 'counter',
    help: 'Engines tried unheard before a step up, and whether they kept the budget',
    labels: ['engine', 'kept'],
  },
  loqa_qos_done_again_total: {
    kind: 'counter',
    help: 'Sentences heard or understood by the next engine because the chosen one was late or failed',
    labels: ['kind'],
  },
  loqa_qos_plain_voice_total: {
    kind: 'counter',
    help: 'Replies said by the plain voice because the chosen one was late',
    labels: [],
  },
  loqa_llm_answers_again_total: {
    kind: 'counter',
    help: 'Meanings a language model had given before, given again from memory',
    labels: [],
  },
  loqa_dead_letters_total: { kind: 'counter', help: 'Messages whose receiver was gone', labels: [] },
  loqa_migration_ms: {
    kind: 'histogram',
    help: 'Time an actor was away while moving to another node',
    labels: [],
    buckets: LATENCY_MS,
  },
  loqa_sync_lag_ms: {
    kind: 'histogram',
    help: 'From hearing that another node has changes until all of them were here',
    labels: [],
    buckets: LATENCY_MS,
  },
  loqa_skill_call_ms: {
    kind: 'histogram',
    help: 'Time a call into a skill took',
    labels: ['skill'],
    buckets: LATENCY_MS,
  },
  loqa_timeline_events_lost_total: {
    kind: 'counter',
    help: 'Steps of conversations that are in no timeline, by why',
    labels: ['why'],
  },
  loqa_spans_lost_total: {
    kind: 'counter',
    help: 'Spans of turns that no collector took: it was away for long, or refused them',
    labels: [],
  },
  loqa_http_requests_total: {
    kind: 'counter',
    help: 'HTTP requests by route and status class',
    labels: ['route', 'status'],
  },
  loqa_voice_connections: { kind: 'gauge', help: 'Open voice connections', labels: [] },
  loqa_process_rss_bytes: { kind: 'gauge', help: 'Resident memory of the node process', labels: [] },
}

/** Names behaviours may add beside the catalogue, and label combinations of one metric: memory stays bounded. */
const MAX_EXTRA_METRICS = 128
const MAX_SERIES = 256

type Instrument =
  | { readonly kind: 'counter'; readonly of: Counter }
  | { readonly kind: 'gauge'; readonly of: Gauge }
  | { readonly kind: 'histogram'; readonly of: Histogram }

export interface Metrics {
  /** Adds to a counter. */
  add(name: string, value?: number, labels?: Labels): void
  /** Records one value of a histogram. */
  observe(name: string, value: number, labels?: Labels): void
  /** Sets a gauge. */
  set(name: string, value: number, labels?: Labels): void
  /** Runs before every scrape: for gauges that are read rather than pushed. */
  onScrape(update: () => void): void
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>
  /** Values refused because a bound was reached or a name was used as another kind. */
  readonly refused: number
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const instruments = new Map<string, Instrument>()
  const labelNames = new Map<string, readonly string[]>()
  const series = new Map<string, Set<string>>()
  const updates: (() => void)[] = []
  let refused = 0

  const declare = (name: string, declaration: Declaration): Instrument => {
    const common = {
      name,
      help: declaration.help,
      labelNames: [...declaration.labels],
      registers: [registry],
    }
    const instrument: Instrument =
      declaration.kind === 'counter'
        ? { kind: 'counter', of: new Counter(common) }
        : declaration.kind === 'gauge'
          ? { kind: 'gauge', of: new Gauge(common) }
          : {
              kind: 'histogram',
              of: new Histogram({ ...common, buckets: [...(declaration.buckets ?? LATENCY_MS)] }),
            }
    instruments.set(name, instrument)
    labelNames.set(name, declaration.labels)
    series.set(name, new Set())
    return instrument
  }
  for (const [name, declaration] of Object.entries(CATALOGUE)) declare(name, declaration)

  /** The instrument of that name, made on first use; undefined when a bound or a mismatch refuses it. */
  const instrument = (given: string, kind: Kind, labels: Labels): Instrument | undefined => {
    const name = given.startsWith('loqa_') ? given : `loqa_${given}`
    let found = instruments.get(name)
    if (found === undefined) {
      const room = instruments.size < Object.keys(CATALOGUE).length + MAX_EXTRA_METRICS
      if (!room || !/^[a-z][a-z0-9_]*$/.test(name)) return undefined
      found = declare(name, { kind, help: name.replaceAll('_', ' '), labels: Object.keys(labels).sort() })
    }
    if (found.kind !== kind || !sameNames(labelNames.get(name) ?? [], labels)) return undefined
    const known = series.get(name)!
    const key = Object.values(labels).join('\u0000')
    if (!known.has(key) && known.size >= MAX_SERIES) return undefined
    known.add(key)
    return found
  }

  return {
    add(name, value = 1, labels = {}) {
      const found = instrument(name, 'counter', labels)
      if (found?.kind === 'counter' && value >= 0) found.of.inc(labels, value)
      else refused += 1
    },
    observe(name, value, labels = {}) {
      const found = instrument(name, 'histogram', labels)
      if (found?.kind === 'histogram' && Number.isFinite(value)) found.of.observe(labels, value)
      else refused += 1
    },
    set(name, value, labels = {}) {
      const found = instrument(name, 'gauge', labels)
      if (found?.kind === 'gauge' && Number.isFinite(value)) found.of.set(labels, value)
      else refused += 1
    },
    onScrape(update) {
      updates.push(update)
    },
    async text() {
      for (const update of updates) update()
      return registry.metrics()
    },
    get refused() {
      return refused
    },
  }
}

const sameNames = (declared: readonly string[], labels: Labels): boolean => {
  const given = Object.keys(labels)
  return given.length === declared.length && given.every((name) => declared.includes(name))
}
