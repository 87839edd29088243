import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SkillCall } from '../../src/skills/call.ts'
import type { Skills } from '../../src/skills/index.ts'
import { assemble, moduleOf, saying, writeSkill } from '../skills/hostile.ts'
import { callSkill, houseSkills, SKILLS_FOLDER } from '../skills/house-skills.ts'

/** Whatever a skill does, its call fails with the right words, the node's memory stays, and other skills go on. */

const forever = (body: string): string => `(loop $again ${body} (br $again)) (i32.const 0)`

const ATTACKS: Readonly<
  Record<string, { code: string; module: Uint8Array; permissions?: readonly string[] }>
> = {
  'loops-for-ever': { code: 'skill-timeout', module: moduleOf([], forever('')) },
  'loops-in-its-start': {
    code: 'skill-timeout',
    module: moduleOf(
      [],
      '(i32.const 0)',
      '(memory 1) (func $start (loop $again (br $again))) (start $start)',
    ),
  },
  'grows-its-memory': {
    code: 'skill-trapped',
    module: moduleOf(
      [],
      `(loop $again
         (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
         (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536)))
         (br $again))
       (i32.const 0)`,
    ),
  },
  'grows-its-table': {
    code: 'skill-trapped',
    module: moduleOf(
      [],
      `(loop $again
         (if (i32.eq (table.grow $t (ref.null func) (i32.const 4096)) (i32.const -1)) (then (unreachable)))
         (br $again))
       (i32.const 0)`,
      '(memory 1) (table $t 1 funcref)',
    ),
  },
  'allocates-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], forever('(drop (call $alloc (i64.const 65536)))')),
  },
  'allocates-nothing-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], forever('(drop (call $alloc (i64.const 0)))')),
  },
  'allocates-and-frees-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['alloc', 'free'], forever('(call $free (call $alloc (i64.const 1)))')),
  },
  'allocates-it-all': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], '(drop (call $alloc (i64.const 0x7fffffffffffffff))) (i32.const 0)'),
  },
  'allocates-less-than-nothing': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], '(drop (call $alloc (i64.const -1))) (i32.const 0)'),
  },
  traps: { code: 'skill-trapped', module: moduleOf([], '(unreachable)') },
  divides: { code: 'skill-trapped', module: moduleOf([], '(i32.div_u (i32.const 1) (i32.const 0))') },
  'leaves-its-memory': { code: 'skill-trapped', module: moduleOf([], '(i32.load (i32.const -4))') },
  recurses: {
    code: 'skill-trapped',
    module: moduleOf(
      [],
      '(call $deeper) (i32.const 0)',
      '(memory 1) (func $deeper (call $deeper) (call $deeper))',
    ),
  },
  'says-too-much': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'output_set'],
      '(call $output_set (call $alloc (i64.const 500000)) (i64.const 500000)) (i32.const 0)',
    ),
  },
  'says-what-lies-outside': {
    code: 'skill-trapped',
    module: moduleOf(['output_set'], '(call $output_set (i64.const 8) (i64.const 4000)) (i32.const 0)'),
  },
  'says-no-json': { code: 'skill-answer', module: saying('{"speech":') },
  'says-no-answer': { code: 'skill-answer', module: saying('{"speech":["a"],"evil":true}') },
  'fails-by-itself': { code: 'skill-trapped', module: moduleOf([], '(i32.const 3)') },
  'storms-its-host': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'storage_get'],
      `(local $k i64) (local.set $k (call $alloc (i64.const 1)))
      ${forever('(drop (call $storage_get (local.get $k)))')}`,
    ),
  },
  'lists-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['storage_list'], forever('(drop (call $storage_list (i64.const 0)))')),
  },
  'logs-for-ever': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'log_info'],
      `(local $k i64) (local.set $k (call $alloc (i64.const 100)))
      ${forever('(call $log_info (local.get $k))')}`,
    ),
  },
  'fills-variables': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'var_set'],
      forever('(call $var_set (call $alloc (i64.const 8)) (call $alloc (i64.const 9000)))'),
    ),
  },
  'reads-far-away': {
    code: 'skill-trapped',
    module: moduleOf(['load_u8'], '(call $load_u8 (i64.const 0x7fffffffffffffff))'),
  },
  'reads-before-the-start': {
    code: 'skill-trapped',
    module: moduleOf(['load_u8'], '(call $load_u8 (i64.const -1))'),
  },
  'reads-over-the-edge': {
    code: 'skill-trapped',
    module: moduleOf(
      ['alloc', 'load_u64'],
      '(drop (call $load_u64 (i64.add (call $alloc (i64.const 8)) (i64.const 1)))) (i32.const 0)',
    ),
  },
  'reads-beyond-its-input': {
    code: 'skill-trapped',
    module: moduleOf(['input_load_u8'], '(call $input_load_u8 (i64.const 1000000))'),
  },
  'writes-far-away': {
    code: 'skill-trapped',
    module: moduleOf(
      ['store_u64'],
      '(call $store_u64 (i64.const 0x10000000000) (i64.const 1)) (i32.const 0)',
    ),
  },
  'names-no-block': {
    code: 'skill-trapped',
    module: moduleOf(['storage_get'], '(drop (call $storage_get (i64.const 12345))) (i32.const 0)'),
  },
  'writes-no-text': {
    code: 'skill-answer',
    module: moduleOf(
      ['alloc', 'store_u8', 'storage_get'],
      `(local $k i64) (local.set $k (call $alloc (i64.const 1)))
       (call $store_u8 (local.get $k) (i32.const 255))
       (drop (call $storage_get (local.get $k))) (i32.const 0)`,
    ),
  },
  'compiles-to-nothing': {
    code: 'skill-refused',
    // A body that does not type-check: the walk over the sections cannot see it, the engine does.
    module: Uint8Array.from([
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 10, 1, 6, 0x68, 0x61, 0x6e,
      0x64, 0x6c, 0x65, 0, 0, 10, 5, 1, 3, 0, 0x6a, 0x0b,
    ]),
  },
}

