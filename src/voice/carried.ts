/**
 * A conversation that moves to another node: what goes along, and its state made again there. Only between turns, and only one by text:
 * a satellite speaks to its own node, and what is said under the scope `ephemeral` leaves none.
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
import { SESSION_NAME } from './afar.ts'
import { MOST_SENTENCES } from './said.ts'
import { isIdle, newConversation } from './turn.ts'
import type { Conversation, TurnState } from './turn-state.ts'

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
})
export type Carried = Readonly<z.infer<typeof carriedSchema>>

/** A snapshot of version 1 as it would be today. */
export const formerCarried = (snapshot: unknown): unknown =>
  typeof snapshot === 'object' && snapshot !== null ? { ...snapshot, under_way: null } : snapshot

/** What of a session's state goes along. */
export interface Talk {
  readonly startedAt: Wall
  readonly turn: TurnState
  readonly scope: PrivacyScope
  readonly person?: string
  /** A turn that ended, or was interrupted, when nobody heard it. */
  readonly unsaid?: UnderWay
}

/** Undefined: not now, or not at all. `now`: monotonic. */
export function carry(
  state: Talk & { readonly waiting: readonly unknown[] },
  now: number,
): Carried | undefined {
  const { turn, waiting, unsaid } = state
  if (!isIdle(turn) || waiting.length > 0 || turn.satellite !== undefined) return undefined
  return talkOf(state, unsaid ?? null, now)
}

/** What is remembered at any time. Undefined: it leaves no node. `now`: monotonic. */
export function talkOf(state: Talk, under_way: UnderWay | null, now: number): Carried | undefined {
  const { turn, scope, person, startedAt } = state
  if (scope === 'ephemeral') return undefined
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
    under_way,
  }
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
    under_way,
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
      conversation: {
        ...turn.conversation,
        last: (last ?? undefined) as Conversation['last'],
        lastReply: last_reply ?? undefined,
        expecting: question,
      },
    },
    scope,
    ...(person === undefined ? {} : { person }),
    ...(under_way === null ? {} : { unsaid: under_way }),
  }
}

const asked = ({ left_ms: _left, ...question }: NonNullable<Carried['expecting']>) => question
