/**
 * Knows the sessions of its node, for other nodes that ask. As in SIP: a registrar tells who is where.
 * R1  A session is in the list from its first phase until it says that it ended, or is gone for good, or lives on another node.
 */
import { type Behavior, type Message, next, type SystemMessage, same } from '../actors/index.ts'
import { sessionId } from '../host/index.ts'
import { MOST_SESSIONS, SESSIONS_ASKED, type SessionRows } from './afar.ts'
import type { SessionPhase } from './messages.ts'
import { sessionAddress } from './session.ts'

type Row = SessionRows['sessions'][number]

export interface RegistrarState {
  readonly sessions: ReadonlyMap<string, Row>
}

export type RegistrarMessage = SessionPhase | SystemMessage | (Message & { readonly type: 'sessions.list' })

export const registrar: Behavior<RegistrarState, RegistrarMessage> = {
  kind: 'registrar',
  start: () => next({ sessions: new Map() }, [{ type: 'subscribe', topic: 'session.phase' }]),

  receive(state, message, { replyTo }) {
    switch (message.type) {
      case 'session.phase':
        return moved(state, message)
      case 'terminated': {
        const { address } = message.ref
        const gone = [...state.sessions.keys()].find((id) => sessionAddress(sessionId(id)) === address)
        return gone === undefined ? same(state) : same(without(state, gone))
      }
      case 'sessions.list': {
        if (replyTo === undefined) return same(state)
        const rows: SessionRows = { type: 'sessions.rows', sessions: [...state.sessions.values()] }
        return next(state, [{ type: 'reply', to: replyTo, message: rows }])
      }
      default:
        return same(state)
    }
  },
}

function moved(state: RegistrarState, { session, room, phase, started_at }: SessionPhase) {
  if (phase === 'ended') return same(without(state, session))
  if (phase === 'moved') {
    return next<RegistrarState>(without(state, session), [
      { type: 'unwatch', target: sessionAddress(session) },
    ])
  }
  const known = state.sessions.has(session)
  // A node takes on no more; what is beyond is not shown elsewhere.
  if (!known && state.sessions.size >= MOST_SESSIONS) return same(state)
  const sessions = new Map(state.sessions).set(session, { id: session, room, phase, started_at })
  return next<RegistrarState>({ sessions }, known ? [] : [{ type: 'watch', target: sessionAddress(session) }])
}

function without(state: RegistrarState, id: string): RegistrarState {
  const sessions = new Map(state.sessions)
  sessions.delete(id)
  return { sessions }
}

/** All other nodes may say to it. */
export const isListing = (message: Message): boolean => message.type === SESSIONS_ASKED.type
