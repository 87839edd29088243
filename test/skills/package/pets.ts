/** A small skill as files, as a package, and signed by whom one likes. */
import { createHash } from 'node:crypto'
import type { PackageFile, SkillPackage } from '../../../src/skills/package/index.ts'
import { packSkill, readPackage } from '../../../src/skills/package/index.ts'
import type { Policy, Trusted } from '../../../src/skills/trust/index.ts'
import {
  type Delegation,
  delegate,
  type Signer,
  signerOf,
  signPackage,
} from '../../../src/skills/trust/index.ts'
import { saying } from '../hostile.ts'

/** A key that is the same in every run. */
export const signerNamed = (name: string): Signer => signerOf(createHash('sha256').update(name).digest())

export interface PetOptions {
  readonly name?: string
  readonly version?: string
  readonly publisher?: string
  readonly zone?: 1 | 2 | 3
  readonly uses?: readonly string[]
  /** Lines of the manifest. */
  readonly more?: string
  readonly says?: string
}

const modules = new Map<string, Uint8Array>()

const moduleSaying = (speech: string): Uint8Array => {
  const made = modules.get(speech) ?? saying(JSON.stringify({ speech }))
  modules.set(speech, made)
  return made
}

export function petManifest(options: PetOptions = {}): string {
  const { name = 'pet', version = '1.2.3', publisher = 'somebody', zone = 2, uses = [], more = '' } = options
  const permissions = uses.map((use) => `  - { use: ${use}, why: "feeding" }\n`).join('')
  return `name: ${name}
version: ${version}
publisher: ${publisher}
licence: MIT
summary: Feeds the ${name}.
zone: ${zone}
module: ${name}.wasm
permissions:${permissions === '' ? ' []\n' : `\n${permissions}`}budgets: { call_ms: 1000, memory_kb: 1024, host_calls: 8, storage_kb: 16 }
intents: { ${name}.feed: { templates: ["feed the ${name}"] } }
${more}`
}

export function petFiles(options: PetOptions = {}): PackageFile[] {
  const name = options.name ?? 'pet'
  return [
    { name: 'skill.yaml', bytes: Buffer.from(petManifest(options)) },
    { name: `${name}.wasm`, bytes: moduleSaying(options.says ?? 'Fed.') },
  ]
}

export const petPackage = (options: PetOptions = {}): Promise<Uint8Array> => packSkill(petFiles(options))

export const signedPet = async (
  signer: Signer,
  options: PetOptions = {},
  delegation?: Delegation,
): Promise<Uint8Array> => signPackage(await petPackage(options), signer, delegation)

export const contentOf = (bytes: Uint8Array): Promise<SkillPackage> => readPackage(bytes)

export const OFFICIAL = signerNamed('official root')
export const VETTED = signerNamed('vetted root')
export const NODE = signerNamed('a node of the household')
export const PUBLISHER = signerNamed('somebody')
export const STRANGER = signerNamed('a stranger')

export const vettedPublisher = (change: Partial<Parameters<typeof delegate>[0]> = {}, root = VETTED) =>
  delegate(
    {
      publisher: 'somebody',
      key: PUBLISHER.key,
      level: 'vetted',
      from: '2026-01-01',
      until: '2027-12-31',
      ...change,
    },
    root,
  )

export const POLICY: Policy = {
  name: 'home',
  allow: ['official', 'vetted', 'own'],
  unsigned: 'ask',
  forbid: [],
  roots: { official: [OFFICIAL.key], vetted: [VETTED.key] },
  native: [],
}

export const trustedWith = (change: Partial<Trusted> = {}): Trusted => ({
  policy: POLICY,
  members: new Set([NODE.key]),
  publishers: [],
  revoked: new Map(),
  ...change,
})

export const TODAY = '2026-11-26'
