/** One skill written twice, as a module and as a script: both runtimes give the same answers, the same changes, the same faults. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../../sdk/compile.ts'
import type { CallOutcome, SkillCall } from '../../src/skills/call.ts'
import type { Skills } from '../../src/skills/index.ts'
import { HOST_FUNCTIONS, PERMISSIONS } from '../../src/skills/permissions.ts'
import { SIGNATURES } from '../../src/skills/sandbox/runner/script-host.ts'
import { houseSkills, PATIENT_MS } from '../skills/house-skills.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const source = (file: string): string => readFileSync(`${ROOT}test/skills/runtimes/${file}`, 'utf8')

const RUNTIMES = ['module', 'script'] as const
type RuntimeName = (typeof RUNTIMES)[number]

let root: string
let skills: Skills

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'loqa-runtimes-'))
  const module = await compile({
    ...{ base: root, main: 'index.ts', source: source('probe.assembly') },
    ...{ kit: `${ROOT}sdk/assemblyscript/`, quick: true },
  })
  write('module', 'module.wasm', module)
  write('script', 'script.ts', source('probe.ts'))
  write('bare', 'bare.ts', source('probe.ts'), [])
  write('wrong', 'wrong.ts', 'export function handle( { return 1 }')
  write(
    'enums',
    'enums.ts',
    'enum Colour { Red }\nexport function handle() { return { speech: String(Colour.Red) } }',
  )
  write(
    'files',
    'files.ts',
    "import { readFileSync } from 'node:fs'\nexport const handle = () => readFileSync('/etc/passwd')",
  )
  write('hostile', 'hostile.ts', HOSTILE)
  skills = await houseSkills([join(root, 'none'), root])
  expect(skills.catalogue.unusable).toEqual([])
})
afterAll(() => {
  skills.stop()
  rmSync(root, { recursive: true, force: true })
})

function write(
  name: string,
  file: string,
  text: string | Uint8Array,
  permissions: readonly string[] = PERMISSIONS,
): void {
  const asks = permissions.map((use) => `  - { use: ${use}, why: test }`).join('\n')
  const manifest = [
    ...[`name: ${name}`, 'version: 1.0.0', 'publisher: test', 'licence: MIT', 'summary: Tests.', 'zone: 3'],
    `module: ${file}`,
    permissions.length === 0 ? 'permissions: []' : `permissions:\n${asks}`,
    'http: { hosts: [example.com] }',
    'topics: { publish: [cat.came], subscribe: [] }',
    'config: { place: { type: string, default: Berlin, summary: Where. }, loud: { type: boolean, default: true, summary: How. } }',
    'budgets: { call_ms: 1000, memory_kb: 2048, host_calls: 64, storage_kb: 16 }',
    `intents: { ${name}.go: { templates: ["${name} go"] } }`,
  ]
  mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, name, 'skill.yaml'), manifest.join('\n'))
  writeFileSync(join(root, name, file), text)
}

const SLOTS = { word: 'tea', many: 3, list: ['a', 'b'] }

const callOf = (verb: string): SkillCall => ({
  entry: 'handle',
  input: JSON.stringify({
    intent: `x.${verb}`,
    slots: SLOTS,
    room: 'kitchen',
    session: 's1',
    confirmed: true,
  }),
  storage: { old: 'was', key: 'k' },
  timers: { tea: 90_000.5 },
  time: { wall_ms: Date.UTC(2026, 10, 30, 23, 10), offset_min: 60 },
  seed: 42,
  devices: [
    { id: 'lamp', name: 'lamp', room: 'office', kind: 'light', state: { on: true } },
    { id: 'heat', name: 'heating', room: '', kind: 'climate', state: { target: 20.5 } },
  ],
  personal: { name: 'Ben', old: 'x' },
  config: { place: 'Oslo', loud: true },
})

/** Past the port, which would fill in what this node has of devices and settings. */
async function call(skill: string, wanted: SkillCall): Promise<CallOutcome> {
  const sandbox = skills.port.sandboxOf(skill)!
  const outcome = await new Promise<CallOutcome>((done) => sandbox.call(skill, wanted, PATIENT_MS, done))
  skills.enable(skill)
  return outcome
}

/** What a skill says, what it changed; or the code it failed with. */
async function outcomeOf(runtime: RuntimeName | 'bare' | 'hostile', verb: string) {
  const outcome = await call(runtime, callOf(verb))
  return outcome.ok ? outcome.result : outcome.error.code
}

const VERBS = [
  'echo',
  'ask',
  'confirm',
  'silence',
  'long',
  'store',
  'full',
  'timers',
  'speak',
  'clock',
  'random',
  'devices',
  'outside',
  'personal',
  'config',
  'words',
  'nothing',
]

const FAULTS = {
  storm: 'skill-budget',
  loop: 'skill-timeout',
  deep: 'skill-trapped',
  trap: 'skill-trapped',
  much: 'skill-budget',
} as const

/** One after the other: of two skills that take turns, each call would start a process. */
const outcomes: Record<RuntimeName, Map<string, Awaited<ReturnType<typeof outcomeOf>>>> = {
  module: new Map(),
  script: new Map(),
}

