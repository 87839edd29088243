/** Promised: a mistake in skill.yaml is told with its file, line, column and key, what was given and what is allowed. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ManifestError, manifestJsonSchema, readManifest } from '../../../src/skills/manifest/index.ts'
import { SKILLS_FOLDER } from '../house-skills.ts'

const PET = `name: pet
version: 1.2.3
publisher: somebody
licence: MIT
summary: Feeds the pet.
zone: 2
module: pet.wasm
permissions:
  - { use: storage, why: "remembers when" }
budgets: { call_ms: 100, memory_kb: 1024, host_calls: 8, storage_kb: 0 }
intents:
  pet.feed:
    templates: ["feed the pet"]
`

const problemsOf = (text: string) => {
  try {
    readManifest(text, 'pet/skill.yaml')
    return []
  } catch (thrown) {
    if (!(thrown instanceof ManifestError)) throw thrown
    return thrown.problems
  }
}
const messageOf = (text: string): string => {
  try {
    readManifest(text, 'pet/skill.yaml')
    return 'accepted'
  } catch (thrown) {
    return (thrown as Error).message
  }
}

describe('a mistake is told with its place', () => {
  it.each([
    [
      'a number too large',
      PET.replace('call_ms: 100', 'call_ms: 100000'),
      '10:21: budgets.call_ms: given 100000; allowed a whole number from 10 to 2000',
    ],
    [
      'text for a number',
      PET.replace('call_ms: 100', 'call_ms: soon'),
      '10:21: budgets.call_ms: given "soon"; allowed a whole number from 10 to 2000',
    ],
    [
      'a misspelt key',
      PET.replace('licence:', 'license:'),
      '4:1: license: given the key "license"; allowed one of name, version, publisher, licence',
    ],
    [
      'a misspelt permission',
      PET.replace('storage,', 'storag,'),
      '9:12: permissions.0.use: given "storag"; allowed one of storage, timers',
    ],
    [
      'a key without its value',
      PET.replace('summary: Feeds the pet.\n', ''),
      '1:1: summary: missing; allowed text of 1 to 200 characters',
    ],
    [
      'a version that is none',
      PET.replace('1.2.3', 'latest'),
      '2:10: version: given "latest"; allowed a version of three numbers, e.g. 1.4.0',
    ],
    ['a zone that is none', PET.replace('zone: 2', 'zone: 0'), '6:7: zone: given 0; allowed one of 1, 2, 3'],
    [
      'a module elsewhere',
      PET.replace('pet.wasm', '../../etc/pet.wasm'),
      '7:9: module: given "../../etc/pet.wasm"; allowed a file beside skill.yaml',
    ],
    [
      'an intent of another skill',
      PET.replace('pet.feed', 'door.unlock'),
      '12:3: intents.door.unlock: given door.unlock; allowed intents of this skill, which begin with pet.',
    ],
    [
      'a template that is none',
      PET.replace('["feed the pet"]', '["feed", "(feed the pet"]'),
      '13:25: intents.pet.feed.templates.1: given "(feed the pet"; allowed a sentence template',
    ],
    [
      'a list for a mapping',
      '- pet\n',
      '1:1: not a skill manifest: given ["pet"]; allowed a mapping with name, version',
    ],
    ['an empty file', '', '1:1: not a skill manifest: given null; allowed a mapping with name'],
    [
      'no YAML',
      'name: pet\nversion: "1.2\n',
      'not a skill manifest: given Missing closing "quote; allowed YAML',
    ],
    [
      'a key twice',
      `${PET}name: cat\n`,
      '14:1: not a skill manifest: given the key "name" a second time; allowed each key once',
    ],
    [
      'an alias',
      'name: &a pet\nversion: *a\n',
      '1:7: not a skill manifest: given anchors (&name); allowed YAML without them',
    ],
    [
      'a host with a path',
      `${PET}http: { hosts: ["https://example.com/x"] }\n`,
      '14:17: http.hosts.0: given "https://example.com/x"; allowed a host like api.example.com',
    ],
    [
      'a default of another type',
      `${PET}config: { town: { type: string, default: 7, summary: "Where" } }\n`,
      '14:42: config.town.default: given 7; allowed a value of the type that stands beside it',
    ],
    [
      'a container without its image',
      PET.replace('module: pet.wasm', 'runtime: container'),
      '1:1: container: missing; allowed an image for the runtime container',
    ],
    [
      'a module of another runtime',
      PET.replace('module: pet.wasm', 'module: pet.wasm\nruntime: typescript'),
      '7:9: module: given pet.wasm; allowed a .ts file for the runtime typescript',
    ],
    [
      'words that move a cursor',
      PET.replace('Feeds the pet.', '"Feeds\\e[2J the pet."'),
      '5:10: summary: given "Feeds\\u001b[2J the pet."; allowed text of 1 to 200 characters, all of them printable',
    ],
    [
      'a risk that is none',
      `${PET}    risk: hihg\n`,
      '14:11: intents.pet.feed.risk: given "hihg"; allowed one of low, medium, high, critical; did you mean high?',
    ],
  ])('%s', (_, text, said) => {
    expect(messageOf(text)).toContain(`pet/skill.yaml:${said.startsWith('not') ? '' : said}`)
    expect(messageOf(text)).toContain(said)
  })

  it('and with the name that was probably meant', () => {
    expect(problemsOf(PET.replace('licence:', 'license:'))[0]).toMatchObject({
      key: 'license',
      nearest: 'licence',
    })
  })

  it('and not only the first one', () => {
    const keys = problemsOf(PET.replace('call_ms: 100', 'call_ms: 1').replace('zone: 2', 'zone: 9')).map(
      ({ key }) => key,
    )
    expect(keys).toEqual(['zone', 'budgets.call_ms'])
  })
})

describe('a manifest', () => {
  it('of before the optional keys stays valid, and what it leaves out has its value', () => {
    const { manifest } = readManifest(PET, 'skill.yaml')
    expect(manifest).toMatchObject({ name: 'pet', runtime: 'wasm', module: 'pet.wasm' })
    expect(manifest.intents['pet.feed']).toMatchObject({ risk: 'low', idempotent: false })
  })

  it('says everything a skill may need', () => {
    const whole = `${PET.replace('module: pet.wasm', 'module: pet.ts')}    risk: high
    confirm: "Feed it?"
    idempotent: true
    examples: ["feed the pet"]
http: { hosts: ["api.example.com", "*.example.org:8443"], private: true }
topics: { publish: [pet.fed], subscribe: [time.evening] }
secrets: [api_key]
config: { town: { type: string, default: "Ulm", summary: "Where you live" } }
surfaces: [spoken, card]
assets: [icons/cat.svg]
`
    expect(readManifest(whole, 'skill.yaml').manifest).toMatchObject({
      runtime: 'typescript',
      http: { private: true },
      topics: { publish: ['pet.fed'] },
    })
  })

  it('of every skill that ships with the node is valid', () => {
    const names = readdirSync(SKILLS_FOLDER)
    expect(names.length).toBeGreaterThan(2)
    for (const name of names) {
      const file = `${SKILLS_FOLDER}/${name}/skill.yaml`
      expect(readManifest(readFileSync(file, 'utf8'), file).manifest.name).toBe(name)
    }
  })

  it('has the schema that is published for editors; `node sdk/schema.ts` writes it', () => {
    const file = fileURLToPath(new URL('../../../sdk/skill.schema.json', import.meta.url))
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(manifestJsonSchema())
  })
})
