/**
 * What a sandbox costs: `node bench/skills/sandbox.ts`. Cold start of a process, one call by way of the port, the same
 * call inside this process without a sandbox for comparison, the kill of a loop, memory per process.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SkillCall } from '../../src/skills/call.ts'
import { HostCalls } from '../../src/skills/sandbox/hostcalls.ts'
import { bindImports } from '../../src/skills/sandbox/runner/bindings.ts'
import { Kernel } from '../../src/skills/sandbox/runner/kernel.ts'
import { moduleOf, writeSkill } from '../../test/skills/hostile.ts'
import { callSkill, houseSkills, SKILLS_FOLDER } from '../../test/skills/house-skills.ts'
import { percentiles, print } from './measure.ts'

const WARM_UP = 500
const CALLS = 5_000

const callOf = (
  intent: string,
  slots: Readonly<Record<string, unknown>>,
  storage: SkillCall['storage'],
): SkillCall => ({
  entry: 'handle',
  input: JSON.stringify({ intent, slots, room: 'kitchen', session: 's', confirmed: false }),
  storage,
  timers: {},
  time: { wall_ms: Date.UTC(2026, 10, 21, 16, 10), offset_min: 0 },
  seed: 1,
})

const large = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`note/${index}`, 'x'.repeat(250)]))
const CASES: Readonly<Record<string, SkillCall>> = {
  'clock.time': callOf('clock.time', {}, {}),
  'timer.set': callOf('timer.set', { duration: 300 }, {}),
  'timer.set, 10 KiB of state': callOf('timer.set', { duration: 300 }, large),
}

const root = mkdtempSync(join(tmpdir(), 'loqa-bench-'))
writeSkill(root, 'loops', moduleOf([], '(loop $again (br $again)) (i32.const 0)'), { call_ms: 100 })

async function elapsed_ms(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

const starts: number[] = []
for (let round = 0; round < 15; round += 1) {
  const skills = await houseSkills([SKILLS_FOLDER])
  starts.push(await elapsed_ms(() => callSkill(skills, 'clock', CASES['clock.time']!, 15_000)))
  skills.stop()
}
print('skills/cold start to first answer, ms', percentiles(starts))

const skills = await houseSkills([SKILLS_FOLDER, root])
for (const [name, call] of Object.entries(CASES)) {
  const skill = name.split('.')[0]!
  for (let index = 0; index < WARM_UP; index += 1) await callSkill(skills, skill, call)
  const series: number[] = []
  for (let index = 0; index < CALLS; index += 1) {
    series.push((await elapsed_ms(() => callSkill(skills, skill, call))) * 1_000)
  }
  print(`skills/call ${name}, µs`, percentiles(series))

  const installed = skills.catalogue.skills.find(({ manifest }) => manifest.name === skill)!
  const module = new WebAssembly.Module(installed.module.slice())
  const budget = installed.manifest.budgets
  const inside: number[] = []
  for (let index = 0; index < WARM_UP + CALLS; index += 1) {
    const start = performance.now()
    const host = new HostCalls(call, budget)
    const kernel = new Kernel(
      new TextEncoder().encode(call.input),
      budget.memory_kb * 1_024,
      budget.host_calls,
      () => undefined,
    )
    const instance = new WebAssembly.Instance(
      module,
      bindImports(kernel, host, installed.permissions, budget),
    )
    ;(instance.exports.handle as () => number)()
    if (index >= WARM_UP) inside.push((performance.now() - start) * 1_000)
  }
  print(`skills/same call without a process ${name}, µs`, percentiles(inside))
}

const kills: number[] = []
for (let round = 0; round < 20; round += 1) {
  skills.enable('loops')
  kills.push(await elapsed_ms(() => callSkill(skills, 'loops', CASES['clock.time']!, 15_000)))
}
print('skills/loop with a budget of 100 ms, process started for it, ms', percentiles(kills.slice(1)))

const pid = skills.port.sandboxOf('clock')?.pid
const status = pid === undefined ? '' : readFileSync(`/proc/${pid}/status`, 'utf8')
const kilobytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
print('skills/memory of the shared process, MB', {
  rss: kilobytes('VmRSS') / 1_024,
  anonymous: kilobytes('RssAnon') / 1_024,
})

skills.stop()
rmSync(root, { recursive: true, force: true })
