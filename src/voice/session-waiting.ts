/** Texts and announcements that wait until nobody is talking; the oldest is next. */
import type { Context, Effect, Next } from '../actors/index.ts'
import { type ErrorShape, limits } from '../host/index.ts'
import { EVENT, emptyView } from './ending.ts'
import { showEvent, turnAnswer } from './messages.ts'
import { idleTimer } from './session-satellite.ts'
import type { SessionState, Waiting } from './session-state.ts'
import { advance, spoken } from './session-steps.ts'
import { isIdle, type TurnInput } from './turn.ts'
import type { SessionOptions } from './turn-state.ts'

/** Waiting texts and announcements of one session. More at once is a program gone wrong, not a person. */
const MOST_WAITING = 16

export function enqueue(state: SessionState, waiting: Waiting): Next<SessionState> {
  if (waiting.kind === 'text' && waiting.text.length > limits.MAX_TURN_TEXT) {
    return { state, effects: refuse(state, waiting, TOO_LONG) }
  }
  if (state.waiting.length >= MOST_WAITING) return { state, effects: refuse(state, waiting, BUSY) }
  return { state: { ...state, waiting: [...state.waiting, waiting] }, effects: [] }
}

const TOO_LONG: ErrorShape = {
  code: 'invalid-input',
  message: `The text is longer than ${limits.MAX_TURN_TEXT} characters`,
  retryable: false,
  hint: 'Say it in fewer words.',
}

const BUSY: ErrorShape = {
  code: 'overloaded',
  message: `The session is at its limit of ${MOST_WAITING} waiting turns`,
  retryable: true,
  hint: 'Try again in a moment.',
}

/** A refused text is told so; a refused announcement stays with the announcer. */
function refuse(state: SessionState, waiting: Waiting, error: ErrorShape): readonly Effect[] {
  if (waiting.kind !== 'text' || waiting.replyTo === undefined) return []
  return [turnAnswer(waiting.replyTo, emptyView(state.turn, waiting.text, error))]
}

/** Nobody is talking: whoever waits first is next. */
export function startWaiting(
  given: Next<SessionState>,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  let { state, effects } = given
  while (isIdle(state.turn)) {
    const [first, ...waiting] = state.waiting
    if (first === undefined || state.away !== undefined) break
    // Speech that is just beginning goes first: its evidence is already in the ear.
    const { activity } = state.turn.ear
    if (activity.phase === 'speech' || activity.evidence > 0) break
    const input: TurnInput =
      first.kind === 'text'
        ? { type: 'text', text: first.text, replyTo: first.replyTo }
        : { type: 'announcement', from: first.from, speech: first.speech, asks: first.asks }
    const begun = advance({ ...state, waiting }, input, options, context)
    state = begun.state
    effects = [...effects, ...announced(state, first), ...begun.effects]
    if (first.kind === 'announcement' && isIdle(state.turn) && state.turn.satellite !== undefined) {
      effects = [...effects, spoken(state.turn.session, first.from)]
    }
    if (state.turn.satellite === undefined) effects = [...effects, idleTimer(options)]
  }
  return { state, effects }
}

function announced(state: SessionState, waiting: Waiting): readonly Effect[] {
  if (waiting.kind !== 'announcement' || state.turn.satellite === undefined) return []
  return [showEvent(EVENT, state.turn.satellite, { type: 'announce', text: waiting.speech })]
}
