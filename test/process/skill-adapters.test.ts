/**
 * Native adapters, as real programs behind the real fence. Promised of one: it is called like any other skill, gets nothing of the machine, the
 * network or the house, is judged by the same rules and ends at its deadline; and where no fence works it does not run, in words.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Skill, skillOf } from '../../src/skills/catalogue.ts'
import { readManifest } from '../../src/skills/manifest/index.ts'
import { adapterProblem } from '../../src/skills/native.ts'
import { NO_FENCE } from '../../src/skills/sandbox/fence.ts'
import { findFence } from '../../src/skills/sandbox/process.ts'
import { houseSkills } from '../skills/house-skills.ts'
import { builtAdapter } from './adapters/adapter.ts'
import { attack, REACHING } from './adapters/attacks.ts'
import { openHouse, type TestHouse } from './house.ts'

const root = mkdtempSync(join(tmpdir(), 'loqa-adapters-'))
const program = builtAdapter(join(root, 'adapter'))
const fence = await findFence()
const holds = program !== undefined && adapterProblem(program, fence, process.arch) === undefined

afterAll(() => rmSync(root, { recursive: true, force: true }))

const manifestOf = (name: string, call_ms: number): string =>
  [
    ...[`name: ${name}`, 'version: 1.0.0', 'publisher: test', 'licence: MIT', 'summary: Tests.', 'zone: 3'],
    ...['runtime: native', 'module: adapter', 'permissions: [{ use: storage, why: test }]'],
    `budgets: { call_ms: ${call_ms}, memory_kb: 16384, host_calls: 64, storage_kb: 16 }`,
    `intents: { ${name}.go: { templates: ["${name} go"] } }`,
  ].join('\n')

function adapter(name: string, call_ms = 2_000): Skill {
  const { manifest, source } = readManifest(manifestOf(name, call_ms), `${name}/skill.yaml`)
  return skillOf({ manifest, source, module: program!, folder: name })
}

describe.skipIf(!holds)('a native adapter (needs bubblewrap, a C compiler)', () => {
  let house: TestHouse
  let server: Server
  let visits = 0

  beforeAll(async () => {
    server = createServer(() => {
      visits += 1
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    house = await openHouse(join(root, 'data'), ['', join(root, 'none')])
    await house.skills.swap(adapter('tool'))
    await house.skills.swap(adapter('slow', 500))
  }, 60_000)
  afterAll(async () => {
    await house.stop()
    server.close()
  })

  const call = (name: string, what: string) => attack(house.skills, name, what, server, root)

  it('answers, and stores what it was granted', async () => {
    expect(await call('tool', 'echo')).toMatchObject({ answer: { speech: 'I am here' } })
    expect(await call('tool', 'stores')).toMatchObject({ changes: [{ change: 'put', key: 'a', value: 'b' }] })
    expect(house.skills.list().find(({ name }) => name === 'tool')).toMatchObject({ state: 'ready', zone: 3 })
  })

  it.each([...REACHING, ...['starts-a-thread', 'hides-memory', 'hoards', 'raises-its-priority']])(
    '%s and reaches nothing',
    async (what) => {
      expect(await call('tool', what)).toMatchObject({
        answer: { speech: expect.stringMatching(/^refused /) },
      })
      expect(visits).toBe(0)
    },
  )

  it.each([
    ['leaves', 'skill-crashed'],
    ['crashes', 'skill-crashed'],
    ['loops', 'skill-timeout'],
    ['says-nothing', 'skill-timeout'],
    ['cries-for-ever', 'skill-timeout'],
    ['speaks-noise', 'skill-escape'],
    ['speaks-without-permission', 'skill-escape'],
    ['commands-a-lock', 'skill-escape'],
    ['stores-without-measure', 'skill-escape'],
    ['claims-to-be-ready-again', 'skill-escape'],
  ])('%s ends with %s', async (attack, code) => {
    expect(await call('slow', attack)).toMatchObject({ code })
    if (code === 'skill-escape') {
      expect(await call('slow', 'echo')).toMatchObject({ code: 'skill-disabled' })
      const records = await house.audit.list({ what: 'skill.stopped', limit: 100 })
      expect(records.at(-1)).toMatchObject({ object: 'slow', outcome: 'escape: skill-escape' })
    }
    house.skills.enable('slow')
    expect(await call('slow', 'echo')).toMatchObject({ answer: { speech: 'I am here' } })
  })

  it('answers for two and is stopped', async () => {
    expect(await call('slow', 'answers-for-two')).toMatchObject({ answer: { speech: 'one' } })
    await expect.poll(() => house.skills.port.sandboxOf('slow')?.state.skills.slow?.stopped).toBe('escape')
  })
})

describe.skipIf(program === undefined)('a native adapter that may not run', () => {
  it.each([
    ['without a fence', NO_FENCE, process.arch, 'behind bubblewrap only'],
    [
      'behind a fence without a filter',
      { ...fence, filter: undefined },
      process.arch,
      'behind bubblewrap only',
    ],
    ['for another machine', fence, 'riscv64', 'this machine is riscv64'],
  ] as const)('%s is told of in words', (_, around, machine, words) => {
    const message = expect.stringContaining(words)
    expect(adapterProblem(program!, around, machine)).toMatchObject({ code: 'skill-runtime', message })
  })

  it('as text is refused', () => {
    const { manifest, source } = readManifest(manifestOf('text', 100), 'skill.yaml')
    const module = Buffer.from(`#!/bin/sh\n${'exec sh\n'.repeat(20)}`)
    expect(() => skillOf({ manifest, source, module, folder: '' })).toThrow(/no program/)
  })

  it('lies in a folder and is not loaded from there, whoever put it there', async () => {
    mkdirSync(join(root, 'skills/planted'), { recursive: true })
    writeFileSync(join(root, 'skills/planted/skill.yaml'), manifestOf('planted', 100))
    writeFileSync(join(root, 'skills/planted/adapter'), program!)
    const skills = await houseSkills(['', join(root, 'skills')])
    expect(skills.list()).toMatchObject([{ state: 'unusable', problem: expect.stringContaining('signed') }])
    skills.stop()
  })
})
