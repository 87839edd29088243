/** The public shapes of skills: what there is, what one may do, what adding one would mean. */
import { z } from 'zod'

const time = z.string().describe('ISO 8601.')
const skill = z.string().min(1).max(32).describe('Name of a skill.')
const key = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')

export const skillRow = z.object({
  name: z.string(),
  version: z.string(),
  publisher: z.string(),
  level: z
    .enum(['program', 'official', 'vetted', 'own', 'folder', 'none'])
    .describe('Who vouches for it; `folder` is skills.extra_dir, `none` is nobody.'),
  zone: z.int(),
  summary: z.string(),
  state: z.enum(['ready', 'disabled', 'unusable']),
  permissions: z.array(z.string()).readonly(),
  pinned: z.boolean(),
  waiting: z.string().nullable().describe('A newer version that asks for more: loqa skill grant.'),
  problem: z.string().nullable(),
})
export type SkillView = z.infer<typeof skillRow>

export const skillAsk = z.object({
  ask: z.string(),
  means: z.string().describe('What that lets it do, in plain words.'),
  why: z.string().describe('The reason it gives.'),
  serious: z.boolean(),
  granted: z.boolean(),
})

export const skillDetail = skillRow.extend({
  digest: z.string(),
  licence: z.string(),
  key: z.string().nullable().describe('The key that signed it.'),
  root: z.string().nullable().describe('The key that vouches for that one.'),
  until: z.string().nullable().describe('The last day its publisher is vouched for.'),
  added_at: time.nullable(),
  added_by: z.string().nullable().describe('The node a person sat at.'),
  intents: z.array(z.string()).readonly(),
  asks: z.array(skillAsk).readonly(),
  problem_code: z.string().nullable(),
})
export type SkillDetail = z.infer<typeof skillDetail>

export const skillReview = z.object({
  outcome: z.enum(['installed', 'updated', 'unchanged', 'waiting']),
  skill: skillDetail,
  more: z.array(z.string()).readonly().describe('What it asks for beyond what was granted.'),
  unsigned: z.boolean().describe('Nobody vouches for it: it is added as the household’s own work.'),
})
export type SkillReview = z.infer<typeof skillReview>

export const revokedRow = z.object({
  what: z.string().describe('`package:…`, `key:…` or `publisher:…`.'),
  why: z.string(),
  at: time,
  by: z.string(),
})
export type RevokedRow = z.infer<typeof revokedRow>

export const trustedRow = z.object({
  publisher: z.string(),
  key: z.string(),
  level: z.string(),
  from: z.string(),
  until: z.string(),
})
export type TrustedRow = z.infer<typeof trustedRow>

/** A package as base64 in JSON: four characters for three bytes, and the words around it. */
export const MAX_ADD_BYTES = 6 * 1024 * 1024

export const skillRequests = {
  add: z.strictObject({
    package: z.base64().max(MAX_ADD_BYTES).describe('The .loqa file.'),
    grant: z.boolean().default(false).describe('A person read what it asks for and agreed.'),
    unsigned: z
      .boolean()
      .default(false)
      .describe('Add what nobody vouches for, as the household’s own work.'),
    dry_run: z.boolean().default(false),
  }),
  rm: z.strictObject({ skill }),
  pin: z.strictObject({ skill, on: z.boolean().default(true) }),
  grant: z.strictObject({ skill, dry_run: z.boolean().default(false) }),
  enable: z.strictObject({ skill }),
  revoke: z.strictObject({
    kind: z.enum(['skill', 'key', 'publisher', 'package']),
    what: z
      .string()
      .min(1)
      .max(64)
      .describe('The name of a skill that is here, a key, a publisher, or a digest.'),
    why: z.string().max(200).default(''),
    undo: z.boolean().default(false),
  }),
  trust: z.strictObject({
    publisher: skill,
    key,
    days: z.int().min(1).max(3_650).default(365),
    undo: z.boolean().default(false),
  }),
} as const

type Requests = typeof skillRequests
export type SkillRequest<K extends keyof Requests> = z.output<Requests[K]>

/** What HTTP and the command line may ask about skills. Errors: `skill-*`, `package-invalid`, `not-found`, `store-*`. */
export interface SkillsView {
  list(): readonly SkillView[]
  show(name: string): SkillDetail
  add(request: Omit<SkillRequest<'add'>, 'package'> & { readonly package: Uint8Array }): Promise<SkillReview>
  rm(request: SkillRequest<'rm'>): Promise<SkillDetail>
  pin(request: SkillRequest<'pin'>): Promise<SkillDetail>
  grant(request: SkillRequest<'grant'>): Promise<SkillReview>
  enable(request: SkillRequest<'enable'>): SkillDetail
  revoke(request: SkillRequest<'revoke'>): Promise<readonly RevokedRow[]>
  revoked(): Promise<readonly RevokedRow[]>
  trust(request: SkillRequest<'trust'>): Promise<readonly TrustedRow[]>
  trusted(): Promise<readonly TrustedRow[]>
}
