/** Promised: development is no way around trust: a policy that takes nothing unsigned holds, and what was revoked meanwhile stays away. */
import { expect, it } from 'vitest'
import { SkillBench } from '../../src/node/skill-bench.ts'
import { registry, type Skill, type Skills, trust } from '../../src/skills/index.ts'
import {
  contentOf,
  NODE,
  POLICY,
  petFiles,
  petManifest,
  signedPet,
  TODAY,
  trustedWith,
} from '../skills/package/pets.ts'

const [, module] = petFiles({ says: 'Of the bench.' })
const draft = { manifest: petManifest({ version: '9.9.9' }), module: module!.bytes, folder: '/home/ada/pet' }

async function bench(policy: trust.Policy = POLICY) {
  const content = await contentOf(await signedPet(NODE))
  const pet = registry.skillFrom(content, trust.judge(content, trustedWith(), TODAY), '/data/skills/pet.loqa')
  const running = new Map<string, Skill>([['pet', pet]])
  let added: Skill | undefined = pet
  const skills = {
    get catalogue() {
      return { skills: [...running.values()], unusable: [] }
    },
    swap: async (skill: Skill) => void running.set(skill.manifest.name, skill),
    remove: async (name: string) => void running.delete(name),
  } as unknown as Skills
  const parts = { skills, noted: async () => undefined, added: () => added }
  const permits = (manifest: Skill['manifest']): void => trust.refuseUnsigned(manifest, policy)
  return {
    bench: new SkillBench({ ...parts, permits }),
    running,
    revoke() {
      added = undefined
      running.delete('pet')
    },
  }
}

it('what was there before comes back when development ends', async () => {
  const { bench: desk, running } = await bench()
  await desk.put(draft)
  expect(running.get('pet')?.manifest).toMatchObject({ version: '9.9.9', zone: 3 })
  await desk.end('pet')
  expect(running.get('pet')?.manifest.version).toBe('1.2.3')
})

it('what was revoked meanwhile does not', async () => {
  const { bench: desk, running, revoke } = await bench()
  await desk.put(draft)
  revoke()
  await desk.end('pet')
  expect(running.size).toBe(0)
})

it('nothing is developed where nothing unsigned may run', async () => {
  const { bench: desk, running } = await bench({ ...POLICY, unsigned: 'never' })
  await expect(desk.put(draft)).rejects.toMatchObject({ code: 'skill-forbidden' })
  expect(running.get('pet')?.manifest.version).toBe('1.2.3')
})
