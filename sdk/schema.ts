/** Writes `sdk/skill.schema.json`, which editors check a `skill.yaml` with: `node sdk/schema.ts`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { manifestJsonSchema } from '../src/skills/manifest/index.ts'

const file = fileURLToPath(new URL('skill.schema.json', import.meta.url))
writeFileSync(file, `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`)
