/** Where a conversation stands, for those who show it, follow it, or go on with it on another node. */
import type { Context, Effect, Next } from '../actors/index.ts'
import { talkOf } from './carried.ts'
import type { SessionHead, SessionPhase } from './messages.ts'
import { heardIn } from './presence/telling.ts'
import { headPoint, underWay } from './resuming.ts'
import type { SessionState } from './session-state.ts'

const phaseName = (state: SessionState): string =>
  state.away === undefined ? state.turn.phase.name : 'moving'

export function phaseMessage(state: SessionState, phase: string): SessionPhase {
  return {
    type: 'session.phase',
    session: state.turn.session,
    room: state.turn.conversation.room,
    phase,
    started_at: state.startedAt,
    privacy: { scope: state.scope, ...(state.person === undefined ? {} : { person: state.person }) },
    // What is ephemeral is nobody else's business.
    ...(state.scope === 'ephemeral' ? {} : { talk: followable(state) }),
  }
}

function followable({
  turn: { phase, conversation, left },
}: SessionState): NonNullable<SessionPhase['talk']> {
  const { last, expecting } = conversation
  const speaks = phase.name === 'speaking' || phase.name === 'playing'
  return {
    ...(last === undefined ? {} : { last }),
    ...(expecting?.kind === 'slot' ? { asks: { intent: expecting.intent, slot: expecting.slot } } : {}),
    can_go_on: left !== undefined || (speaks && phase.turn.source.kind !== 'text'),
  }
}

export const phaseEffect = (state: SessionState): Effect => ({
  type: 'publish',
  topic: 'session.phase',
  message: phaseMessage(state, phaseName(state)),
})

/** What another node would need, whenever that is more than it was. */
export function withHead(
  before: SessionState,
  given: Next<SessionState>,
  { now }: Context,
): Next<SessionState> {
  const { state, effects } = given
  const point = headPoint(state.turn)
  if (point === undefined || point === headPoint(before.turn)) return given
  const talk = talkOf(state, underWay(state.turn) ?? state.unsaid ?? null, now)
  if (talk === undefined) return given
  const message: SessionHead = { type: 'session.head', session: state.turn.session, talk }
  return { state, effects: [...effects, { type: 'publish', topic: 'session.head', message }] }
}

export function withPhase(before: SessionState, given: Next<SessionState>): Next<SessionState> {
  const { state, effects } = given
  const changed =
    phaseName(before) !== phaseName(state) || before.turn.conversation.room !== state.turn.conversation.room
  return changed ? { state, effects: [...effects, phaseEffect(state)] } : given
}

/** Whoever wants to know where somebody was heard. */
export function withPresence(before: SessionState, given: Next<SessionState>): Next<SessionState> {
  const heard = heardIn(before, given.state)
  return heard === undefined ? given : { state: given.state, effects: [...given.effects, heard] }
}
