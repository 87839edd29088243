import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SkillCall } from '../../src/skills/call.ts'
import type { Skills } from '../../src/skills/index.ts'
import { ATTACKS } from '../skills/attacks.ts'
import { moduleOf, writeSkill } from '../skills/hostile.ts'
import { callSkill, houseSkills, SKILLS_FOLDER } from '../skills/house-skills.ts'

/** Who fails is stopped and started again, alone; a sandbox process has no rights. What attacks do is in skill-attacks.test.ts. */

const root = mkdtempSync(join(tmpdir(), 'loqa-hostile-'))
let skills: Skills

const call: SkillCall = {
  entry: 'handle',
  input: '{"intent":"clock.time","slots":{},"room":"kitchen","session":"s","confirmed":false}',
  storage: { key: 'value' },
  timers: {},
  time: { wall_ms: Date.UTC(2026, 10, 21, 16, 10), offset_min: 0 },
  seed: 1,
}

beforeAll(async () => {
  // Zone 1, the node's own process: they sit right beside the clock, which makes it hardest for it.
  for (const name of ['traps', 'grows-its-memory', 'loops-for-ever']) {
    writeSkill(root, name, ATTACKS[name]!.module, { zone: 1, call_ms: 2_000 })
  }
  writeSkill(root, 'loops-alone', moduleOf([], '(loop $again (br $again)) (i32.const 0)'), { call_ms: 50 })
  cpSync(join(SKILLS_FOLDER, 'clock'), join(root, 'clock'), { recursive: true })
  skills = await houseSkills([root])
  skills.start()
  await expectClockWorks()
})
afterAll(() => {
  skills.stop()
  rmSync(root, { recursive: true, force: true })
})

async function expectClockWorks(): Promise<void> {
  const outcome = await callSkill(skills, 'clock', call, 15_000)
  expect(outcome).toMatchObject({
    ok: true,
    result: { answer: { speech: 'It is ten past four in the afternoon.' } },
  })
}

describe('a skill that', () => {
  it('fails five times is switched off, until somebody switches it on', async () => {
    skills.enable('traps')
    for (let time = 0; time < 5; time += 1) {
      expect(await callSkill(skills, 'traps', call, 15_000)).toMatchObject({
        error: { code: 'skill-trapped' },
      })
    }
    expect(await callSkill(skills, 'traps', call)).toMatchObject({ error: { code: 'skill-disabled' } })
    expect(skills.list().find(({ name }) => name === 'traps')).toMatchObject({ state: 'disabled' })
    skills.enable('traps')
    expect(await callSkill(skills, 'traps', call, 15_000)).toMatchObject({ error: { code: 'skill-trapped' } })
    await expectClockWorks()
  })

  it('is killed again and again leaves nothing behind', { timeout: 60_000 }, async () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length
    expect(await callSkill(skills, 'loops-alone', call, 15_000)).toMatchObject({
      error: { code: 'skill-timeout' },
    })
    const before = descriptors()
    for (let time = 0; time < 12; time += 1) {
      skills.enable('loops-alone')
      expect(await callSkill(skills, 'loops-alone', call, 15_000)).toMatchObject({
        error: { code: 'skill-timeout' },
      })
    }
    await expectClockWorks()
    // Pipes of a killed process close when its end is noticed, which on a busy machine is a moment later;
    // a leak stays. One process' three pipes may be open or not at any moment, before and now.
    await expect.poll(() => descriptors() - before, { timeout: 10_000 }).toBeLessThanOrEqual(3)
  })
})

describe('the process of a skill', () => {
  it('has no environment, reads no files but its own, and compiles nothing from text', () => {
    const pid = skills.port.sandboxOf('clock')?.pid
    const words = (file: string): string[] =>
      readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').filter(Boolean)
    expect(words('environ')).toEqual([])
    const flags = words('cmdline').slice(1, -1)
    expect(flags).toContain('--permission')
    expect(flags).toContain('--disallow-code-generation-from-strings')
    const readable = flags.filter((flag) => flag.startsWith('--allow'))
    // Its own program, and the interpreter of scripts.
    const own = /^--allow-fs-read=.*\/dist\/\*$/
    for (const flag of readable) expect(flag).toMatch(own)
  })
})

describe('a call', () => {
  it('gives the same for the same, whatever ran before', async () => {
    const first = await callSkill(skills, 'clock', call, 15_000)
    await callSkill(skills, 'grows-its-memory', call, 15_000)
    expect(await callSkill(skills, 'clock', call, 15_000)).toEqual(first)
  })

  it('that nobody waits for any more is answered to nobody', async () => {
    skills.enable('loops-for-ever')
    const answers: unknown[] = []
    const actor = { address: 'loqa:/skill/x' as never, incarnation: 1 }
    const effect = {
      type: 'invoke',
      id: 'gone' as never,
      to: 'loops-for-ever',
      op: 'call',
      body: call,
    } as const
    skills.port.request(effect, (outcome) => answers.push(outcome), actor)
    skills.port.actorGone(actor)
    await expectClockWorks()
    expect(answers).toEqual([])
  })
})
