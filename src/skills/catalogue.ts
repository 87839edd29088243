/**
 * Finds the skills of a node: folders with a `skill.yaml` and its module, those that ship with the node and those in the
 * data directory. A skill that cannot be used is reported and left out; it never keeps the others from loading.
 */
import { createHash } from 'node:crypto'
import { dirname, join, normalize } from 'node:path'
import { type Disk, type ErrorShape, errorShape, InvalidInputError } from '../host/index.ts'
import { MAX_MANIFEST_BYTES, readManifest, type SkillManifest } from './manifest/index.ts'
import { checkProgram } from './native.ts'
import { grantedImports, neededExports, type Permission } from './permissions.ts'
import { readLimited } from './read-limited.ts'
import { checkScript } from './script.ts'
import { checkModule, MAX_MODULE_BYTES } from './wasm.ts'

export interface Skill {
  readonly manifest: SkillManifest
  readonly permissions: readonly Permission[]
  /** Checked, its memory limited to the budget; of a script its text. */
  readonly module: Uint8Array
  /** Hex sha-256 of the module's file. */
  readonly sha256: string
  readonly folder: string
  /** The parsed `skill.yaml`: a source for the intent grammar. */
  readonly source: unknown
}

/** What a skill is made of, wherever it came from. */
export interface SkillParts extends Pick<Skill, 'manifest' | 'source' | 'folder'> {
  /** Its module's file, not checked yet. */
  readonly module: Uint8Array
}

export interface Unusable {
  readonly folder: string
  readonly error: ErrorShape
}

export interface Catalogue {
  /** Sorted by name. */
  readonly skills: readonly Skill[]
  readonly unusable: readonly Unusable[]
}

/** Skills of one node; each costs an actor and a place in the grammar. */
const MAX_SKILLS = 256

/**
 * Reads the folders in order; a skill found later does not replace one of the same name found before. The first folder
 * ships with the node; skills of any other may not claim its zone, and with it a place in the node's own sandbox.
 */
export async function loadCatalogue(
  disk: Disk,
  roots: readonly string[],
  added: readonly Skill[] = [],
): Promise<Catalogue> {
  const skills = new Map<string, Skill>()
  const unusable: Unusable[] = []
  for (const folder of await skillFolders(disk, roots)) {
    try {
      const skill = await loadSkill(disk, folder)
      const { name, zone } = skill.manifest
      if (zone === 1 && dirname(folder) !== normalize(roots[0] ?? '')) {
        throw new InvalidInputError(
          `${folder}: zone 1 is for skills that ship with the node`,
          'Use zone 2 or 3.',
        )
      }
      const other = skills.get(name)
      if (other !== undefined)
        throw new InvalidInputError(`${folder}: a skill ${name} is already in ${other.folder}`)
      skills.set(name, skill)
    } catch (thrown) {
      unusable.push({ folder, error: errorShape(thrown) })
    }
  }
  for (const skill of added) {
    if (!skills.has(skill.manifest.name)) skills.set(skill.manifest.name, skill)
  }
  const sorted = [...skills.values()].sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1))
  return { skills: sorted, unusable }
}

async function skillFolders(disk: Disk, roots: readonly string[]): Promise<string[]> {
  const folders: string[] = []
  for (const root of roots) {
    if ((await disk.info(root)) === undefined) continue
    for (const name of await disk.list(root)) {
      const folder = join(root, name)
      if ((await disk.info(join(folder, 'skill.yaml'))) !== undefined) folders.push(folder)
    }
  }
  return folders.slice(0, MAX_SKILLS)
}

/** Errors: `InvalidInputError` for the manifest, `SkillError` for the module, `DiskError`. */
export async function loadSkill(disk: Disk, folder: string): Promise<Skill> {
  const file = join(folder, 'skill.yaml')
  const text = new TextDecoder().decode(await readLimited(disk, file, MAX_MANIFEST_BYTES))
  const { manifest, source } = readManifest(text, file)
  if (manifest.runtime === 'native') {
    throw new InvalidInputError(
      `${folder}: a native adapter runs only as a package that its publisher signed`,
      'loqa skill add FILE.loqa, where the policy of this node names its publisher under native.',
    )
  }
  const module =
    manifest.module === ''
      ? new Uint8Array()
      : await readLimited(disk, join(folder, manifest.module), MAX_MODULE_BYTES)
  return skillOf({ manifest, source, module, folder })
}

/** A skill whose module was checked against its manifest. Errors: `SkillError` for the module. */
export function skillOf({ manifest, source, module, folder }: SkillParts): Skill {
  const permissions = manifest.permissions.map(({ use }) => use)
  const sha256 = createHash('sha256').update(module).digest('hex')
  const skill = { manifest, permissions, sha256, folder, source }
  if (manifest.runtime === 'typescript') return { ...skill, module: checkScript(module, manifest) }
  if (manifest.runtime === 'native') return { ...skill, module: checkProgram(module) }
  if (manifest.runtime === 'container') return { ...skill, module }
  const exports = neededExports(permissions)
  const { memory_kb } = manifest.budgets
  const checked = checkModule(module, { imports: grantedImports(permissions), exports, memory_kb })
  return { ...skill, module: checked.bytes }
}
