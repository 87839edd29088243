/** The example of the kit's README is a skill that works: it is built, understood and carried out as written there. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildSkill } from '../../sdk/build.ts'
import type { Skills } from '../../src/skills/index.ts'
import { compileWithSkills, type Grammar, read } from '../../src/skills/intents/index.ts'
import { houseSkills, stageOf } from '../skills/house-skills.ts'
import { houseSources } from '../skills/intents/house.ts'
import type { SkillStage } from '../skills/stage.ts'

const readme = readFileSync(new URL('../../sdk/README.md', import.meta.url), 'utf8')
const block = (language: string): string =>
  readme.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))?.[1] ?? ''

let folder: string
let skills: Skills
let stage: SkillStage
let grammar: Grammar

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loqa-readme-'))
  mkdirSync(join(folder, 'visitors'))
  writeFileSync(join(folder, 'visitors/skill.yaml'), block('yaml'))
  writeFileSync(join(folder, 'visitors/visitors.wasm'), await buildSkill('visitors', block('ts')))
  skills = await houseSkills([folder])
  skills.start()
  stage = stageOf(skills, 'visitors')
  const learned = skills.intentSources.map(({ file, source }) => ({ file, content: source }))
  const compiled = compileWithSkills(houseSources(), learned)
  expect(compiled.refused).toEqual([])
  grammar = compiled.grammar
}, 60_000)

afterAll(async () => {
  await skills.stop()
  rmSync(folder, { recursive: true })
})

/** What the skill answers to a sentence. */
async function say(text: string): Promise<string> {
  const { intent, score } = read(grammar, text)
  expect(score, text).toBeGreaterThanOrEqual(0.5)
  return await stage.say(intent.name, intent.slots)
}

describe('the skill of the README', () => {
  it('counts who came, by any of their names', async () => {
    expect(await say('another package is here')).toBe('That makes one parcel.')
    expect(await say('a parcel came')).toBe('That makes two parcels.')
    expect(await say('um a friend is here please')).toBe('That makes one guest.')
    expect(await say('did a delivery come')).toBe('So far two parcels.')
  })

  it('asks for what it needs', () => {
    expect(read(grammar, 'someone came')).toMatchObject({
      intent: { name: 'visitors.came' },
      missing: ['visitor'],
    })
  })

  it('takes nothing away from the house', () => {
    expect(grammar.conflicts).toEqual([])
    expect(read(grammar, 'set a timer for five minutes').intent.name).toBe('timer.set')
  })
})
