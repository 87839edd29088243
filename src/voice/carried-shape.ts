/** A conversation as plain data: what goes along when it moves, and what is kept of it for the node that goes on when its own is lost. */
import { z } from 'zod'
import { limits } from '../host/index.ts'
import { SESSION_NAME } from './names.ts'
import { MOST_AHEAD, MOST_SENTENCES } from './said.ts'
import { transcribedSchema } from './transcribed.ts'

/** Of `carriedSchema`: counted up when it changes. */
export const CARRIED_VERSION = 2

const text = z.string().max(limits.MAX_TURN_TEXT)
const name = z.string().max(128)
const slot = z.union([text, z.number(), z.array(text).max(64)])
const intent = z.object({ name, slots: z.record(name, slot) }).catchall(z.unknown())
const expecting = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('slot'), intent, slot: name, left_ms: z.number() }),
  z.strictObject({ kind: z.literal('confirm'), intent, left_ms: z.number() }),
])

/** A turn that was not over: how far it came. */
const underWay = z.strictObject({
  turn: z.int().min(1),
  transcript: text,
  intent,
  /** Of what it means, where that is asked for. */
  confirmed: z.boolean(),
  /** Null: its reply is not known yet, and a skill was perhaps asked. */
  reply: text.nullable(),
  /** Of `Said`. */
  ends: z.array(z.int().min(0)).max(MOST_SENTENCES),
  samples: z.int().min(0),
})
export type UnderWay = Readonly<z.infer<typeof underWay>>

/** Of `Left`: the reply that was broken off. */
const leftSchema = z.strictObject({
  turn: z.int().min(1),
  sentences: z.array(text).max(MOST_SENTENCES),
  ends: z.array(z.int().min(0)).max(MOST_SENTENCES),
  samples: z.int().min(0),
  /** s16, 16 kHz mono. */
  ahead: z.instanceof(Uint8Array).refine(({ length }) => length % 2 === 0 && length <= 2 * MOST_AHEAD),
  left_ms: z.number(),
})

/** Of `Away`: it is on its way to this room, and perhaps satellite; with what was said there. */
const awaySchema = z.strictObject({
  room: z.string().min(1).max(64),
  satellite: z.string().max(64).exactOptional(),
  heard: transcribedSchema.exactOptional(),
})

export const carriedSchema = z.strictObject({
  session: z.string().regex(SESSION_NAME),
  room: z.string().min(1).max(64),
  scope: z.enum(['session', 'persistent']),
  person: z.string().max(128).exactOptional(),
  started_at: z.number().min(0).max(8.64e15),
  turns: z.int().min(0),
  guesses: z.int().min(0),
  last: intent.nullable(),
  last_reply: text.nullable(),
  /** With what is left of its time: the clock of the other node is another. */
  expecting: expecting.nullable(),
  under_way: underWay.nullable(),
  /** The next three only of one that moves. */
  left: leftSchema.nullable(),
  away: awaySchema.nullable(),
  /** The satellite it left. */
  former: z.string().max(64).nullable(),
})
export type Carried = Readonly<z.infer<typeof carriedSchema>>

/** A snapshot of version 1 as it would be today. */
export const formerCarried = (snapshot: unknown): unknown =>
  typeof snapshot === 'object' && snapshot !== null
    ? { ...snapshot, under_way: null, left: null, away: null, former: null }
    : snapshot
