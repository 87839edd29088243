/**
 * A conversation that moves to another node: what goes along, and its state made again there. Only between turns, and only one by text:
 * a satellite speaks to its own node, and what is said under the scope `ephemeral` leaves none.
 */
import {
  InvalidInputError,
  type Monotonic,
  type PrivacyScope,
  type SessionId,
  sessionId,
  type Wall,
} from '../host/index.ts'
import { type Carried, carriedSchema, type UnderWay } from './carried-shape.ts'
import { isIdle, newConversation } from './turn.ts'
import type { Conversation, TurnState } from './turn-state.ts'

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