describe('a module and a script', () => {
  beforeAll(async () => {
    for (const runtime of RUNTIMES) {
      for (const verb of [...VERBS, ...Object.keys(FAULTS), 'memory', 'ask']) {
        outcomes[runtime].set(verb, await outcomeOf(runtime, verb))
      }
    }
  })

  it.each(VERBS)('do the same when asked to %s', (verb) => {
    expect(outcomes.module.get(verb)).toHaveProperty('answer')
    expect(outcomes.script.get(verb)).toEqual(outcomes.module.get(verb))
  })

  it.each(Object.entries(FAULTS))('fail alike: %s is %s', (verb, fault) => {
    expect(outcomes.module.get(verb)).toBe(fault)
    expect(outcomes.script.get(verb)).toBe(fault)
  })

  it('cannot use more memory than they were granted', () => {
    expect(outcomes.module.get('memory')).toBe('skill-trapped')
    expect(outcomes.script.get('memory')).toBe('skill-budget')
  })

  it.each(RUNTIMES)('are told what rang and what was heard (%s)', async (runtime) => {
    const due = JSON.stringify({ timer: 'tea', late_ms: 12, missed: true })
    const rang = await call(runtime, { ...callOf(''), entry: 'due', input: due })
    expect(rang).toMatchObject({
      ok: true,
      result: { changes: [{ change: 'announce', speech: 'tea 12 missed' }] },
    })
    const about = { id: 'one', room: '', session: '' }
    for (const [told, speech] of [
      [{ of: 'http', ok: true, value: { status: 200, headers: {}, body: 'hello' } }, 'one http 200 hello'],
      [{ of: 'language', ok: true, value: { text: 'words' } }, 'one language 0 words'],
      [{ of: 'http', ok: false, error: { code: 'timeout', message: '' } }, 'one http timeout'],
    ] as const) {
      const heard = await call(runtime, {
        ...callOf(''),
        entry: 'heard',
        input: JSON.stringify({ ...about, ...told }),
      })
      expect(heard).toMatchObject({ ok: true, result: { changes: [{ change: 'announce', speech }] } })
    }
  })

  it('have the same functions: every one a permission grants can be called from a script', () => {
    const granted = Object.values(HOST_FUNCTIONS).flat()
    expect(granted.filter((name) => SIGNATURES[name] === undefined)).toEqual([])
  })
})

describe('a script', () => {
  it('that was granted nothing does nothing, and says what it lacks', async () => {
    const outcome = await call('bare', callOf('store'))
    expect(outcome).toMatchObject({ ok: false, error: { code: 'skill-trapped' } })
    expect(JSON.stringify(outcome)).toContain('permission \\"storage\\" was not granted')
    expect(await outcomeOf('bare', 'ask')).toHaveProperty('answer')
  })

  it.each([
    ['wrong', 'Expected'],
    ['enums', 'enum'],
  ])('that is not TypeScript which can run is refused (%s)', async (name, why) => {
    const outcome = await call(name, callOf(''))
    expect(outcome).toMatchObject({ ok: false, error: { code: 'skill-refused' } })
    expect(JSON.stringify(outcome)).toContain(why)
  })

  it('imports the kit alone', async () => {
    const outcome = await call('files', callOf(''))
    expect(JSON.stringify(outcome)).toContain("a skill imports 'loqa' alone")
  })

  it.each([
    'authority',
    'leftover',
    'keeps',
    'chance',
    'catches-all',
    'regular',
    'proxy',
    'promises',
    'text',
    'many-strings',
  ])('cannot %s', async (verb) => {
    const outcome = await outcomeOf('hostile', verb)
    const expected = HOSTILE_OUTCOMES[verb]!
    if (expected.startsWith('skill-')) expect(expected.split(' ')).toContain(outcome)
    else expect(outcome).toMatchObject({ answer: { speech: expected } })
    expect(await outcomeOf('hostile', 'fine')).toMatchObject({ answer: { speech: 'fine' } })
  })
})

/** What each attack comes to; of two bounds the one it meets first, which on a busy machine is the time. */
const HOSTILE_OUTCOMES: Readonly<Record<string, string>> = {
  authority: 'none',
  leftover: 'nothing left',
  keeps: 'fresh',
  chance: 'skill-trapped',
  'catches-all': 'skill-timeout',
  regular: 'skill-timeout',
  proxy: 'skill-trapped',
  promises: 'skill-trapped',
  text: 'skill-answer',
  'many-strings': 'skill-budget skill-timeout',
}

const HOSTILE = `
import { say, storage } from 'loqa'
const attacks: Record<string, () => any> = {
  fine: () => say('fine'),
  // Nothing of a machine is there; code from text is code of the same script.
  authority() {
    const names = ['process', 'require', 'fetch', 'XMLHttpRequest', 'WebAssembly', 'Worker', 'setTimeout', 'std', 'os', 'loqa_host', 'loqa_now', 'performance']
    const found = names.filter((name) => (globalThis as any)[name] !== undefined)
    const made = new Function('return typeof process + typeof require')()
    return say(found.length === 0 && made === 'undefinedundefined' ? 'none' : found.join(' '))
  },
  // The time is the call's, whatever way it is asked for.
  leftover() {
    const Again = (new Date(0) as any).constructor
    const same = Again.now() === Date.now() && new Again().getTime() === Date.now()
    return say(same && Date.now() === ${Date.UTC(2026, 10, 30, 23, 10)} ? 'nothing left' : 'leaks')
  },
  keeps() {
    const before = (globalThis as any).kept
    ;(globalThis as any).kept = 1
    ;(Array.prototype as any).kept = 1
    return say(before === undefined ? 'fresh' : 'kept')
  },
  chance: () => say(String(Math.random())),
  'catches-all'() {
    for (;;) { try { for (;;); } catch { /* again */ } }
  },
  regular: () => say(String(/^(a+)+$/.test('a'.repeat(60) + 'b'))),
  proxy: () => new Proxy({}, { get: () => () => 7, ownKeys: () => ['speech'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) }),
  promises: () => Promise.resolve(say('later')),
  text: () => ({ speech: 7 }),
  'many-strings'() {
    const all: string[] = []
    for (let i = 0; ; i += 1) all.push('x'.repeat(50000) + i)
  },
}
export const handle = ({ verb }: { verb: string }) => attacks[verb]!()
export const due = () => say('')
export const heard = () => say('')
`
