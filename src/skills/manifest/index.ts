/**
 * What a skill says about itself: `skill.yaml`, read with the place of every mistake.
 *
 * Pure. The whole schema stands in `schema.ts`; `sdk/skill.schema.json` is made of it and a test keeps both equal.
 * Nothing here is believed: the zone a skill names is a wish (`trust/` decides), a permission is a request.
 */
import { parseTemplate } from '../intents/index.ts'
import { explain, type SchemaNode } from './explain.ts'
import { locateYaml, MAX_PROBLEMS, ManifestError, type ManifestProblem, type Path } from './located.ts'
import {
  type ManifestSource,
  manifestJsonSchema,
  manifestSchema,
  type SkillManifest,
  type SkillRuntime,
} from './schema.ts'

export { ManifestError, type ManifestProblem, sayProblem } from './located.ts'
export {
  assetPath,
  MAX_ASSETS,
  MAX_MANIFEST_BYTES,
  manifestJsonSchema,
  manifestSchema,
  RUNTIMES,
  type SkillManifest,
  type SkillRuntime,
  skillName,
  skillVersion,
} from './schema.ts'

export interface ReadManifest {
  readonly manifest: SkillManifest
  /** The YAML as plain data: a source for the intent grammar. */
  readonly source: unknown
}

let published: SchemaNode | undefined

/** Errors: `ManifestError` (an `InvalidInputError`) with up to 20 mistakes, each with its place. */
export function readManifest(text: string, file: string): ReadManifest {
  const yaml = locateYaml(text, file)
  const refuse = (problems: readonly ManifestProblem[]): never => {
    throw new ManifestError(problems.slice(0, MAX_PROBLEMS))
  }
  const read = manifestSchema.safeParse(yaml.value)
  if (!read.success) {
    published ??= manifestJsonSchema() as SchemaNode
    return refuse(explain(read.error.issues, yaml, file, published))
  }
  const wrong = disagreements(read.data).map(({ path, key, ...said }) => ({
    file,
    ...yaml.place(path, key ?? false),
    key: path.join('.'),
    ...said,
  }))
  if (wrong.length > 0) return refuse(wrong)
  const { module = '', runtime = runtimeOf(module) ?? 'wasm', ...rest } = read.data
  return { manifest: { ...rest, module, runtime }, source: yaml.value }
}

interface Disagreement {
  readonly path: Path
  /** The key is wrong, not its value. */
  readonly key?: boolean
  readonly given?: string
  readonly allowed: string
}

/** What each key alone allows and all together do not. */
function disagreements(manifest: ManifestSource): Disagreement[] {
  const { name, module, runtime, container, intents, zone } = manifest
  const found: Disagreement[] = []
  const kind = runtime ?? runtimeOf(module ?? '')
  if (module === undefined && kind !== 'container') {
    found.push({ path: ['module'], allowed: 'a file beside skill.yaml, e.g. main.wasm or main.ts' })
  } else if (kind === undefined) {
    found.push({
      path: ['module'],
      given: module ?? '',
      allowed: 'a .wasm or .ts file, or a runtime beside it',
    })
  } else if ((kind === 'wasm' || kind === 'typescript') && runtimeOf(module ?? '') !== kind) {
    const ending = kind === 'wasm' ? '.wasm' : '.ts'
    found.push({ path: ['module'], given: module ?? '', allowed: `a ${ending} file for the runtime ${kind}` })
  }
  if ((kind === 'container') !== (container !== undefined)) {
    found.push(
      container === undefined
        ? { path: ['container'], allowed: 'an image for the runtime container' }
        : { path: ['container'], key: true, given: 'an image', allowed: 'one only with runtime: container' },
    )
  }
  if (kind === 'native' && zone !== 3) {
    found.push({ path: ['zone'], given: String(zone), allowed: '3 for the runtime native' })
  }
  for (const [intent, { templates, negative }] of Object.entries(intents)) {
    const path = ['intents', intent]
    if (!intent.startsWith(`${name}.`)) {
      found.push({
        path,
        key: true,
        given: intent,
        allowed: `intents of this skill, which begin with ${name}.`,
      })
    }
    for (const [said, key] of [
      [templates, 'templates'],
      [negative, 'negative'],
    ] as const) {
      const lists = Array.isArray(said)
        ? [{ list: said, at: [] }]
        : Object.entries(said).map(([tag, list]) => ({ list, at: [tag] }))
      for (const { list, at } of lists) {
        for (const [index, template] of list.entries()) {
          const problem = templateProblem(template)
          if (problem !== undefined) {
            const place = [...path, key, ...at, index]
            found.push({ path: place, given: JSON.stringify(template), allowed: problem })
          }
        }
      }
    }
  }
  return found
}

function templateProblem(template: string): string | undefined {
  try {
    parseTemplate(template)
    return undefined
  } catch (thrown) {
    return `a sentence template (${thrown instanceof Error ? thrown.message : 'unreadable'})`
  }
}

function runtimeOf(module: string): SkillRuntime | undefined {
  if (module.endsWith('.wasm')) return 'wasm'
  return module.endsWith('.ts') ? 'typescript' : undefined
}
