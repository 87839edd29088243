/** Skills change while the node runs, in real sandboxes; the promises are those of `skills.ts`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { loadSkill, type Skill } from '../../src/skills/catalogue.ts'
import { read, type SkillChange, type Skills } from '../../src/skills/index.ts'
import { moduleOf, saying, writeSkill } from './hostile.ts'
import { callSkill, EMPTY_CALL, houseSkills, PATIENT_MS } from './house-skills.ts'

const { disk } = realHost()
let root: string
let skills: Skills
const told: SkillChange[] = []

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'loqa-swap-'))
  writeSkill(root, 'parrot', saying('{"speech":"One."}'))
  skills = await houseSkills([join(root, 'none'), root])
  skills.follow((change) => told.push(change))
})
afterAll(() => {
  skills.stop()
  rmSync(root, { recursive: true, force: true })
})

/** A version of the skill, as its folder would hold it. */
function version(name: string, module: Uint8Array, sentence = `${name} go`): Promise<Skill> {
  writeSkill(join(root, 'versions'), name, module, { sentence })
  return loadSkill(disk, join(root, 'versions', name))
}

async function answer(name = 'parrot'): Promise<string> {
  const outcome = await callSkill(skills, name, EMPTY_CALL, PATIENT_MS)
  return outcome.ok ? outcome.result.answer.speech : outcome.error.code
}

const pidOf = (name: string): number => skills.port.sandboxOf(name)!.pid!
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const intentOf = (sentence: string): string => read(skills.grammar, sentence, {}).intent.name

describe('a skill that changes while the node runs', () => {
  it('1, 3 answers with its new version, understands its new sentences at once, and who follows is told once', async () => {
    expect(await answer()).toBe('One.')
    const before = pidOf('parrot')
    await skills.swap(await version('parrot', saying('{"speech":"Two."}'), 'polly wants a cracker'))
    expect(await answer()).toBe('Two.')
    expect(intentOf('polly wants a cracker')).toBe('parrot.go')
    expect(intentOf('parrot go')).toBe('none')
    expect(told.splice(0)).toEqual([
      expect.objectContaining({ change: 'put', name: 'parrot', args: skills.actors[0]!.args }),
    ])
    expect(pidOf('parrot')).not.toBe(before)
    await expect.poll(() => isAlive(before)).toBe(false)
  })

  it.each([
    ['traps', moduleOf([], 'unreachable'), 'skill-trapped'],
    ['loops', moduleOf([], '(loop $again (br $again)) (i32.const 0)'), 'skill-timeout'],
    ['answers nonsense', saying('{"speech":7}'), 'skill-answer'],
    ['is wrong inside', saying('{').subarray(0, -3), 'skill-refused'],
  ])('1 keeps the version in use when the new one %s', async (_, module, code) => {
    const broken = async (): Promise<void> => skills.swap(await version('parrot', module))
    await expect(broken()).rejects.toMatchObject({ code })
    expect(await answer()).toBe('Two.')
    expect(intentOf('polly wants a cracker')).toBe('parrot.go')
    expect(skills.list()[0]?.state).toBe('ready')
    expect(told).toEqual([])
  })

  it('1 keeps it when the new sentences cannot be compiled, and names the file', async () => {
    const broken = await version('parrot', saying('{"speech":"Three."}'), 'go <elsewhere>')
    await expect(skills.swap(broken)).rejects.toThrow('versions/parrot/skill.yaml')
    expect(await answer()).toBe('Two.')
  })

  it('2 fails no call that is asked for while versions follow each other', async () => {
    const heard: string[] = []
    let swapping = true
    const asking = Array.from({ length: 4 }, async () => {
      while (swapping) heard.push(await answer())
    })
    for (const word of ['Three.', 'Four.', 'Five.']) {
      await skills.swap(await version('parrot', saying(JSON.stringify({ speech: word }))))
    }
    swapping = false
    await Promise.all(asking)
    expect(heard.filter((word) => !['Two.', 'Three.', 'Four.', 'Five.'].includes(word))).toEqual([])
    expect(new Set(heard).size).toBeGreaterThan(1)
    expect(await answer()).toBe('Five.')
    told.splice(0)
  })

  it('4 makes changes in the order they were asked for', async () => {
    const first = await version('parrot', saying('{"speech":"First."}'))
    const last = await version('parrot', saying('{"speech":"Last."}'))
    await Promise.all([skills.swap(first), skills.swap(last)])
    expect(await answer()).toBe('Last.')
    expect(told.splice(0)).toHaveLength(2)
  })

  it('3 a new skill is there, and one that was removed is not', async () => {
    await skills.swap(await version('owl', saying('{"speech":"Hoo."}')))
    expect(await answer('owl')).toBe('Hoo.')
    expect(intentOf('owl go')).toBe('owl.go')
    expect(skills.list().map(({ name }) => name)).toEqual(['parrot', 'owl'])
    const pid = pidOf('owl')
    await skills.remove('owl')
    expect(await answer('owl')).toBe('skill-refused')
    expect(intentOf('owl go')).toBe('none')
    expect(told.splice(0).map(({ change }) => change)).toEqual(['put', 'removed'])
    await expect.poll(() => isAlive(pid)).toBe(false)
    await expect(skills.remove('owl')).rejects.toMatchObject({ code: 'not-found' })
  })
})
