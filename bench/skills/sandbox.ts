/**
 * What a sandbox costs, beside what it could cost: `node bench/skills/sandbox.ts`. Processes run the bundled runner, as an
 * installed node does, behind the best fence of this machine.
 *
 * Bars: a warm call ≤ 60 µs at the median, a host call ≤ 200 µs, a cold start ≤ 100 ms, 30 idle skills ≤ 150 MB in all (resident
 * memory of their processes as `ps` counts it, what they share counted once for each).
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../../bin/bundle.ts'
import { realHost } from '../../src/host/real.ts'
import type { SkillCall } from '../../src/skills/call.ts'
import { loadCatalogue, type Skill } from '../../src/skills/index.ts'
import { InvokePort } from '../../src/skills/port.ts'
import { describeFence, type Fence, NO_FENCE } from '../../src/skills/sandbox/fence.ts'
import { findFence, processStarter } from '../../src/skills/sandbox/process.ts'
import { callSkill, SKILLS_FOLDER } from '../../test/skills/house-skills.ts'
import { HOST_CALLS } from './counts.ts'
import { percentiles, print } from './measure.ts'

const WARM_UP = 1_000
const CALLS = 5_000
const STARTS = 20
const PATIENT_MS = 15_000
/** Longer than an idle process stays. */
const IDLE_MS = 32_000

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'loqa-bench-'))
const house = join(root, 'house')
const others = join(root, 'others')

const callOf = (intent: string, slots = {}, storage: SkillCall['storage'] = {}): SkillCall => ({
  entry: 'handle',
  input: JSON.stringify({ intent, slots, room: 'kitchen', session: 's', confirmed: false }),
  storage,
  timers: {},
  time: { wall_ms: Date.UTC(2026, 10, 21, 16, 10), offset_min: 0 },
  seed: 1,
})
const ECHO = callOf('echo.go')
const large = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`note/${index}`, 'x'.repeat(250)]))

async function elapsed_ms(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Microseconds of each of many calls, the first ones left out. */
async function series_us(work: () => unknown): Promise<number[]> {
  for (let index = 0; index < WARM_UP; index += 1) await work()
  const series: number[] = []
  for (let index = 0; index < CALLS; index += 1) series.push((await elapsed_ms(work)) * 1_000)
  return series
}

/** The bar is part of the line: who reads it need not look it up. */
const judged = (name: string, series: readonly number[], most?: number): ReturnType<typeof percentiles> => {
  const values = percentiles(series)
  print(name, { ...values, ...(most !== undefined && { bar: most, holds: values.p50 <= most }) })
  return values
}

async function portWith(folders: readonly string[], fence: Fence): Promise<InvokePort> {
  const start = processStarter(fence, { file: `${DIST}skills.js`, folder: DIST })
  const port = new InvokePort(
    realHost().clock,
    { charged: () => undefined, ended: () => undefined },
    { start },
  )
  for (const skill of (await loadCatalogue(realHost().disk, folders)).skills) port.install(skill)
  return port
}

async function call(port: InvokePort, skill: string, order = ECHO): Promise<void> {
  const outcome = await callSkill({ port } as never, skill, order, PATIENT_MS)
  if (!outcome.ok) throw new Error(outcome.error.message)
}

// — skills to measure with —

await bundle(DIST)
for (const name of readdirSync(SKILLS_FOLDER))
  cpSync(join(SKILLS_FOLDER, name), join(house, name), { recursive: true })
execFileSync(process.execPath, [fileURLToPath(new URL('./modules.ts', import.meta.url)), root])
const echo = readFileSync(join(root, 'echo.wasm'))

const fence = await findFence()
console.log(JSON.stringify({ fence: describeFence(fence) }))

// — what a call costs without a sandbox, and what the way to a process costs —

const bare = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(root, 'bare.wasm')))).exports
  .handle as () => number
judged('skills/call direct WebAssembly, µs', await series_us(() => void bare()))

try {
  const { default: createPlugin } = (await import('@extism/extism' as string)) as {
    default: (
      wasm: object,
      options: object,
    ) => Promise<{ call(name: string, input: string): Promise<unknown> }>
  }
  const plugin = await createPlugin({ wasm: [{ data: echo }] }, { useWasi: false })
  judged('skills/call in-process Extism, µs', await series_us(() => plugin.call('handle', ECHO.input)))
} catch (error) {
  print('skills/call in-process Extism, µs', {
    missing: 'npm install --save-dev @extism/extism',
    why: (error as { code?: string }).code ?? String(error),
  })
}

