/** The public shapes of the settings of skills. */
import { z } from 'zod'

export const settingValue = z.union([z.string().max(1_000), z.number(), z.boolean()])

export const skillSettings = z.object({
  skill: z.string(),
  config: z.array(
    z.object({
      key: z.string(),
      type: z.enum(['string', 'number', 'boolean']),
      summary: z.string(),
      value: settingValue.nullable().describe('Null: the skill waits until somebody chooses.'),
      chosen: z.boolean().describe('False: it is the skill’s own default.'),
    }),
  ),
  secrets: z.array(z.object({ key: z.string(), given: z.boolean() })),
})
export type SkillSettingsView = z.infer<typeof skillSettings>
