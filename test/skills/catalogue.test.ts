import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { loadCatalogue } from '../../src/skills/catalogue.ts'
import { readManifest } from '../../src/skills/manifest/index.ts'
import { moduleOf, saying, writeSkill } from './hostile.ts'
import { callSkill, houseSkills, SKILLS_FOLDER } from './house-skills.ts'

const { disk } = realHost()
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'loqa-catalogue-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const MODULE = moduleOf([], '(i32.const 0)')
const manifest = (change = ''): string =>
  `name: pet
version: 1.2.3
publisher: somebody
licence: MIT
summary: Feeds the pet.
zone: 2
module: pet.wasm
permissions: []
budgets: { call_ms: 100, memory_kb: 1024, host_calls: 8, storage_kb: 0 }
intents: { pet.feed: { templates: ["feed the pet"] } }
${change}`

const problemOf = (text: string): string => {
  try {
    readManifest(text, 'skill.yaml')
  } catch (thrown) {
    return String(thrown)
  }
  return 'accepted'
}

describe('the catalogue', () => {
  it('finds the skills that ship with the node', async () => {
    const { skills, unusable } = await loadCatalogue(disk, [SKILLS_FOLDER, join(root, 'skills')])
    expect(unusable).toEqual([])
    expect(skills.map(({ manifest: { name } }) => name)).toEqual(
      expect.arrayContaining(['clock', 'home', 'list', 'timer']),
    )
    for (const { sha256, source } of skills) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(source).toHaveProperty('intents')
    }
  })

  it('finds what a person added, and it works', async () => {
    writeSkill(root, 'pet', saying('{"speech":"Fed."}'))
    const skills = await houseSkills([SKILLS_FOLDER, root])
    const call = {
      entry: 'handle',
      input: '{}',
      storage: {},
      timers: {},
      time: { wall_ms: 0, offset_min: 0 },
      seed: 0,
    } as const
    expect(await callSkill(skills, 'pet', call, 15_000)).toMatchObject({
      result: { answer: { speech: 'Fed.' } },
    })
    const listed = skills.list().map(({ name, state }) => [name, state])
    expect(listed).toContainEqual(['pet', 'ready'])
    expect(listed.filter(([, state]) => state !== 'ready')).toEqual([])
    skills.stop()
  })

  it('reports what it cannot use and keeps the rest', async () => {
    writeSkill(root, 'fine', MODULE)
    writeSkill(root, 'broken', new Uint8Array([1, 2, 3]))
    writeSkill(root, 'worse', MODULE)
    writeFileSync(join(root, 'worse', 'skill.yaml'), '{{{{ not: yaml')
    writeSkill(root, 'lost', MODULE)
    rmSync(join(root, 'lost', 'lost.wasm'))
    writeSkill(root, 'bomb', MODULE)
    writeFileSync(join(root, 'bomb', 'skill.yaml'), 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n')
    writeSkill(root, 'huge', MODULE)
    writeFileSync(join(root, 'huge', 'skill.yaml'), '#'.repeat(300_000))
    const { skills, unusable } = await loadCatalogue(disk, [root])
    expect(skills.map(({ manifest: { name } }) => name)).toEqual(['fine'])
    const problems = Object.fromEntries(
      unusable.map(({ folder, error }) => [folder.split('/').at(-1), error.code]),
    )
    expect(problems).toEqual({
      bomb: 'invalid-input',
      broken: 'skill-refused',
      huge: 'invalid-input',
      lost: 'disk-missing',
      worse: 'invalid-input',
    })
  })

  it('lets no skill a person added into the sandbox of the node', async () => {
    writeSkill(root, 'pet', MODULE, { zone: 1 })
    const { skills, unusable } = await loadCatalogue(disk, [SKILLS_FOLDER, root])
    expect(skills.map(({ manifest: { name } }) => name)).not.toContain('pet')
    expect(unusable[0]?.error.message).toContain('zone 1')
  })

  it('never lets a second skill take the name of the first', async () => {
    writeSkill(root, 'other', MODULE)
    writeFileSync(join(root, 'other', 'skill.yaml'), manifest().replaceAll('pet', 'timer'))
    writeFileSync(join(root, 'other', 'timer.wasm'), MODULE)
    const { skills, unusable } = await loadCatalogue(disk, [SKILLS_FOLDER, root])
    expect(skills.find((skill) => skill.manifest.name === 'timer')?.folder).toBe(join(SKILLS_FOLDER, 'timer'))
    expect(unusable[0]?.error.message).toContain('already')
  })
})

describe('a manifest', () => {
  it('is read', () => {
    expect(problemOf(manifest())).toBe('accepted')
  })

  it.each([
    ['an unknown key', manifest('autostart: true\n'), 'autostart'],
    [
      'an unknown permission',
      manifest().replace('permissions: []', 'permissions: [{ use: root, why: x }]'),
      'permissions',
    ],
    [
      'a permission twice',
      manifest().replace('permissions: []', 'permissions: [{ use: clock, why: x }, { use: clock, why: y }]'),
      'once',
    ],
    [
      'a permission without a reason',
      manifest().replace('permissions: []', 'permissions: [{ use: clock }]'),
      'why',
    ],
    ['a module elsewhere', manifest().replace('pet.wasm', '../../etc/pet.wasm'), 'module'],
    ['a name with a path', manifest().replace('name: pet', 'name: ../pet'), 'name'],
    ['a version that is none', manifest().replace('1.2.3', 'latest'), 'version'],
    ['a zone that is none', manifest().replace('zone: 2', 'zone: 0'), 'zone'],
    ['a budget without end', manifest().replace('call_ms: 100', 'call_ms: 100000'), 'budgets.call_ms'],
    ['memory for a model', manifest().replace('memory_kb: 1024', 'memory_kb: 4000000'), 'budgets.memory_kb'],
    ["another skill's intent", manifest().replace('pet.feed', 'door.unlock'), 'door.unlock'],
    ['nothing in it', '', 'not a skill manifest'],
    ['a list in it', '[1, 2]', 'not a skill manifest'],
  ])('with %s is refused and the place is named', (_, text, where) => {
    expect(problemOf(text)).toContain(where)
  })
})
