import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { buildSkill, skillNames } from '../../sdk/build.ts'
import { SKILLS_FOLDER } from './house-skills.ts'

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('the modules that ship with the node', () => {
  it.each(skillNames())('%s.wasm is what its sources give', { timeout: 60_000 }, async (name) => {
    const committed = readFileSync(`${SKILLS_FOLDER}/${name}/${name}.wasm`)
    expect(hash(committed), 'run npm run build:skills').toBe(hash(await buildSkill(name)))
  })
})
