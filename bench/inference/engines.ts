/**
 * What the engines cost, each in its own process as in the node: start to ready, wait for the first result, compute per second of
 * audio, and what passing the pipe adds.
 *
 * Run: node bench/inference/engines.ts [--models DIR] [--rounds N]   (prints one JSON line per figure)
 * Without --models: the starter models, or the tests' stand-ins where there are none yet (the line says which).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { realHost } from '../../src/host/real.ts'
import {
  type EngineEvent,
  type EngineInput,
  type EngineRequest,
  type Model,
  openModels,
  Pool,
  replicasOf,
} from '../../src/inference/index.ts'
import { startProcess } from '../../src/inference/process.ts'
import type { Log } from '../../src/observe/index.ts'
import { SETTINGS } from '../../test/fixtures/engines/settings.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values: options } = parseArgs({
  options: { models: { type: 'string' }, rounds: { type: 'string', default: '20' } },
})
const rounds = Number(options.rounds)
const starter = join(ROOT, 'models')
const standins = join(ROOT, 'test/fixtures/engines')
const models_dir = options.models ?? (existsSync(join(starter, 'manifest.json')) ? starter : standins)

const host = realHost()
const log: Log = { debug() {}, info() {}, warn: console.error, error: console.error, child: () => log }
const place = {
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
}

const at = (sorted: readonly number[], quantile: number): number =>
  Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))]!.toFixed(3))

function report(bench: string, what: string, unit: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const figures = { n: sorted.length, p50: at(sorted, 0.5), p90: at(sorted, 0.9), p99: at(sorted, 0.99) }
  console.log(JSON.stringify({ bench: `inference/${bench}`, what, unit, ...figures, ...place }))
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const REPLIES = [
  'The timer for five minutes is set.',
  'It is a quarter past three.',
  'Okay, the lights in the living room are on.',
  'I have added milk to the shopping list.',
  'Sorry, I did not understand.',
]
const SENTENCES = [
  'could you put a timer on for ten minutes',
  'i would like the kitchen lights off',
  'throw some butter on the list',
  'how is the weather on mars',
]
const SCHEMA = {
  type: 'object',
  properties: {
    intent: { enum: ['timer.set', 'list.add', 'lights.off', 'lights.on', 'none'] },
    slots: {
      type: 'object',
      additionalProperties: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    },
  },
  required: ['intent', 'slots'],
}

interface RunTimes {
  /** From `from` to the first final, token or audio, and to the end. */
  first_ms: number
  end_ms: number
  compute_ms: number
  audio_ms: number
}

/** One run; the clock starts when the input is complete. */
async function timedRun(
  pool: Pool,
  to: string,
  request: EngineRequest,
  inputs: readonly EngineInput[] = [],
): Promise<RunTimes> {
  let start = performance.now()
  let first: number | undefined
  let ended: (event: EngineEvent) => void
  const end = new Promise<EngineEvent>((resolve) => {
    ended = resolve
  })
  const stream = pool.run(to, request, (event) => {
    if (event.type === 'final' || event.type === 'token' || event.type === 'audio')
      first ??= performance.now()
    if (event.type === 'done' || event.type === 'failed') ended(event)
  })
  for (const input of inputs) {
    stream.feed(input)
    // Five times real time: the engine is as idle between frames as it is in a conversation.
    await pause(4)
  }
  if (inputs.length > 0) start = performance.now()
  stream.finish()
  const last = await end
  if (last.type !== 'done') throw new Error(`${to}: ${JSON.stringify(last)}`)
  const { compute_ms, audio_ms = 0 } = last.usage
  return { first_ms: (first ?? start) - start, end_ms: performance.now() - start, compute_ms, audio_ms }
}

/** Clips of held-out voices, in frames of 20 ms. */
function clips(): EngineInput[][] {
  const directory = join(ROOT, 'test/fixtures/audio')
  return readdirSync(directory)
    .filter((name) => name.endsWith('.wav'))
    .map((name) => {
      const bytes = readFileSync(join(directory, name)).subarray(44)
      const samples = Float32Array.from(
        { length: bytes.length >> 1 },
        (_, i) => bytes.readInt16LE(2 * i) / 32_768,
      )
      return Array.from({ length: Math.floor(samples.length / 320) }, (_, i) => ({
        type: 'audio' as const,
        samples: samples.slice(320 * i, 320 * (i + 1)),
      }))
    })
}

