/** Skills under development: used in place of what is installed, never more trusted than a stranger's, gone when development ends. */
import { describe, expect, it } from 'vitest'
import { SkillBench } from '../../src/node/skill-bench.ts'
import { type CallRecord, type Skill, SkillError } from '../../src/skills/index.ts'

const manifestOf = (name: string, zone = 1, version = '0.1.0'): string =>
  `name: ${name}
version: ${version}
publisher: you
licence: MIT
summary: Tests.
zone: ${zone}
module: ${name}.ts
permissions: []
budgets: { call_ms: 100, memory_kb: 2048, host_calls: 8, storage_kb: 0 }
intents: { ${name}.go: { templates: ["${name} go"] } }
`
const files = (name: string, zone?: number) => ({
  manifest: manifestOf(name, zone),
  module: new TextEncoder().encode('export const handle = () => ({})'),
  folder: '/home/you/skill',
})

class Stage {
  skills: Skill[] = []
  readonly noted: string[] = []
  refuse: SkillError | undefined
  tell: (record: CallRecord) => void = () => undefined
  watching = 0
  readonly bench = new SkillBench({
    skills: {
      catalogue: { skills: this.skills, unusable: [] },
      swap: async (skill) => {
        if (this.refuse !== undefined) throw this.refuse
        const at = this.skills.findIndex(({ manifest }) => manifest.name === skill.manifest.name)
        if (at === -1) this.skills.push(skill)
        else this.skills[at] = skill
      },
      remove: async (name) => {
        this.skills.splice(
          this.skills.findIndex(({ manifest }) => manifest.name === name),
          1,
        )
      },
      watch: (watcher) => {
        this.tell = watcher
        this.watching += 1
        return () => {
          this.watching -= 1
        }
      },
    },
    permits: () => undefined,
    added: () => undefined,
    noted: async (what, object, outcome) => void this.noted.push(`${what} ${object} ${outcome}`),
  })
}

const installed = (name: string, zone: 1 | 2 | 3): Skill =>
  ({ manifest: { name, zone, version: '9.9.9' }, folder: name }) as never

describe('a skill under development', () => {
  it('is used at once, as one of unknown origin, whatever zone it names, and goes when development ends', async () => {
    const stage = new Stage()
    expect(await stage.bench.put(files('pets'))).toEqual({
      ...{ name: 'pets', version: '0.1.0', permissions: [], replaced: false },
    })
    expect(stage.skills[0]?.manifest.zone).toBe(3)
    await stage.bench.put(files('pets'))
    await stage.bench.end('pets')
    expect(stage.skills).toEqual([])
    expect(stage.noted).toEqual(['skill.dev pets ok', 'skill.dev pets ok', 'skill.dev pets ended'])
  })

  it('stands in for an installed one, which is back afterwards', async () => {
    const stage = new Stage()
    const before = installed('pets', 2)
    stage.skills.push(before)
    expect((await stage.bench.put(files('pets'))).replaced).toBe(true)
    await stage.bench.put(files('pets'))
    await stage.bench.end('pets')
    expect(stage.skills).toEqual([before])
  })

  it('does not take the place of a skill that ships with the node', async () => {
    const stage = new Stage()
    stage.skills.push(installed('timer', 1))
    await expect(stage.bench.put(files('timer'))).rejects.toThrow('ships with the node')
  })

  it('that is refused is not under development, and its refusal is recorded', async () => {
    const stage = new Stage()
    stage.refuse = new SkillError('skill-trapped', 'it threw')
    await expect(stage.bench.put(files('pets'))).rejects.toThrow('it threw')
    expect(stage.noted).toEqual(['skill.dev pets skill-trapped'])
    await expect(stage.bench.end('pets')).rejects.toMatchObject({ code: 'not-found' })
    await expect(stage.bench.put({ ...files('pets'), manifest: 'name: 7' })).rejects.toThrow(
      '/home/you/skill/skill.yaml',
    )
  })

  it('is one of eight at most', async () => {
    const stage = new Stage()
    for (let i = 0; i < 8; i += 1) await stage.bench.put(files(`pets${i}`))
    await expect(stage.bench.put(files('one-more'))).rejects.toThrow('8 skills are under development')
    await stage.bench.put(files('pets3'))
  })

  it('can be watched, and nobody else’s calls are seen', async () => {
    const stage = new Stage()
    stage.skills.push(installed('diary', 2))
    expect(() => stage.bench.watch('diary')).toThrow('under development')
    await stage.bench.put(files('pets'))
    const records = stage.bench.watch('pets')[Symbol.asyncIterator]()
    const next = records.next()
    await Promise.resolve()
    const record = { entry: 'handle', input: '{}', ms: 1, speech: 'x', changes: [] }
    stage.tell({ ...record, skill: 'diary' })
    stage.tell({ ...record, skill: 'pets' })
    expect((await next).value).toMatchObject({ skill: 'pets' })
    await records.return?.()
    expect(stage.watching).toBe(0)
  })

  it('tells a slow reader the newest calls', async () => {
    const stage = new Stage()
    await stage.bench.put(files('pets'))
    const records = stage.bench.watch('pets')[Symbol.asyncIterator]()
    const first = records.next()
    await Promise.resolve()
    for (let i = 0; i < 400; i += 1) {
      stage.tell({ skill: 'pets', entry: 'handle', input: '{}', ms: i, speech: '', changes: [] })
    }
    expect((await first).value).toMatchObject({ ms: 144 })
    await records.return?.()
  })
})