const REFUSED: Readonly<
  Record<string, { why: string; module: Uint8Array; permissions?: readonly string[] }>
> = {
  'wants-the-web': { why: 'http_request', module: moduleOf(['http_request'], '(i32.const 0)') },
  'wants-timers': { why: 'timer_set', module: moduleOf(['timer_set'], '(i32.const 0)') },
  'wants-the-system': {
    why: 'wasi_snapshot_preview1.fd_write',
    module: assemble(
      '(module (import "wasi_snapshot_preview1" "fd_write" (func)) (func (export "handle") (result i32) (i32.const 0)))',
    ),
  },
  'wants-a-memory': {
    why: 'not a function',
    module: assemble(
      '(module (import "extism:host/env" "alloc" (memory 1)) (func (export "handle") (result i32) (i32.const 0)))',
    ),
  },
  'wants-too-much-memory': { why: '65536 KiB', module: moduleOf([], '(i32.const 0)', '(memory 1024)') },
  'wants-two-memories': {
    why: 'more than one memory',
    module: moduleOf([], '(i32.const 0)', '(memory $a 1) (memory $b 1)'),
  },
  'wants-a-large-table': {
    why: 'table',
    module: moduleOf([], '(i32.const 0)', '(memory 1) (table 1000000 funcref)'),
  },
  'has-no-entry': { why: 'handle', module: assemble('(module (memory 1))') },
  'is-no-module': {
    why: 'not a WebAssembly module',
    module: new TextEncoder().encode('#!/bin/sh\nrm -rf /\n'),
  },
  'is-empty': { why: 'not a WebAssembly module', module: new Uint8Array() },
  'is-cut-off': { why: 'cut off', module: moduleOf([], '(i32.const 0)').subarray(0, 30) },
}

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
  // Zone 1, the node's own process: the attackers sit right beside the clock, which makes it hardest for it.
  for (const [name, { code, module }] of Object.entries(ATTACKS)) {
    // On a busy machine the other limits must be reached before this one.
    const call_ms = code === 'skill-timeout' ? 200 : 2_000
    writeSkill(root, name, module, { zone: 1, call_ms })
  }
  for (const [name, { module }] of Object.entries(REFUSED)) writeSkill(root, name, module)
  writeSkill(root, 'loops-alone', moduleOf([], forever('')), { call_ms: 50 })
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

const rss_mb = (): number => process.memoryUsage().rss / 1024 / 1024

describe('a skill that', () => {
  it.each(Object.entries(ATTACKS))('%s fails alone', async (name, { code }) => {
    const before_mb = rss_mb()
    const attack = callSkill(skills, name, call, 15_000)
    const beside = expectClockWorks()
    expect(await attack).toMatchObject({ ok: false, error: { code } })
    await beside
    expect(rss_mb() - before_mb).toBeLessThan(24)
  })

  it.each(Object.entries(REFUSED))('%s is never loaded', async (name, { why }) => {
    const row = skills.list().find((skill) => skill.name === name)
    expect(row).toMatchObject({ state: 'unusable', problem: expect.stringContaining(why) })
    expect(await callSkill(skills, name, call)).toMatchObject({ ok: false, error: { code: 'skill-refused' } })
  })

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
    // One process' three pipes may be open or not at this moment.
    expect(descriptors() - before).toBeLessThanOrEqual(3)
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
    expect(readable).toEqual([expect.stringMatching(/^--allow-fs-read=.*\/src\/skills\/\*$/)])
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
