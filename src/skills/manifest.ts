/** What a skill says about itself: `skill.yaml`, checked. */
import { z } from 'zod'
import { InvalidInputError } from '../host/index.ts'
import { PERMISSIONS } from './permissions.ts'

/** A manifest is read whole; a long one with many sentences is 20 KB. */
export const MAX_MANIFEST_BYTES = 256 * 1024

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name is 1 to 32 lower-case letters, digits and hyphens, a letter first')
const version = z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/, 'a version is three numbers, e.g. 1.4.0')

/** Sentences and slots are the grammar's business (`intents/`); here only what the skill's actor needs of them. */
const intentSchema = z.looseObject({
  /** Asked before the intent is carried out. */
  confirm: z.string().min(1).max(200).optional(),
})

export const manifestSchema = z.strictObject({
  name,
  version,
  publisher: name,
  licence: z.string().min(1).max(64),
  /** One sentence for people. */
  summary: z.string().min(1).max(200),
  /** 1: ships with the node, shares a sandbox process. 2: community, a process of its own. 3: unknown origin, likewise. */
  zone: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** The module's file beside the manifest. */
  module: z.string().regex(/^[a-z0-9_-]{1,64}\.wasm$/, 'a module is a .wasm file beside skill.yaml'),
  permissions: z
    .array(z.strictObject({ use: z.enum(PERMISSIONS), why: z.string().min(1).max(200) }))
    .max(PERMISSIONS.length)
    .refine(
      (list) => new Set(list.map(({ use }) => use)).size === list.length,
      'a permission is asked for once',
    ),
  budgets: z.strictObject({
    /** Wall time of one call. Above 2 s nobody waits for an answer. */
    call_ms: z.int().min(10).max(2_000),
    /** The module's memory, and as much again for blocks shared with the host. */
    memory_kb: z.int().min(64).max(65_536),
    host_calls: z.int().min(0).max(10_000),
    storage_kb: z.int().min(0).max(128),
  }),
  /** Lists of words for the slots of its intents, as in the lexicon; the grammar checks them. */
  types: z.record(z.string(), z.unknown()).optional(),
  intents: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,31}\.[a-z][a-z0-9_]{0,31}$/), intentSchema),
})

export type SkillManifest = z.infer<typeof manifestSchema>

/** Errors: `InvalidInputError` naming the file and the first key that is wrong. */
export function readManifest(source: unknown, file: string): SkillManifest {
  const read = manifestSchema.safeParse(source)
  if (!read.success) {
    const issue = read.error.issues[0]
    const at = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`
    throw new InvalidInputError(`${file} is not a skill manifest${at}: ${issue?.message ?? 'unreadable'}`)
  }
  const manifest = read.data
  const foreign = Object.keys(manifest.intents).find((intent) => !intent.startsWith(`${manifest.name}.`))
  if (foreign !== undefined) {
    throw new InvalidInputError(
      `${file} declares the intent ${foreign}`,
      `Intents of this skill begin with "${manifest.name}.".`,
    )
  }
  return manifest
}
