/** The public shapes of what skills want to do and may not without a person. */
import { z } from 'zod'

export const approvalRow = z.object({
  id: z.string(),
  skill: z.string(),
  wants: z.string().describe('What follows "wants to", e.g. "unlock the front door".'),
  risk: z.enum(['low', 'medium', 'high', 'critical']),
  room: z.string().describe('Where it was asked for; empty when nobody asked.'),
  node: z.string().describe('Whose skill waits.'),
  state: z
    .enum(['waiting', 'allowed', 'denied', 'expired'])
    .describe('Expired is a no: nobody decided in time.'),
  by: z.string().nullable().describe('Who decided.'),
  asked_at: z.string(),
  until: z.string().describe('Denied by itself then.'),
})
export type ApprovalRow = z.infer<typeof approvalRow>

export const approvalParams = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]{1,32}$/, 'must be an id as loqa approvals ls shows it')
    .describe('Of what waits.'),
})

export const decideRequest = z.strictObject({
  allow: z.boolean().describe('False denies it.'),
  by: z.enum(['cli', 'page']).optional().describe('Where the person decided, for the audit log.'),
})
