/** The public shapes of what the node remembers of conversations and persons. */
import { z } from 'zod'
import { PRIVACY_SCOPES } from '../host/index.ts'
import { label, sessionId } from './words.ts'

export const privacyScope = z
  .enum(PRIVACY_SCOPES)
  .describe('How long the steps of the conversation are kept; the setting privacy.scope when absent.')

export const personName = label('Name or id of a person this household knows.')

export const timelineRow = z.object({
  session: z.string(),
  scope: z.enum(PRIVACY_SCOPES),
  room: z.string(),
  person: z.string().nullable().describe('Id of the person whose conversation it is.'),
  started_at: z.string(),
  ended_at: z.string().nullable().describe('Null while the conversation goes on.'),
  events: z.int(),
  bytes: z.int(),
})
export type TimelineRow = z.infer<typeof timelineRow>

export const timelineEvent = z.object({
  trace_id: z.string(),
  session_id: z.string(),
  actor_id: z.string(),
  capability_tier: z.string(),
  privacy_scope: z.enum(PRIVACY_SCOPES),
  at: z.number().describe('Milliseconds since 1970.'),
  at_ms: z.number().describe('Milliseconds on the monotonic clock of that process.'),
  kind: z.string(),
  body: z.record(z.string(), z.unknown()),
})
export type TimelineEventView = Readonly<z.infer<typeof timelineEvent>>

export const timeline = z.object({ session: z.string(), events: z.array(timelineEvent).readonly() })
export type TimelineView = z.infer<typeof timeline>

const decided = z.object({ kind: z.string(), body: z.unknown() }).nullable()
export const replayVerdict = z.object({
  same: z.boolean(),
  turns: z.int(),
  decisions: z.int().describe('Compared so far.'),
  difference: z
    .object({ turn: z.int(), step: z.int(), recorded: decided, replayed: decided })
    .optional()
    .describe('The first decision that differs; null where one side decided nothing more.'),
})
export type ReplayView = z.infer<typeof replayVerdict>

export const eraseRequest = z.strictObject({
  dry_run: z.boolean().optional().describe('Say what would go, and change nothing.'),
})

export const erased = z.object({ timelines: z.int(), events: z.int() })
export type ErasedView = z.infer<typeof erased>

export const sessionParams = z.strictObject({ id: sessionId })

export const personRow = z.object({
  id: z.string(),
  name: z.string(),
  since: z.string(),
  consent: z
    .object({ given: z.boolean(), at: z.string() })
    .nullable()
    .describe('To keep the steps of their conversations; null when they never said.'),
})
export type PersonRow = z.infer<typeof personRow>

export const personExport = z.object({
  person: personRow,
  timelines: z
    .array(z.object({ session: z.string(), events: z.array(timelineEvent).readonly() }))
    .readonly()
    .describe('Those this node keeps; other nodes keep their own.'),
  usual_rooms: z
    .array(z.string())
    .readonly()
    .describe(
      'In which rooms they usually speak, the usual one first; learned from what they agreed is kept.',
    ),
})
export type PersonExport = z.infer<typeof personExport>

export const personErased = z.object({ person: personRow, timelines: z.int(), events: z.int() })
export type PersonErased = z.infer<typeof personErased>
