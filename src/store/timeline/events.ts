/** What is kept of a conversation: events under one envelope, and the heads of the timelines they belong to. */
import { z } from 'zod'
import { PRIVACY_SCOPES, type PrivacyScope } from '../../host/index.ts'

const name = z.string().max(256)

/** As it comes back from the file, where another version of the node may have written it. */
export const eventSchema = z.object({
  /** One turn through all its hops. */
  trace_id: name,
  session_id: name,
  /** Who noted it down. */
  actor_id: name,
  capability_tier: name,
  privacy_scope: z.enum(PRIVACY_SCOPES),
  /** Milliseconds since 1970: to show. */
  at: z.number(),
  /** Milliseconds on the monotonic clock of that process: for durations, and for a replay. */
  at_ms: z.number(),
  kind: name,
  body: z.record(z.string(), z.unknown()),
})
/** As another node tells it. */
export const recordedStep = eventSchema.strict().extend({
  at: z.number().min(0).max(8.64e15),
  kind: name.min(1),
})
export type TimelineEvent = Readonly<z.infer<typeof eventSchema>>

/** Whose timeline it is. Sealed too: a room and a person are nobody else's business. */
export interface TimelineHead {
  readonly session: string
  readonly scope: PrivacyScope
  readonly room: string
  /** Their id in the collection `persons`. */
  readonly person?: string | undefined
  /** Milliseconds since 1970. */
  readonly started_at: number
}

export const headSchema = z.object({
  session: name,
  scope: z.enum(PRIVACY_SCOPES),
  room: name,
  person: name.optional(),
  started_at: z.number(),
})

/** One row of what is kept. */
export interface KeptTimeline extends TimelineHead {
  /** Undefined while the conversation goes on. */
  readonly ended_at: number | undefined
  readonly events: number
  readonly bytes: number
}

/** Which timelines an order is about. */
export type Selection = { readonly session: string } | { readonly person: string } | { readonly all: true }

export const isSelected = (
  { session, person }: Pick<TimelineHead, 'session' | 'person'>,
  which: Selection,
): boolean => 'all' in which || ('session' in which ? which.session === session : which.person === person)

export interface Erased {
  readonly timelines: number
  readonly events: number
}
