/** A session and its satellite: it comes, speaks, says that its recording ended, goes; another one takes over; nobody is left. */
import type { Context, Effect, Next } from '../actors/index.ts'
import { type ErrorShape, requestId } from '../host/index.ts'
import { answerLeft, arrived, departed, whyNot } from './away.ts'
import { EVENT } from './ending.ts'
import type { AudioEnd, Heard, SessionDetach, SessionLeave, SessionReachable } from './messages.ts'
import { showEvent, shownError } from './messages.ts'
import { ANNOUNCER } from './names.ts'
import { PHRASES } from './phrases.ts'
import { restFor, underWay } from './resuming.ts'
import type { SessionState } from './session-state.ts'
import { advance, andAlso, withoutUnsaid } from './session-steps.ts'
import { isIdle } from './turn.ts'
import type { SessionOptions, TurnState } from './turn-state.ts'

const IDLE_TIMER = requestId('idle')

export function attach(state: SessionState, satellite: string, room: string): Next<SessionState> {
  const conversation = { ...state.turn.conversation, room }
  const former = state.former === satellite ? undefined : state.former
  const turn = { ...state.turn, satellite, conversation }
  const attached: SessionState = { ...state, heard: false, former, turn }
  return { state: attached, effects: [{ type: 'cancel', id: IDLE_TIMER }, reachable(attached.turn, true)] }
}
export function detach(
  state: SessionState,
  { satellite, replaced }: SessionDetach,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  if (satellite !== state.turn.satellite) return { state, effects: [] }
  const left = advance(state, { type: 'detached' }, options, context)
  // It was there only to hear that another one is meant.
  const isOver = replaced === true && state.turn.turns <= 1 && state.waiting.length === 0
  const last: Effect = isOver ? { type: 'stop', reason: 'another conversation is meant' } : idleTimer(options)
  return { state: left.state, effects: [...left.effects, reachable(state.turn, false), last] }
}

export function leave(
  state: SessionState,
  message: SessionLeave,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const not = whyNot(state, message)
  if (not !== undefined) return { state, effects: answerLeft(context.replyTo, not) }
  const silent = advance(state, { type: 'leave' }, options, context)
  const gone = state.turn.satellite === undefined ? [] : [reachable(state.turn, false)]
  return departed({ state: silent.state, effects: [...silent.effects, ...gone] }, message, context)
}

/** Nobody took it. */
export function stayed(state: SessionState, options: SessionOptions, context: Context): Next<SessionState> {
  const { away } = state
  if (away === undefined) return { state, effects: [] }
  const { back } = away
  if (back === undefined) return { state: { ...state, away: undefined }, effects: [idleTimer(options)] }
  return andAlso(arrived(attach(state, back.satellite, back.room)), (now) =>
    advance(now, { type: 'arrived', otherwise: PHRASES.nowhere }, options, context),
  )
}

/** A satellite is back that had this conversation before, and says how much of it. */
export function comeBack(
  { state, effects }: Next<SessionState>,
  heard: Heard,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const { turn: now, unsaid, unsaidUntil = 0 } = state
  const running = underWay(now)
  const rest = running === undefined && unsaidUntil > context.now ? restFor(unsaid, heard) : undefined
  const resumed = { type: 'resumed', turn: running?.turn ?? rest?.turn ?? null } as const
  const told = [...effects, showEvent(EVENT, now.satellite!, resumed)]
  if (rest === undefined || !isIdle(now)) return { state, effects: told }
  const on = advance(withoutUnsaid(state), { type: 'go-on', left: rest }, options, context)
  return { state: on.state, effects: [...told, ...on.effects] }
}

/** A recording without speech gets an answer too: whoever sent it is waiting for one. */
export function audioEnd(
  state: SessionState,
  message: AudioEnd,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  if (message.satellite !== state.turn.satellite) return { state, effects: [] }
  const ended = advance(state, { type: 'audio-end' }, options, context)
  if (state.heard || !isIdle(state.turn))
    return { state: { ...ended.state, heard: false }, effects: ended.effects }
  const event = showEvent(EVENT, message.satellite, shownError(NOTHING_HEARD))
  return { state: ended.state, effects: [...ended.effects, event] }
}

const NOTHING_HEARD: ErrorShape = {
  code: 'nothing-heard',
  message: 'No speech was heard in the recording',
  retryable: false,
  hint: 'Check that the file or the microphone is not silent.',
}

export const reachable = ({ session, conversation }: TurnState, yes: boolean): Effect => {
  const message: SessionReachable = {
    type: 'session.reachable',
    session,
    room: conversation.room,
    reachable: yes,
  }
  return { type: 'send', to: ANNOUNCER, message }
}

export const idleTimer = (options: SessionOptions): Effect => ({
  type: 'schedule',
  id: IDLE_TIMER,
  delay_ms: options.idle_ms,
  message: { type: 'idle.over' },
})

export function idleOver(state: SessionState, options: SessionOptions): Next<SessionState> {
  if (state.turn.satellite !== undefined) return { state, effects: [] }
  if (!isIdle(state.turn) || state.waiting.length > 0) return { state, effects: [idleTimer(options)] }
  return { state, effects: [{ type: 'stop', reason: 'idle' }] }
}
