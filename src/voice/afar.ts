/**
 * What nodes say to each other about conversations: texts asked of a session that lives elsewhere, their answers, and which sessions
 * a node has. Everything that comes from another node is checked here, once; its size was bounded by the frame it came in.
 */
import { z } from 'zod'
import type { Message } from '../actors/index.ts'
import { limits } from '../host/index.ts'
import type { SlotValue } from '../skills/index.ts'
import type { TurnView } from './messages.ts'
import { SESSION_NAME } from './names.ts'
import { MOST_PARTIALS, transcribedSchema } from './transcribed.ts'

/** Conversations of one node at once. One takes a few kilobytes while nobody speaks. */
export const MOST_SESSIONS = 512
/** Texts a turn may show: what was heard, what is said. A reply is at most two minutes of speech. */
const MOST_TEXT = limits.MAX_TURN_TEXT
/** Slots of an intent, and things named in one of them. */
const MOST_SLOTS = 64

/** Conversations in which somebody spoke within the minute: as many as a house has rooms. */
export const MOST_TALKS = 64

const text = z.string().max(MOST_TEXT)
const name = z.string().max(128)
const session = z.string().regex(SESSION_NAME)
const room = z.string().min(1).max(64)
const ms = z.number().min(-1e9).max(1e9).nullable()

/** Anybody → session of another node, as an ask: one turn by text. */
const askSchema = z.strictObject({ type: z.literal('turn.ask'), text: text.min(1) })

const slot: z.ZodType<SlotValue> = z.union([text, z.number(), z.array(text).max(MOST_SLOTS)])

/** Its answer. */
const answerSchema = z.strictObject({
  type: z.literal('turn.view'),
  turn: z.strictObject({
    session,
    room,
    transcript: text,
    partials: z.array(text).max(MOST_PARTIALS),
    intent: name,
    slots: z.record(name, slot).refine((slots) => Object.keys(slots).length <= MOST_SLOTS),
    reply: text,
    latency_ms: z.strictObject({ endpoint: ms, stt: ms, nlu: ms, skill: ms, tts: ms, total: ms }),
    cut_off: z.boolean(),
    reply_wav: z.null(),
    error: z
      .strictObject({
        code: name,
        message: z.string().max(1_000),
        hint: z.string().max(1_000).exactOptional(),
      })
      .exactOptional(),
  }),
})

/** Anybody → registrar of another node, as an ask: which sessions do you have? */
export const SESSIONS_ASKED: Message = { type: 'sessions.list' }

const rowsSchema = z.strictObject({
  type: z.literal('sessions.rows'),
  sessions: z
    .array(
      z.strictObject({
        id: session,
        room,
        phase: name.min(1),
        /** Milliseconds since 1970 by its node's clock; within what a date can show. */
        started_at: z.number().min(0).max(8.64e15),
      }),
    )
    .max(MOST_SESSIONS),
})
export type SessionRows = Readonly<z.infer<typeof rowsSchema>>

/** Front desk of another node → registrar, as an ask: in which conversations did somebody speak a moment ago? */
export const TALKS_ASKED: Message = { type: 'talks.list' }

const intent = z.strictObject({
  name,
  slots: z.record(name, slot).refine((slots) => Object.keys(slots).length <= MOST_SLOTS),
})

const talksSchema = z.strictObject({
  type: z.literal('talks.rows'),
  talks: z
    .array(
      z.strictObject({
        session,
        room,
        /** Since somebody spoke or was spoken to there. */
        heard_ms: z.number().min(0).max(1e9),
        speaking: z.boolean(),
        person: z.string().max(128).exactOptional(),
        last: intent.exactOptional(),
        asks: z.strictObject({ intent, slot: name }).exactOptional(),
        can_go_on: z.boolean(),
      }),
    )
    .max(MOST_TALKS),
})
export type TalkRows = Readonly<z.infer<typeof talksSchema>>

/** Undefined: no registrar answers so. */
export function talksFromAfar(answer: unknown): TalkRows['talks'] | undefined {
  const checked = talksSchema.safeParse(answer)
  return checked.success ? checked.data.talks : undefined
}

/** Front desk of another node → session: its words are explained in `messages.ts`. */
const orderSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('session.leave'),
    room,
    satellite: name.exactOptional(),
    heard: transcribedSchema.exactOptional(),
    far: z.boolean(),
  }),
  z.strictObject({ type: z.literal('session.arrive') }),
  z.strictObject({ type: z.literal('session.stay') }),
])

const givenSchema = z.strictObject({
  type: z.literal('announcement.given'),
  announcement: z.strictObject({
    type: z.literal('announce'),
    skill: name,
    speech: text.min(1),
    room,
    asks: intent.exactOptional(),
  }),
})

/** Whether it is an announcement that the herald may be given by another node. */
export const isGivenFromAfar = (message: Message): boolean => givenSchema.safeParse(message).success

const leftSchema = z.strictObject({
  type: z.literal('session.left'),
  why_not: z.enum(['busy', 'ephemeral', 'there']).exactOptional(),
})

/** Undefined: no session answers so. */
export function leftFromAfar(answer: unknown): z.infer<typeof leftSchema> | undefined {
  const checked = leftSchema.safeParse(answer)
  return checked.success ? checked.data : undefined
}

/** Whether another node may say this to a session. Audio and satellites are the business of its own node. */
export const isAskFromAfar = (message: Message): boolean =>
  askSchema.safeParse(message).success || orderSchema.safeParse(message).success

/** Undefined: no session answers so. */
export function turnFromAfar(answer: unknown): TurnView | undefined {
  const checked = answerSchema.safeParse(answer)
  return checked.success ? checked.data.turn : undefined
}

/** Undefined: no registrar answers so. */
export function sessionsFromAfar(answer: unknown): SessionRows['sessions'] | undefined {
  const checked = rowsSchema.safeParse(answer)
  return checked.success ? checked.data.sessions : undefined
}
