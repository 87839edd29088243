/**
 * A conversation that moves to another node: what goes along, and its state made again there. Only between turns and without a satellite,
 * which speaks to its own node; a reply that was broken off comes along with the sample at which it was. What is said under the scope
 * `ephemeral` leaves no node.
 */
import {
  InvalidInputError,
  type Monotonic,
  type PrivacyScope,
  type SessionId,
  sessionId,
  type Wall,
} from '../host/index.ts'
import { bytesOf, samplesOf } from './audio.ts'
import { type Carried, carriedSchema, type UnderWay } from './carried-shape.ts'
import { isCutting } from './going-on.ts'
import type { Away } from './session-state.ts'
import { isIdle, newConversation } from './turn.ts'
import type { Conversation, Left, TurnState } from './turn-state.ts'

/** What of a session's state goes along. */
export interface Talk {
  readonly startedAt: Wall
  readonly turn: TurnState
  readonly scope: PrivacyScope
  readonly person?: string
  readonly away?: Away | undefined
  readonly former?: string | undefined
  /** A turn that ended, or was interrupted, when nobody heard it. */
  readonly unsaid?: UnderWay
}

/** Undefined: not now, or not at all. `now`: monotonic. */
export function carry(
  state: Talk & { readonly waiting: readonly unknown[] },
  now: number,
): Carried | undefined {
  const { turn, waiting, unsaid, away, former } = state
  if (!isIdle(turn) || waiting.length > 0 || turn.satellite !== undefined || isCutting(turn)) return undefined
  const talk = talkOf(state, unsaid ?? null, now)
  if (talk === undefined) return undefined
  return {
    ...talk,
    left: turn.left === undefined ? null : carriedLeft(turn.left, now),
    away: away === undefined ? null : carriedAway(away),
    former: former ?? null,
  }
}

/**
 * What is remembered at any time; of a move nothing: who goes on when a node is lost is told by the satellite how far it came.
 * Undefined: it leaves no node. `now`: monotonic.
 */
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
    ...{ under_way, left: null, away: null, former: null },
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

type CarriedHeard = NonNullable<NonNullable<Carried['away']>['heard']>

/** Its former satellite is of its former node. */
const carriedAway = ({ room, satellite, heard }: Away): Carried['away'] => ({
  room,
  ...(satellite === undefined ? {} : { satellite }),
  ...(heard === undefined ? {} : { heard: heard as unknown as CarriedHeard }),
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
    under_way,
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
    ...(under_way === null ? {} : { unsaid: under_way }),
  }
}

const asked = ({ left_ms: _left, ...question }: NonNullable<Carried['expecting']>) => question
