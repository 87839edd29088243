/**
 * The shape of `skill.yaml`. What it describes is what people read beside a mistake and in their editor
 * (`sdk/skill.schema.json` is made of it), so every bound stands here with words. Optional keys were added later; a
 * manifest written before them stays valid.
 */
import { z } from 'zod'
import { intentName, spokenIntentSchema, spokenTypesSchema } from '../intents/schema.ts'
import { PERMISSIONS } from '../permissions.ts'

/** A manifest is read whole; a long one with many sentences is 20 KB. */
export const MAX_MANIFEST_BYTES = 256 * 1024
/** Files beside manifest and module: pictures and pages of a skill, not its data. */
export const MAX_ASSETS = 64

/** People read it before they decide: nothing in it may move a cursor or turn the direction of writing. */
const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((given) => !UNPRINTABLE.test(given), `text of 1 to ${most} characters, all of them printable`)
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

export const skillName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .describe('a name of 1 to 32 lower-case letters, digits and hyphens, a letter first')

export const skillVersion = z
  .string()
  .regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/)
  .describe('a version of three numbers, e.g. 1.4.0')

const moduleFile = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}(\.[a-z0-9]{1,8})?$/)
  .describe('a file beside skill.yaml: a .wasm module, a .ts script, or the program of a native adapter')

const host = z
  .string()
  .max(253)
  .regex(/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/)
  .describe('a host like api.example.com, *.example.com or printer.local:8080, without scheme and path')

const topic = z
  .string()
  .max(120)
  .regex(/^[a-z][a-z0-9_-]{0,31}(\.[a-z0-9_-]{1,32}){0,7}$/)
  .describe('a topic like weather.changed')

const settingName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/)
  .describe('a name of small letters, digits and underscores, a letter first')

export const assetPath = z
  .string()
  .max(120)
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}(\/[a-z0-9][a-z0-9_-]{0,63}){0,4}\.[a-z0-9]{1,8}$/)
  .describe('a file in the skill’s folder, e.g. icons/sun.svg: lower-case letters, digits, _ and -')

const setting = z
  .strictObject({
    type: z.enum(['string', 'number', 'boolean']),
    /** Without one, the skill waits until a person gives a value. */
    default: z.union([z.string().max(1_000), z.number(), z.boolean()]).optional(),
    summary: text(200),
  })
  .refine((given) => given.default === undefined || typeof given.default === given.type, {
    path: ['default'],
    message: 'a value of the type that stands beside it',
  })

const budgets = z.strictObject({
  call_ms: z
    .int()
    .min(10)
    .max(2_000)
    .describe('Wall time of one call. Above 2 s nobody waits for an answer.'),
  memory_kb: z
    .int()
    .min(64)
    .max(65_536)
    .describe('The module’s memory, and as much again for blocks shared with the host.'),
  host_calls: z.int().min(0).max(10_000).describe('Calls of the host in one call of the skill.'),
  storage_kb: z.int().min(0).max(128).describe('What the skill keeps, over all its keys.'),
  network_kb_hour: z.int().min(0).max(65_536).optional().describe('Through http in one hour, both ways.'),
  requests_hour: z.int().min(0).max(3_600).optional().describe('Requests through http in one hour.'),
  tokens_day: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('Tokens of language models in one day, asked and answered.'),
})

export const RUNTIMES = ['wasm', 'typescript', 'container', 'native'] as const
export type SkillRuntime = (typeof RUNTIMES)[number]

export const manifestSchema = z.strictObject({
  name: skillName,
  version: skillVersion,
  publisher: skillName.describe(
    'who signs it: 1 to 32 lower-case letters, digits and hyphens, a letter first',
  ),
  licence: text(64).describe('An SPDX expression, e.g. MIT.'),
  summary: text(200).describe('One sentence for people.'),
  zone: z
    .union([z.literal(1), z.literal(2), z.literal(3)])
    .describe(
      'How far it may be trusted at most. 1: official, shares a sandbox process. 2: vetted, a process of its own. 3: the household’s own or of unknown origin, likewise. The node goes by the signature and never grants a better zone than that.',
    ),
  module: moduleFile.optional(),
  runtime: z.enum(RUNTIMES).optional().describe('What runs it. Without it, the module’s ending decides.'),
  container: z
    .strictObject({
      image: z
        .string()
        .max(255)
        .regex(/^[a-z0-9][a-z0-9._\-/:]*@sha256:[0-9a-f]{64}$/)
        .describe('an image by its digest, e.g. ghcr.io/someone/tool@sha256:…'),
      memory_mb: z.int().min(16).max(16_384).default(256).describe('Of the container, swap included.'),
      cpus: z.number().min(0.1).max(16).default(1).describe('Processors it may use up; 0.5 is half of one.'),
      pids: z.int().min(1).max(512).default(32).describe('Its processes and threads.'),
    })
    .optional()
    .describe('For the runtime container: the image to run, and what it may use of the machine.'),
  permissions: z
    .array(
      z.strictObject({
        use: z.enum(PERMISSIONS),
        why: text(200).describe('The reason, as the person reads it who grants it.'),
      }),
    )
    .max(PERMISSIONS.length)
    .refine(
      (list) => new Set(list.map(({ use }) => use)).size === list.length,
      'each permission asked for once',
    ),
  http: z
    .strictObject({
      hosts: z.array(host).max(32),
      private: z.boolean().default(false).describe('Addresses of the home network too.'),
    })
    .optional()
    .describe('Which hosts the skill may call.'),
  topics: z
    .strictObject({
      publish: z.array(topic).max(32).default([]),
      subscribe: z.array(topic).max(32).default([]),
    })
    .optional(),
  secrets: z.array(settingName).max(16).optional().describe('Names of secrets a person gives this skill.'),
  config: z.record(settingName, setting).optional().describe('Settings a person can change.'),
  surfaces: z
    .array(z.enum(['spoken', 'card', 'page']))
    .min(1)
    .max(3)
    .optional()
    .describe('Where its answers appear. Without it: spoken.'),
  assets: z.array(assetPath).max(MAX_ASSETS).optional().describe('Other files of its package.'),
  budgets,
  handles: z
    .array(intentName.describe('a name like light.on'))
    .max(64)
    .optional()
    .describe('Intents of the house’s own sentences that the skill carries out, e.g. light.on.'),
  types: spokenTypesSchema
    .optional()
    .describe('Lists of words for the slots of its intents, as in the lexicon.'),
  intents: z.record(
    intentName.regex(/^[a-z][a-z0-9-]{0,31}\.[a-z][a-z0-9_]{0,31}$/).describe('a name like timer.set'),
    spokenIntentSchema,
  ),
})

export type ManifestSource = z.infer<typeof manifestSchema>

/** A manifest that was read: what may be left out has its value. */
export type SkillManifest = Omit<ManifestSource, 'module' | 'runtime'> & {
  /** Empty for a container. */
  readonly module: string
  readonly runtime: SkillRuntime
}

/** The JSON Schema that editors are given. */
export function manifestJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(manifestSchema, { io: 'input' })
  return { $schema, title: 'skill.yaml of a loqa skill', ...rest }
}
