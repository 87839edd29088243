/**
 * A session that leaves its satellite for another one, on its node or another.
 *
 * L1  It leaves between turns, or in the middle of what it says, never while somebody is being heard or a skill is asked.
 * L2  Whoever asked it hears `session.left` when the last sample heard there is known.
 * L3  Nobody took it in `STAY_MS`: it goes back to where it was, and says on what it was saying.
 * L4  What the satellite it left still sends changes nothing.
 */
import type { Context, Effect, Next, ReplyTo } from '../actors/index.ts'
import { requestId, type SessionId } from '../host/index.ts'
import { isCutting } from './going-on.ts'
import type { SessionLeave, SessionLeft, SessionWanting } from './messages.ts'
import type { Away, SessionState } from './session-state.ts'
import { QUIET } from './turn-state.ts'

/** A move takes 20 ms; a busy machine may need a hundred times as much, and a person waits no longer. */
const STAY_MS = 2_000
const STAY = requestId('stay')

/** Undefined: it may. */
export function whyNot(
  { turn, waiting, scope, away }: SessionState,
  { far, room, satellite }: SessionLeave,
): SessionLeft['why_not'] | undefined {
  const isThere = turn.satellite !== undefined && turn.conversation.room === room
  if (isThere && satellite === undefined) return 'there'
  if (scope === 'ephemeral' && far) return 'ephemeral'
  const { phase } = turn
  const isCalm = phase.name === 'idle' || phase.name === 'moving'
  const speaks = phase.name === 'speaking' || phase.name === 'playing'
  const mayLeave = isCalm || (speaks && phase.turn.source.kind !== 'text')
  return away === undefined && waiting.length === 0 && mayLeave ? undefined : 'busy'
}

export const answerLeft = (to: ReplyTo | undefined, why_not?: SessionLeft['why_not']): readonly Effect[] => {
  if (to === undefined) return []
  const message: SessionLeft = { type: 'session.left', ...(why_not === undefined ? {} : { why_not }) }
  return [{ type: 'reply', to, message }]
}

/** `given`: what it was saying is broken off. */
export function departed(
  { state, effects }: Next<SessionState>,
  { room, satellite, heard }: SessionLeave,
  { replyTo }: Context,
): Next<SessionState> {
  const { turn } = state
  const from = turn.satellite
  const away: Away = {
    ...{ room, satellite, heard, asked: replyTo },
    back: from === undefined ? undefined : { satellite: from, room: turn.conversation.room },
  }
  const left: SessionState = {
    ...{ ...state, away, former: from },
    turn: { ...turn, satellite: undefined, ear: QUIET, neighbour: undefined },
  }
  return settled({ state: left, effects: [...effects, staying] })
}

const staying: Effect = {
  ...{ type: 'schedule', id: STAY, delay_ms: STAY_MS },
  message: { type: 'session.stay' },
}

/** Once it is known how far its last words were heard, whoever asked is told. */
export function settled({ state, effects }: Next<SessionState>): Next<SessionState> {
  const { away } = state
  if (away?.asked === undefined || isCutting(state.turn)) return { state, effects }
  return {
    state: { ...state, away: { ...away, asked: undefined } },
    effects: [...effects, ...answerLeft(away.asked)],
  }
}

/** It has a satellite again. */
export const arrived = ({ state, effects }: Next<SessionState>): Next<SessionState> => ({
  state: { ...state, away: undefined },
  effects: [...effects, { type: 'cancel', id: STAY }],
})

export function wanting(session: SessionId, { room, satellite }: Away): Effect {
  const message: SessionWanting = {
    ...{ type: 'session.wanting', session, room },
    ...(satellite === undefined ? {} : { satellite }),
  }
  return { type: 'publish', topic: 'session.wanting', message }
}
