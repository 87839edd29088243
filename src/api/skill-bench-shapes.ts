/** The public shapes of skills under development. */
import { z } from 'zod'

/** A module has 4 MiB at most, a manifest 256 KiB; base64 makes three bytes four. */
export const MAX_SKILL_BODY_BYTES = 6 * 1024 * 1024

export const skillFiles = z.strictObject({
  manifest: z
    .string()
    .max(256 * 1024)
    .describe('The text of skill.yaml.'),
  module: z.base64().max(MAX_SKILL_BODY_BYTES).describe('The module or the script, base64.'),
  folder: z.string().max(1_024).default('skill').describe('Where it lies, for messages.'),
})

export const onBench = z.object({
  name: z.string(),
  version: z.string(),
  permissions: z.array(z.string()).readonly(),
  replaced: z.boolean().describe('There was a skill of that name before.'),
})
export type OnBench = z.infer<typeof onBench>

export const skillParams = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be the name of a skill'),
})
export const ended = z.object({ name: z.string() })

/** One line of a skill's log. */
export interface SkillCallLine {
  readonly skill: string
  readonly entry: string
  /** JSON, as the skill was given it. */
  readonly input: string
  readonly ms: number
  readonly speech: string
  readonly changes: readonly Readonly<Record<string, unknown>>[]
  readonly error?: { readonly code: string; readonly message: string } | undefined
}
