/** The public shapes of the household, apart from what is done with them. */
import { z } from 'zod'

const time = z.string().describe('ISO 8601.')
export const nodeName = z
  .string()
  .min(1)
  .max(128)
  .describe('Id of a node, the end of one (six characters or more), or a name that only one node bears.')

export const householdShape = z.object({
  id: z.string(),
  phase: z.enum(['member', 'removed']),
  members: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        self: z.boolean(),
        may_admit: z.boolean(),
        since: time,
        expires: time,
      }),
    )
    .readonly(),
  removed: z.array(z.string()).readonly(),
  open_until: time.nullable(),
  locked: z.boolean(),
  pending: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        code: z.string().describe('Six digits: approve only when the node itself shows the same.'),
        waits_s: z.number(),
      }),
    )
    .readonly(),
  joining: z
    .object({ id: z.string(), code: z.string().nullable(), confirmed: z.boolean() })
    .nullable()
    .describe('This node asks to be let in there.'),
})
export type HouseholdView = z.infer<typeof householdShape>

/** What a person may ask for. */
export type HouseholdChange =
  | { readonly action: 'open'; readonly minutes?: number }
  | { readonly action: 'lock' }
  | { readonly action: 'reset' }
  | { readonly action: 'approve'; readonly code: string }
  | { readonly action: 'revoke' | 'dismiss' | 'join'; readonly node: string }