/** Reads and writes back, as the runner does, and nothing else: the least a call into another process can take here. */
const plain = spawn(
  process.execPath,
  [
    '--eval',
    'const fs = require("node:fs"); const b = Buffer.alloc(65536); for (;;) fs.writeSync(1, b, 0, fs.readSync(0, b))',
  ],
  { stdio: ['pipe', 'pipe', 'ignore'] },
)
let answered: () => void = () => undefined
plain.stdout.on('data', () => answered())
const frame = Buffer.from(JSON.stringify({ order: 'call', skill: 'echo', call: ECHO }))
const floor = judged(
  'skills/a process that writes back what it reads, µs',
  await series_us(() => {
    const { promise, resolve } = Promise.withResolvers<void>()
    answered = resolve
    plain.stdin.write(frame)
    return promise
  }),
)
plain.kill()

// — calls —

const port = await portWith([house, others], fence)
port.warm()
const warm = judged('skills/warm call, µs', await series_us(() => call(port, 'echo')), 60)
print('skills/warm call beyond the way to a process and back, µs', { p50: warm.p50 - floor.p50 })
judged('skills/warm call clock.time, µs', await series_us(() => call(port, 'clock', callOf('clock.time'))))
const timer = callOf('timer.set', { duration: 300 })
judged('skills/warm call timer.set, µs', await series_us(() => call(port, 'timer', timer)))
judged(
  'skills/warm call timer.set with 10 KiB of state, µs',
  await series_us(() => call(port, 'timer', { ...timer, storage: large })),
)
const asked = percentiles(await series_us(() => call(port, 'asking')))
const each = Math.max(0, asked.p50 - warm.p50) / HOST_CALLS
print('skills/host call on state, µs', { p50: Number(each.toPrecision(3)), bar: 200, holds: each <= 200 })
const twice = await series_us(async () => {
  await call(port, 'echo')
  await call(port, 'echo')
})
judged('skills/host call whose result is heard (a call, and one with the result), µs', twice, 200)

// — starts —

async function starts_ms(behind: Fence, spare: boolean): Promise<number[]> {
  const series: number[] = []
  const started = await portWith([others], behind)
  if (spare) started.warm()
  for (let index = 0; index < STARTS; index += 1) {
    // Another skill each time; the one before is idle, and its process ends for this one's.
    if (spare) await new Promise((done) => setTimeout(done, 700))
    series.push(await elapsed_ms(() => call(started, `other-${index}`)))
  }
  started.stop()
  return series
}
judged('skills/cold start to first answer, ms', await starts_ms(fence, true), 100)
judged('skills/cold start without a spare process, ms', await starts_ms(fence, false), 100)
judged('skills/cold start without a spare process, no fence, ms', await starts_ms(NO_FENCE, false), 100)

const kills: number[] = []
for (let round = 0; round < 10; round += 1) {
  port.sandboxOf('loops')?.enable('loops')
  kills.push(await elapsed_ms(() => call(port, 'loops').catch(() => undefined)))
}
judged('skills/loop with a budget of 100 ms, process started for it, ms', kills)
port.stop()

// — memory —

const children = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
const family = (pid: number): number[] => [pid, ...children(pid).flatMap(family)]

function memory_mb(pids: readonly number[]) {
  const sum = (field: string): number =>
    pids.reduce((total, pid) => {
      const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(
        readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'),
      )!
      return total + Number(kilobytes) / 1_024
    }, 0)
  return { rss_mb: Math.round(sum('Rss')), pss_mb: Math.round(sum('Pss')) }
}

const idle = await portWith([house, others], fence)
idle.warm()
const names = (skills: readonly Skill[]): string[] => skills.map(({ manifest }) => manifest.name)
const installed = names((await loadCatalogue(realHost().disk, [house, others])).skills).filter((name) =>
  /^(shipped|other)-/.test(name),
)
for (const name of installed) await call(idle, name)
const looked = (when: string, bar?: number): void => {
  const total = memory_mb(idle.pids.flatMap(({ pid }) => family(pid)))
  print(`skills/${installed.length} idle skills, ${when}, all their processes`, {
    processes: idle.pids.map(({ of, pid }) => ({ of, ...memory_mb(family(pid)) })),
    ...total,
    ...(bar !== undefined && { bar, holds: total.rss_mb <= bar }),
  })
}
await new Promise((done) => setTimeout(done, 1_500))
looked('all called a moment ago')
await new Promise((done) => setTimeout(done, IDLE_MS))
looked('half a minute after', 150)
idle.stop()
rmSync(root, { recursive: true, force: true })
