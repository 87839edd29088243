/**
 * How long a person waits for a node, and what it costs to leave it on: from starting the process to its first line and to the
 * moment a spoken command would be answered (`/readyz`), how long the first command right after that and the one after it take to
 * be answered (from the last sound to the first), and the resident memory of the node's own process once it is idle.
 * `cold` starts as a fresh clone does, without compiled code from an earlier start; `warm` with it.
 *
 * Run: node bench/node/start.ts [--rounds N] [--idle S]   (prints one JSON line per figure)
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { goingOn } from '../voice/pauses.ts'
import { sentences, take } from '../voice/spoken-turn.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, idle: { type: 'string', default: '10' } },
})
const rounds = Number(values.rounds)
const idle_ms = Number(values.idle) * 1000
/** The default allows too few requests to ask every few milliseconds whether it is ready. */
const FLAGS = ['--port', '0', '--http-port', '0', '--set', 'api.requests_per_minute=10000']
const GIVE_UP_MS = 60_000
const POLL_MS = 5

const place = {
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  commit: execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD']).toString().trim(),
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Each start is asked the same: the first sentence of the seed that nobody pauses in. */
const sentence = sentences(20, goingOn, 7).find(({ pause_ms }) => pause_ms === 0)!

interface Start {
  readonly first_line_ms: number
  readonly ready_ms: number
  /** Absent when it was not answered. */
  readonly first_turn_ms: number | undefined
  readonly second_turn_ms: number | undefined
  readonly idle_mb: number
}

/** One life of a node on a data directory of its own; `cache` is the home of compiled code. */
async function start(cache: string): Promise<Start> {
  const data = mkdtempSync(join(tmpdir(), 'loqa-bench-'))
  const { NODE_COMPILE_CACHE: _, ...environment } = process.env
  const begin = performance.now()
  const node = spawn(join(ROOT, 'bin/loqa-node'), ['--data', data, ...FLAGS], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...environment, XDG_CACHE_HOME: cache },
  })
  try {
    const said = once(node.stdout, 'data').then(() => performance.now() - begin)
    const http = await ready(data, begin)
    const ready_ms = performance.now() - begin
    node.stdout.resume()
    const first = await take(`http://127.0.0.1:${http}`, sentence)
    const second = await take(`http://127.0.0.1:${http}`, sentence)
    await pause(idle_ms)
    const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
    const rss = Number(/^loqa_process_rss_bytes (\S+)$/m.exec(metrics)![1])
    return {
      first_line_ms: await said,
      ready_ms,
      first_turn_ms: first.total_ms,
      second_turn_ms: second.total_ms,
      idle_mb: rss / 1e6,
    }
  } finally {
    const ended = once(node, 'exit')
    node.kill('SIGTERM')
    await ended
    rmSync(data, { recursive: true })
  }
}

/** The port, once the node would answer a spoken command. */
async function ready(data: string, begin: number): Promise<number> {
  while (performance.now() - begin < GIVE_UP_MS) {
    await pause(POLL_MS)
    try {
      const { http } = JSON.parse(readFileSync(join(data, 'runtime.json'), 'utf8')) as { http: number }
      if ((await fetch(`http://127.0.0.1:${http}/readyz`)).ok) return http
    } catch {
      // Not there yet.
    }
  }
  throw new Error('the node was not ready in time')
}

const at = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]! * 10) / 10

function report(what: string, unit: string, cache: string, measured: readonly number[]): void {
  const sorted = measured.toSorted((a, b) => a - b)
  const figures = { n: sorted.length, p50: at(sorted, 0.5), p90: at(sorted, 0.9), max: at(sorted, 1) }
  const load = Math.round(loadavg()[0]! * 10) / 10
  console.log(JSON.stringify({ bench: 'node/start', what, unit, cache, ...figures, load, ...place }))
}

const kept = mkdtempSync(join(tmpdir(), 'loqa-bench-cache-'))
try {
  await start(kept)
  for (const cache of ['cold', 'warm'] as const) {
    const starts: Start[] = []
    for (let round = 0; round < rounds; round += 1) {
      const place = cache === 'warm' ? kept : mkdtempSync(join(tmpdir(), 'loqa-bench-cache-'))
      starts.push(await start(place))
      if (place !== kept) rmSync(place, { recursive: true })
    }
    report(
      'first-line',
      'ms',
      cache,
      starts.map(({ first_line_ms }) => first_line_ms),
    )
    report(
      'start-to-ready',
      'ms',
      cache,
      starts.map(({ ready_ms }) => ready_ms),
    )
    for (const which of ['first', 'second'] as const) {
      report(
        `${which}-turn`,
        'ms',
        cache,
        starts.flatMap((start) => start[`${which}_turn_ms`] ?? []),
      )
    }
    report(
      'idle-rss',
      'MB',
      cache,
      starts.map(({ idle_mb }) => idle_mb),
    )
  }
} finally {
  rmSync(kept, { recursive: true })
}
