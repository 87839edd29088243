/**
 * A conversation that moves to another node: what goes along, and its state made again there. Only between turns and without a satellite,
 * which speaks to its own node; a reply that was broken off comes along with the sample at which it was. What is said under the scope
 * `ephemeral` leaves no node.
 */
import { z } from 'zod'
import {
  InvalidInputError,
  limits,
  type Monotonic,
  type PrivacyScope,
  type SessionId,
  sessionId,
  type Wall,
} from '../host/index.ts'
import { heardSchema, SESSION_NAME } from './afar.ts'
import { bytesOf, samplesOf } from './audio.ts'
import { isCutting } from './going-on.ts'
import { MOST_AHEAD } from './messages.ts'
import { MOST_SENTENCES } from './said.ts'
import type { Away } from './session-state.ts'
import { isIdle, newConversation } from './turn.ts'
import type { Conversation, Left, TurnState } from './turn-state.ts'

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

const carriedSchema = z.strictObject({
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
  left: leftSchema.nullable(),
  /** It is on its way to this room, and perhaps satellite; with what it said. */
  away: z
    .strictObject({
      room: z.string().min(1).max(64),
      satellite: z.string().max(64).exactOptional(),
      heard: heardSchema.exactOptional(),
    })
    .nullable(),
  former: z.string().max(64).nullable(),
})
/** Of the version before: nothing was broken off, and nobody was on the way to a room. */
export const carriedOfFormer = (snapshot: unknown): unknown =>
  typeof snapshot === 'object' && snapshot !== null
    ? { ...snapshot, left: null, away: null, former: null }
    : snapshot

export type Carried = Readonly<z.infer<typeof carriedSchema>>

/** What of a session's state goes along. */
export interface Talk {
  readonly startedAt: Wall
  readonly turn: TurnState
  readonly scope: PrivacyScope
  readonly person?: string
  readonly away?: Away | undefined
  readonly former?: string | undefined
}

/** Undefined: not now, or not at all. `now`: monotonic. */
export function carry(
  state: Talk & { readonly waiting: readonly unknown[] },
  now: number,
): Carried | undefined {
  const { turn, waiting, scope, person, startedAt, away, former } = state
  if (!isIdle(turn) || waiting.length > 0 || turn.satellite !== undefined || scope === 'ephemeral')
    return undefined
  if (isCutting(turn)) return undefined
  const { room, last, lastReply, expecting: open } = turn.conversation
  return {
    session: turn.session,
    room,
    scope,
    ...(person === undefined ? {} : { person }),
    started_at: startedAt,
    turns: turn.turns,
    guesses: turn.guesses,
    last: (last as Carried['last']) ?? null,
    last_reply: lastReply ?? null,
    expecting: open === undefined ? null : carriedQuestion(open, now),
    left: turn.left === undefined ? null : carriedLeft(turn.left, now),
    away: away === undefined ? null : carriedAway(away),
    former: former ?? null,
  }
}

function carriedLeft(
  { turn, sentences, ends, samples = 0, ahead, until }: Left,
  now: number,
): Carried['left'] {
  return {
    ...{ turn, sentences: [...sentences], ends: [...ends], samples },
    ...{ ahead: new Uint8Array(bytesOf(ahead)), left_ms: until - now },
  }
}

/** Its former satellite is of its former node. */
const carriedAway = ({ room, satellite, heard }: Away): Carried['away'] => ({
  room,
  ...(satellite === undefined ? {} : { satellite }),
  ...(heard === undefined ? {} : { heard: heard as unknown as z.infer<typeof heardSchema> }),
})

function leftFrom({ left_ms, ahead, ...left }: NonNullable<Carried['left']>, now: number): Left {
  return { ...left, from: left.samples, ahead: samplesOf(ahead), until: (now + left_ms) as Monotonic }
}

function carriedQuestion(open: NonNullable<Conversation['expecting']>, now: number): Carried['expecting'] {
  const { until, ...question } = open
  return { ...question, left_ms: until - now } as Carried['expecting']
}

/** Errors: `invalid-input`: no conversation gave that. `now`: monotonic, of this node. */
export function unpacked(snapshot: unknown, now: number): Talk {
  const checked = carriedSchema.safeParse(snapshot)
  if (!checked.success)
    throw new InvalidInputError('A conversation came from another node that cannot be read')
  const {
    session,
    room,
    scope,
    person,
    started_at,
    turns,
    guesses,
    last,
    last_reply,
    expecting: open,
    left,
    away,
    former,
  } = checked.data
  const turn = newConversation(sessionId(session) as SessionId, room, person)
  const question =
    open === null
      ? undefined
      : ({ ...asked(open), until: (now + open.left_ms) as Monotonic } as unknown as Conversation['expecting'])
  return {
    startedAt: started_at as Wall,
    turn: {
      ...turn,
      turns,
      guesses,
      ...(left === null ? {} : { left: leftFrom(left, now) }),
      conversation: {
        ...turn.conversation,
        last: (last ?? undefined) as Conversation['last'],
        lastReply: last_reply ?? undefined,
        expecting: question,
      },
    },
    scope,
    ...(person === undefined ? {} : { person }),
    ...(away === null ? {} : { away: away as unknown as Away }),
    ...(former === null ? {} : { former }),
  }
}

const asked = ({ left_ms: _left, ...question }: NonNullable<Carried['expecting']>) => question
