/**
 * Knows the sessions of its node, for other nodes that ask. As in SIP: a registrar tells who is where.
 * R1  A session is in the list from its first phase until it says that it ended, or is gone for good, or lives on another node.
 */
import { type Behavior, type Message, next, type SystemMessage, same } from '../actors/index.ts'
import { sessionId } from '../host/index.ts'
import {
  MOST_SESSIONS,
  MOST_TALKS,
  SESSIONS_ASKED,
  type SessionRows,
  TALKS_ASKED,
  type TalkRows,
} from './afar.ts'
import type { SessionPhase } from './messages.ts'
import { sessionAddress } from './names.ts'

interface Row {
  readonly shown: SessionRows['sessions'][number]
  /** By the clock of this process. */
  readonly heard_at: number
  readonly person: string | undefined
  readonly talk: SessionPhase['talk']
}

/** Who speaks in another room within this speaks of the same: longer than the way through a house, shorter than another matter. */
export const FOLLOWED_MS = 60_000

export interface RegistrarState {
  readonly sessions: ReadonlyMap<string, Row>
}

export type RegistrarMessage =
  | SessionPhase
  | SystemMessage
  | (Message & { readonly type: 'sessions.list' | 'talks.list' })

export const registrar: Behavior<RegistrarState, RegistrarMessage> = {
  kind: 'registrar',
  start: () => next({ sessions: new Map() }, [{ type: 'subscribe', topic: 'session.phase' }]),

  receive(state, message, { replyTo, now }) {
    switch (message.type) {
      case 'session.phase':
        return moved(state, message, now)
      case 'terminated': {
        const { address } = message.ref
        const gone = [...state.sessions.keys()].find((id) => sessionAddress(sessionId(id)) === address)
        return gone === undefined ? same(state) : same(without(state, gone))
      }
      case 'sessions.list': {
        if (replyTo === undefined) return same(state)
        const rows: SessionRows = {
          type: 'sessions.rows',
          sessions: [...state.sessions.values()].map(({ shown }) => shown),
        }
        return next(state, [{ type: 'reply', to: replyTo, message: rows }])
      }
      case 'talks.list': {
        if (replyTo === undefined) return same(state)
        const rows: TalkRows = { type: 'talks.rows', talks: talksOf(state, now) }
        return next(state, [{ type: 'reply', to: replyTo, message: rows }])
      }
      default:
        return same(state)
    }
  },
}

const SPEAKING: readonly string[] = ['speaking', 'playing']

/** The latest first. */
function talksOf({ sessions }: RegistrarState, now: number): TalkRows['talks'] {
  return [...sessions.values()]
    .flatMap(({ shown: { id, room, phase }, heard_at, person, talk }) => {
      const speaking = SPEAKING.includes(phase)
      const heard_ms = speaking ? 0 : Math.max(0, now - heard_at)
      if (talk === undefined || heard_ms > FOLLOWED_MS) return []
      const about = talk as Omit<TalkRows['talks'][number], 'session'>
      return [
        { ...about, session: id, room, heard_ms, speaking, ...(person === undefined ? {} : { person }) },
      ]
    })
    .sort((a, b) => a.heard_ms - b.heard_ms)
    .slice(0, MOST_TALKS)
}

function moved(
  state: RegistrarState,
  { session, room, phase, started_at, talk, privacy }: SessionPhase,
  now: number,
) {
  if (phase === 'ended') return same(without(state, session))
  if (phase === 'moved') {
    return next<RegistrarState>(without(state, session), [
      { type: 'unwatch', target: sessionAddress(session) },
    ])
  }
  const known = state.sessions.has(session)
  // A node takes on no more; what is beyond is not shown elsewhere.
  if (!known && state.sessions.size >= MOST_SESSIONS) return same(state)
  const shown = { id: session, room, phase, started_at }
  const row: Row = { shown, heard_at: now, person: privacy?.person, talk }
  const sessions = new Map(state.sessions).set(session, row)
  return next<RegistrarState>({ sessions }, known ? [] : [{ type: 'watch', target: sessionAddress(session) }])
}

function without(state: RegistrarState, id: string): RegistrarState {
  const sessions = new Map(state.sessions)
  sessions.delete(id)
  return { sessions }
}

/** All other nodes may say to it. */
export const isListing = (message: Message): boolean =>
  message.type === SESSIONS_ASKED.type || message.type === TALKS_ASKED.type
