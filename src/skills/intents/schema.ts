/**
 * The shape of the grammar's sources: the lexicon, and every file with `intents:` (skill manifests among them).
 * Skill packages come from others, so names, counts and lengths are bounded here, before anything is expanded.
 */
import { z } from 'zod'
import { LoqaError } from '../../host/index.ts'
import { MAX_TEMPLATE_LENGTH } from './template.ts'

const MAX_INTENTS_PER_FILE = 200
const MAX_TEMPLATES_PER_INTENT = 64
const MAX_SLOTS_PER_INTENT = 12
const MAX_VALUES_PER_TYPE = 2000
const MAX_SPOKEN_LENGTH = 80
const MAX_FOLLOWED = 16

const slotName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'small letters, digits and underscores')
  .describe('a name of small letters, digits and underscores, a letter first')
export const intentName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_]*)+$/, 'a name like "timer.set"')
  .max(60)
const spoken = z.string().trim().min(1).max(MAX_SPOKEN_LENGTH)
const template = z.string().min(1).max(MAX_TEMPLATE_LENGTH)

/** Languages of one manifest. */
const MAX_LANGUAGES = 32

export const languageTag = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Z]{2})?$/)
  .describe('a language like en, de or de-AT')

const byLanguage = <T extends z.ZodType>(one: T) =>
  z.record(languageTag, one).refine((given) => {
    const { length } = Object.keys(given)
    return length > 0 && length <= MAX_LANGUAGES
  }, `1 to ${MAX_LANGUAGES} languages`)

const question = z.string().max(200)
const templates = z.array(template).min(1).max(MAX_TEMPLATES_PER_INTENT)
const negative = z.array(template).max(MAX_TEMPLATES_PER_INTENT)
const examples = z.array(spoken).max(MAX_TEMPLATES_PER_INTENT)

const slot = {
  /** A type of the lexicon, of the same file, or `number` / `duration`. */
  type: slotName,
  optional: z.boolean().default(false),
  /** Several values may be named: the value is a list, also with one. */
  many: z.boolean().default(false),
}
const slotSchema = z.strictObject({
  ...slot,
  /** What to ask when it is missing. */
  ask: question.optional(),
})

const slotsOf = <T extends z.ZodType>(one: T) =>
  z
    .record(slotName, one)
    .default({} as never)
    .refine(
      (slots) => Object.keys(slots as object).length <= MAX_SLOTS_PER_INTENT,
      `at most ${MAX_SLOTS_PER_INTENT} slots`,
    )

const intent = {
  /**
   * Understood only right after one of these intents ("make it ten"): by its name, which of this intent's slots are filled from which of
   * its own. A bare number for a duration is in the unit of the duration that was said before.
   */
  follows: z
    .record(intentName, z.record(slotName, slotName))
    .refine((intents) => Object.keys(intents).length <= MAX_FOLLOWED, `at most ${MAX_FOLLOWED} intents`)
    .describe(
      'Understood only right after one of these intents; which slots are filled from which of theirs.',
    )
    .optional(),
  /** `high` and `critical`: taken from exact sentences only, never from a repaired one or a model's answer. */
  risk: z.enum(['low', 'medium', 'high', 'critical']).default('low'),
  /** Carried out twice it does the same as once: tried again elsewhere when its node dies meanwhile. */
  idempotent: z.boolean().default(false),
}

/** In one language, as the grammar takes it. */
export const intentSchema = z.strictObject({
  templates,
  /** Sentences that look like this intent and are not. */
  negative: negative.default([]),
  slots: slotsOf(slotSchema),
  /** Asked before acting. Such an intent is taken from exact sentences only. */
  confirm: question.optional(),
  ...intent,
  /** Whole sentences that must be understood as this intent; the skill's own test checks them. */
  examples: examples.default([]),
})

/** The same in several, as a manifest may have it (`languages.ts`). */
export const spokenIntentSchema = z.strictObject({
  templates: z.union([templates, byLanguage(templates)]),
  negative: z.union([negative, byLanguage(negative)]).default([]),
  slots: slotsOf(z.strictObject({ ...slot, ask: z.union([question, byLanguage(question)]).optional() })),
  confirm: z.union([question, byLanguage(question)]).optional(),
  ...intent,
  examples: z.union([examples, byLanguage(examples)]).default([]),
})

const typesOf = <T extends z.ZodType>(synonyms: T) =>
  z.record(
    slotName,
    z
      .record(spoken, synonyms)
      .refine(
        (values) => Object.keys(values).length <= MAX_VALUES_PER_TYPE,
        `at most ${MAX_VALUES_PER_TYPE} values`,
      ),
  )
export const typesSchema = typesOf(z.array(spoken))
export const spokenTypesSchema = typesOf(z.union([z.array(spoken), byLanguage(z.array(spoken))]))

/** Other keys of a skill's manifest are the catalogue's business and pass unread. */
const sourceSchema = z.looseObject({
  before: z.array(spoken).max(100).default([]),
  after: z.array(spoken).max(100).default([]),
  types: typesSchema.default({}),
  /** Types people fill freely: where a language model copies another value from the text, it is taken as it is. */
  open: z.array(slotName).max(100).default([]),
  rules: z.record(slotName, template).default({}),
  intents: z
    .record(intentName, intentSchema)
    .default({})
    .refine(
      (intents) => Object.keys(intents).length <= MAX_INTENTS_PER_FILE,
      `at most ${MAX_INTENTS_PER_FILE} intents`,
    ),
})

export type IntentSource = z.infer<typeof intentSchema>
export type SlotSource = z.infer<typeof slotSchema>
export type Source = z.infer<typeof sourceSchema> & { readonly file: string }

/** One parsed YAML file: a lexicon, a group of intents or a skill's manifest. */
export interface GrammarSource {
  /** Named in errors. */
  readonly file: string
  readonly content: unknown
}

/** A source that cannot be compiled. The message names file, intent and template. */
export class GrammarError extends LoqaError {
  readonly file: string

  constructor(file: string, problem: string, cause?: unknown) {
    super('grammar-invalid', `${file}: ${problem}`, { cause, hint: 'Correct the file and start again.' })
    this.file = file
  }
}

/** @throws GrammarError naming the first key that is wrong. */
export function checkSource({ file, content }: GrammarSource): Source {
  const parsed = sourceSchema.safeParse(content)
  if (parsed.success) return { ...parsed.data, file }
  const issue = parsed.error.issues[0]
  const place =
    issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.map(String).join(' › ')
  throw new GrammarError(file, `${place}: ${issue?.message ?? 'not a grammar'}`, parsed.error)
}
