/** The public shapes of the audit log. */
import { z } from 'zod'

/** Records one answer brings: 400 KB. For more there is the export. */
export const MAX_AUDIT_ROWS = 1_000
const DEFAULT_AUDIT_ROWS = 50

export const auditQuery = z.strictObject({
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Only records of this time or later, ISO 8601.'),
  what: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Only what happened, e.g. skill.call, or all that begins so up to a dot, e.g. household.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_AUDIT_ROWS)
    .default(DEFAULT_AUDIT_ROWS)
    .describe('At most so many: the newest.'),
})
export type AuditQuery = z.output<typeof auditQuery>

export const auditRow = z.object({
  seq: z.int(),
  time: z.string().describe('ISO 8601, by the clock of the node.'),
  node: z.string(),
  actor: z.string(),
  who: z.string(),
  what: z.string(),
  object: z.string(),
  outcome: z.string(),
  prev_hash: z.string(),
  hash: z.string(),
})
export type AuditRow = z.infer<typeof auditRow>

const holders = z
  .array(z.string())
  .readonly()
  .describe('Names of nodes, and audit.checkpoint, the file beside the log.')

export const auditVerification = z.object({
  ok: z.boolean(),
  checked_at: z.string().describe('ISO 8601.'),
  records: z.int(),
  begins_after: z
    .int()
    .nullable()
    .describe('Number of the last record that was taken away because it was old; null: none was.'),
  head: z.string().describe('Hash of the last record.'),
  signed_until: z.int().describe('Number of the last record that a checkpoint bears out.'),
  newest_checkpoint: z.object({ seq: z.int(), time: z.string(), held_by: holders }).nullable(),
  faulty: z.int().describe('Faults in all; the first hundred are listed.'),
  faults: z
    .array(
      z.object({
        kind: z.enum([
          'unreadable',
          'out-of-order',
          'unlinked',
          'changed',
          'foreign',
          'cut-off',
          'rewritten',
          'tail-missing',
        ]),
        line: z.int().describe('Line of the file, from 1.'),
        seq: z.int(),
        reason: z.string().describe('What is wrong; goes on after the line number.'),
        signed_until: z.int().describe('Up to this record all is as it was signed.'),
        shown_by: holders,
        acknowledged: z.boolean(),
      }),
    )
    .readonly(),
})
export type AuditVerification = z.infer<typeof auditVerification>
