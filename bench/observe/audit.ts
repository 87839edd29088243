/**
 * What the audit log costs: a record that is durable when it is acknowledged, alone and with others that come at the same time
 * (they share one sync); a start on a large log; the check of it, and how long it keeps the event loop from other work.
 *
 * Run: node bench/observe/audit.ts [--records N]   (prints one JSON line per figure)
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { realHost } from '../../src/host/real.ts'
import { lineOf, recordAfter } from '../../src/observe/audit-record.ts'
import { openAudit } from '../../src/observe/index.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { records: { type: 'string', default: '200000' } } })
const records = Number(values.records)
/** Records per round; rounds of each way. */
const TOGETHER = [1, 8, 32, 256]
const ROUNDS = 200

const { disk, clock } = realHost()
const directory = mkdtempSync(join(tmpdir(), 'loqa-bench-audit-'))
const entry = {
  actor: 'loqa:/skill/timer',
  who: '-',
  what: 'skill.call',
  object: 'timer.set',
  outcome: 'ok',
}
const NODE = '12D3KooWHskhpLQNavaJfAE3aGwi298ct3FMRJ3SPDZbLcP4rceX'

const place = {
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  commit: execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD']).toString().trim(),
}
const say = (figure: string, value: object): void =>
  console.log(
    JSON.stringify({ bench: 'observe/audit', figure, ...value, load: loadavg()[0]!.toFixed(1), ...place }),
  )

const quantile = (sorted: readonly number[], q: number): number =>
  Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!.toFixed(3))

function distribution(all: readonly number[]) {
  const sorted = all.toSorted((a, b) => a - b)
  return {
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    n: sorted.length,
  }
}

async function appends(): Promise<void> {
  const audit = await openAudit(disk, clock, join(directory, 'append.log'), NODE)
  for (let i = 0; i < 50; i += 1) await audit.append(entry)
  for (const together of TOGETHER) {
    const taken: number[] = []
    const begin = performance.now()
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = performance.now()
      await Promise.all(Array.from({ length: together }, () => audit.append(entry)))
      taken.push(performance.now() - from)
    }
    const per_s = Math.round((together * ROUNDS * 1000) / (performance.now() - begin))
    say('durable ms', { together, ...distribution(taken), records_per_s: per_s })
  }
}

/** Longest stretches in which nobody else had a turn, ms. */
async function withLag<T>(work: () => Promise<T>): Promise<{ took_ms: number; lag: object; result: T }> {
  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  const from = performance.now()
  const result = await work()
  const took_ms = Math.round(performance.now() - from)
  lag.disable()
  const ms = (ns: number): number => Number((ns / 1e6).toFixed(1))
  return {
    took_ms,
    lag: { lag_p50: ms(lag.percentile(50)), lag_p99: ms(lag.percentile(99)), lag_max: ms(lag.max) },
    result,
  }
}

async function large(): Promise<void> {
  const path = join(directory, 'large.log')
  let position = { seq: 0, hash: '0'.repeat(64) }
  const lines: string[] = []
  for (let i = 0; i < records; i += 1) {
    const record = recordAfter(
      position,
      { ...entry, object: `timer.set/${i}` },
      NODE,
      '2026-01-02T03:04:05.678Z',
    )
    lines.push(`${lineOf(record)}\n`)
    position = record
  }
  writeFileSync(path, lines.join(''))
  lines.length = 0
  const size_mb = Math.round(statSync(path).size / 1e6)
  const opened = await withLag(() => openAudit(disk, clock, path, NODE))
  say('open a large log', { records, size_mb, took_ms: opened.took_ms, ...opened.lag })
  const audit = opened.result
  for (let round = 0; round < 3; round += 1) {
    const { took_ms, lag, result } = await withLag(() => audit.verify())
    say('check a large log', { ok: result.ok, records, size_mb, took_ms, ...lag })
  }
  const list = await withLag(() => audit.list({ limit: 50 }))
  say('list the newest 50', { records, took_ms: list.took_ms, ...list.lag })
  const rare = await withLag(() => audit.list({ what: 'household', limit: 50 }))
  say('list what there is none of', { records, took_ms: rare.took_ms, ...rare.lag })
}

try {
  await appends()
  await large()
} finally {
  rmSync(directory, { recursive: true })
}