async function benchSpeechToText(pool: Pool, to: string): Promise<void> {
  const times: RunTimes[] = []
  const all = clips()
  for (let i = 0; i < rounds; i += 1) {
    const inputs = all[i % all.length]!
    times.push(await timedRun(pool, to, { kind: 'stt', sample_rate: 16_000 }, inputs))
  }
  report(
    'finish-to-final',
    to,
    'ms',
    times.map(({ first_ms }) => first_ms),
  )
  report(
    'compute-per-100-ms',
    to,
    'ms',
    times.map(({ compute_ms, audio_ms }) => (100 * compute_ms) / audio_ms),
  )
}

async function benchVoice(pool: Pool, to: string): Promise<void> {
  const times: RunTimes[] = []
  for (let i = 0; i < rounds * 2; i += 1) {
    times.push(await timedRun(pool, to, { kind: 'tts', text: REPLIES[i % REPLIES.length]! }))
    await pause(20)
  }
  report(
    'first-audio',
    to,
    'ms',
    times.map(({ first_ms }) => first_ms),
  )
  report(
    'whole-sentence',
    to,
    'ms',
    times.map(({ end_ms }) => end_ms),
  )
  report(
    'compute-per-100-ms',
    to,
    'ms',
    times.map(({ compute_ms, audio_ms }) => (100 * compute_ms) / audio_ms),
  )
}

async function benchLanguage(pool: Pool, to: string): Promise<void> {
  const times: RunTimes[] = []
  for (let i = 0; i < rounds * 2; i += 1) {
    const prompt = ` ${SENTENCES[i % SENTENCES.length]}\n`
    // A model with random weights may not come to an end.
    const run = timedRun(pool, to, { kind: 'llm', prompt, schema: SCHEMA, max_tokens: 96 })
    times.push(await run.catch(() => ({ first_ms: 0, end_ms: 0, compute_ms: 0, audio_ms: 0 })))
  }
  const ended = times.filter(({ end_ms }) => end_ms > 0)
  if (ended.length === 0) return
  report(
    'first-token',
    to,
    'ms',
    ended.map(({ first_ms }) => first_ms),
  )
  report(
    'json-answer',
    to,
    'ms',
    ended.map(({ end_ms }) => end_ms),
  )
}

/** Text to an engine that echoes it at once: what two frames over the pipe cost, and what the node itself pays for one feed. */
async function benchPipe(): Promise<void> {
  const script = join(standins, 'scripted-engine.ts')
  const prepare = async () =>
    ({ id: 'echo', kind: 'tts', engine: 'scripted', paths: {}, parameters: {} }) as const
  const replica = {
    name: 'echo',
    tag: 'tts.scripted:echo',
    kind: 'tts',
    engine: 'scripted',
    model: 'echo',
    prepare,
  } as const
  const pool = new Pool({
    ...host,
    settings: SETTINGS,
    replicas: [replica],
    log,
    startProcess: (events) => startProcess(events, script),
  })
  await pool.start()
  let answered: () => void = () => {}
  const stream = pool.run('tts', { kind: 'tts' }, (event) => event.type === 'token' && answered())
  const waits: number[] = []
  const feeds: number[] = []
  for (let i = 0; i < 2_000; i += 1) {
    const answer = new Promise<void>((resolve) => {
      answered = resolve
    })
    const start = performance.now()
    stream.feed({ type: 'text', text: 'tick' })
    feeds.push((performance.now() - start) * 1_000)
    await answer
    waits.push((performance.now() - start) * 1_000)
  }
  report('pipe-round-trip', 'text', 'µs', waits.slice(200))
  report('feed', 'text, in the node', 'µs', feeds.slice(200))
  await pool.stop()
}

async function benchModel(model: Model, models: Awaited<ReturnType<typeof openModels>>): Promise<void> {
  const to = `${model.kind}.${model.engine}:${model.id}`
  const loads: number[] = []
  for (let i = 0; i < 4; i += 1) {
    const replicas = replicasOf(model, models)
    const pool = new Pool({ ...host, settings: SETTINGS, replicas, log })
    const start = performance.now()
    await pool.start()
    loads.push(performance.now() - start)
    if (i === 3) {
      // The self-benchmark and the rest of the warm-up are over.
      await pause(2_000)
      if (model.kind === 'stt') await benchSpeechToText(pool, to)
      if (model.kind === 'tts') await benchVoice(pool, to)
      if (model.kind === 'llm') await benchLanguage(pool, to)
      const [row] = pool.capabilities()
      report('memory', to, 'MB', [row?.rss_mb ?? Number.NaN])
    }
    await pool.stop()
  }
  report('start-to-ready', to, 'ms', loads)
}

const unpacked_dir = mkdtempSync(join(tmpdir(), 'loqa-bench-'))
try {
  await benchPipe()
  const models = await openModels({ ...host, models_dir, unpacked_dir })
  for (const model of models.list) await benchModel(model, models)
} finally {
  rmSync(unpacked_dir, { recursive: true, force: true })
}
