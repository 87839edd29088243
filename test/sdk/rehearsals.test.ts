/** Every template of the kit and every skill that ships with the node passes its own `loqa skill test`. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rehearse } from '../../sdk/testing/index.ts'
import { build, readProject } from '../../src/cli/skill-project.ts'
import { realHost } from '../../src/host/real.ts'
import { loadSkill } from '../../src/skills/index.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const templates = readdirSync(`${ROOT}sdk/templates`)
const skills = readdirSync(`${ROOT}skills`)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loqa-rehearsal-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As `loqa skill init` makes one. */
function fromTemplate(template: string): string {
  const from = `${ROOT}sdk/templates/${template}`
  const to = join(folder, template)
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const target = join(to, file.slice(from.length + 1).replaceAll('myskill', 'my-own'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, readFileSync(file, 'utf8').replaceAll('myskill', 'my-own'))
  }
  return to
}

describe('a template', () => {
  it.each(templates)('%s is built and passes its own test', async (template) => {
    const { skill } = await build(readProject(fromTemplate(template)), true)
    const verdicts = await rehearse(skill)
    expect(verdicts.filter(({ problems }) => problems.length > 0)).toEqual([])
    expect(verdicts.length).toBeGreaterThan(1)
  })
})

describe('a skill that ships with the node', () => {
  it.each(skills)('%s passes its own test', async (name) => {
    const verdicts = await rehearse(await loadSkill(realHost().disk, `${ROOT}skills/${name}`))
    expect(verdicts.filter(({ problems }) => problems.length > 0)).toEqual([])
  })
})
