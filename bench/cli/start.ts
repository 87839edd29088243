/**
 * How long a person waits for the first word of a command: from starting the process to its end, through the same launcher
 * a person uses.
 *
 * Run: node bench/cli/start.ts [--rounds N]   (prints one JSON line per command; bare is the floor: Node itself)
 */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)
/** The first runs fill the cache of compiled code. */
const WARM_UP = 3

const commands: readonly (readonly [string, readonly string[]])[] = [
  ['bare', [process.execPath, '-e', '0']],
  ['loqa --help', [`${ROOT}/bin/loqa`, '--help']],
  ['loqa-node --help', [`${ROOT}/bin/loqa-node`, '--help']],
  ['loqa version', [`${ROOT}/bin/loqa`, 'version']],
  ['loqa config check', [`${ROOT}/bin/loqa`, 'config', 'check']],
]

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!

const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD']).toString().trim()
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`

for (const [name, [program, ...args]] of commands) {
  const times: number[] = []
  for (let round = -WARM_UP; round < rounds; round++) {
    const begin = performance.now()
    execFileSync(program!, args, { stdio: 'ignore', timeout: 20_000 })
    if (round >= 0) times.push(performance.now() - begin)
  }
  times.sort((one, other) => one - other)
  const [p50_ms, p90_ms, p99_ms] = [0.5, 0.9, 0.99].map((share) => Math.round(at(times, share) * 10) / 10)
  const [min_ms] = times.map((time) => Math.round(time * 10) / 10)
  console.log(
    JSON.stringify({
      bench: 'cli/start',
      command: name,
      p50_ms,
      p90_ms,
      p99_ms,
      min_ms,
      n: rounds,
      warm_up: WARM_UP,
      machine,
      commit,
    }),
  )
}
