/** Promised: a skill's sentences are those of the node's language, else English, else what there is; mistakes in each are told with their place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { rehearse } from '../../../sdk/testing/index.ts'
import { nodeId } from '../../../src/host/index.ts'
import { skillOf } from '../../../src/skills/catalogue.ts'
import { compileGrammar, inLanguage, read, sourceIn } from '../../../src/skills/intents/index.ts'
import { readManifest } from '../../../src/skills/manifest/index.ts'
import { argsOf } from '../../../src/skills/skills.ts'

const MANIFEST = `name: pets
version: 1.0.0
publisher: test
licence: MIT
summary: Counts pets.
zone: 3
module: pets.ts
permissions: []
budgets: { call_ms: 2000, memory_kb: 2048, host_calls: 8, storage_kb: 4 }
types:
  pet:
    cat: { en: [kitty], de: [katze, mieze] }
    dog: { en: [doggy], de: [hund] }
intents:
  pets.fed:
    slots:
      pet: { type: pet, ask: { en: "Which pet?", de: "Welches Tier?" } }
    templates:
      en: ["feed the {pet}", "feed it"]
      de: ["(füttere|füttern) [bitte] (die|den) {pet}", "füttern"]
    confirm: { en: "Shall I?", de: "Soll ich?" }
  pets.count:
    templates: ["how many pets"]
`

const meaning = (language: string, text: string) => {
  const grammar = compileGrammar([{ file: 'skill.yaml', content: sourceIn(parse(MANIFEST), language) }])
  const { intent } = read(grammar, text)
  return { name: intent.name, ...intent.slots }
}

describe('a skill in several languages', () => {
  it('is understood in the one of the node', () => {
    expect(meaning('de', 'Füttere bitte die Mieze')).toEqual({ name: 'pets.fed', pet: 'cat' })
    expect(meaning('en', 'feed the doggy')).toEqual({ name: 'pets.fed', pet: 'dog' })
    expect(meaning('de', 'feed the doggy').name).not.toBe('pets.fed')
    expect(meaning('de-AT', 'füttern den hund')).toEqual({ name: 'pets.fed', pet: 'dog' })
  })

  it('and in English where it has no other, or says no language', () => {
    expect(meaning('fr', 'feed the kitty')).toEqual({ name: 'pets.fed', pet: 'cat' })
    expect(meaning('de', 'how many pets')).toEqual({ name: 'pets.count' })
    expect(inLanguage({ de: 'ja', fr: 'oui' }, 'en')).toBe('ja')
  })

  it('asks back in it', () => {
    const { manifest, source } = readManifest(MANIFEST, 'skill.yaml')
    const skill = skillOf({ manifest, source, module: Buffer.from('export {}'), folder: '' })
    const node = nodeId('test')
    expect(argsOf(skill, { node, zone: 'UTC', language: 'de' }).confirm).toEqual({ 'pets.fed': 'Soll ich?' })
    expect(argsOf(skill, { node, zone: 'UTC' }).confirm).toEqual({ 'pets.fed': 'Shall I?' })
    const grammar = compileGrammar([{ file: '', content: sourceIn(source, 'de') }])
    expect(grammar.intents.get('pets.fed')?.slots.get('pet')?.ask).toBe('Welches Tier?')
  })

  it.each([
    ['(die|den) {pet}', '(die|den {pet}', 'intents.pets.fed.templates.de.0', 'a sentence template'],
    ['      de: ["(', '      deutsch: ["(', 'intents.pets.fed.templates.deutsch', 'a language like en'],
    ['["how many pets"]', '{ de: [] }', 'intents.pets.count.templates.de', 'a list of 1 to 64'],
    ['["how many pets"]', '{}', 'intents.pets.count.templates', '1 to 32 languages'],
    ['["how many pets"]', '"how many pets"', 'intents.pets.count.templates', 'a list'],
    ['["how many pets"]', '[""]', 'intents.pets.count.templates.0', 'text of 1 to'],
    ['de: [hund]', 'de: hund', 'types.pet.dog.de', 'a list'],
  ])('told of a mistake with its place: %s as %s', (right, wrong, key, allowed) => {
    expect(MANIFEST).toContain(right)
    try {
      readManifest(MANIFEST.replace(right, wrong), 'skill.yaml')
      expect.unreachable()
    } catch (thrown) {
      const { problems } = thrown as { problems: { key: string; allowed: string }[] }
      expect(problems[0]).toMatchObject({ key, allowed: expect.stringContaining(allowed) })
    }
  })

  it('is rehearsed in each', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'loqa-languages-'))
    const module = Buffer.from(`import { say, type Invocation } from 'loqa'
export function handle(asked: Invocation) { return say('Fed: ' + asked.text('pet')) }`)
    writeFileSync(
      join(folder, 'skill.test.yaml'),
      `- test: in English
  steps:
    - { say: feed the kitty, intent: pets.fed, asks: yes or no, reply: "Shall I?" }
- test: auf Deutsch
  in: de
  steps:
    - { say: füttere die Katze, intent: pets.fed, asks: yes or no, reply: "Soll ich?" }
`,
    )
    const { manifest, source } = readManifest(MANIFEST, 'skill.yaml')
    expect(await rehearse(skillOf({ manifest, source, module, folder }))).toEqual([
      { test: 'in English', problems: [] },
      { test: 'auf Deutsch', problems: [] },
    ])
    rmSync(folder, { recursive: true })
  })
})
