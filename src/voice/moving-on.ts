/** What becomes of a turn that leads to another room, on both sides: it arrives, is taken over, or stays. */
import type { Monotonic } from '../host/index.ts'
import { answer, deciding, follow } from './answering.ts'
import { decideIntent } from './decide.ts'
import { EVENT, emptyTurn } from './ending.ts'
import { goOn, restText, resumable } from './going-on.ts'
import { showEvent } from './messages.ts'
import { movedTo } from './phrases.ts'
import { speak } from './speaking.ts'
import { contextOf, stepOf } from './steps.ts'
import type { Transcribed } from './transcribed.ts'
import {
  andThen,
  NO_GUESS,
  type Step,
  stay,
  type Turn,
  type TurnOptions,
  type TurnState,
} from './turn-state.ts'

/** It speaks through another satellite from now on: what was being said goes on, or one sentence says that it is there. */
export function arrive(
  state: TurnState,
  otherwise: string | undefined,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { satellite, conversation } = state
  if (state.phase.name !== 'idle' || satellite === undefined) return stay(state)
  const left = resumable(state, now)
  const speech = left === undefined ? (otherwise ?? movedTo(conversation.room)) : restText(left)
  const begun: Turn = { ...emptyTurn(state.turns + 1, { kind: 'moved' }), reply: speech }
  const noted = stepOf(state, begun, 'turn.began', {
    source: 'announcement',
    text: speech,
    room: conversation.room,
    context: {},
  })
  const announced = showEvent(EVENT, satellite, { type: 'announce', text: speech })
  return andThen(stay({ ...state, turns: begun.number }, noted, announced), (current) => {
    if (left === undefined) return speak(current, begun, options, now)
    const replied = stepOf(state, begun, 'turn.replied', { speech })
    return andThen(stay(current, replied), (replying) => goOn(replying, begun, left, options, now))
  })
}

/** A turn of another conversation is this one's: only its words are known. */
export function heardAlong(
  state: TurnState,
  { transcript, partials, marks }: Transcribed,
  options: TurnOptions,
  now: Monotonic,
): Step {
  if (state.phase.name !== 'idle') return stay(state)
  const begun: Turn = {
    ...emptyTurn(state.turns + 1, { kind: 'voice', interrupting: false }),
    ...{ transcript, partials, marks },
  }
  const noted = stepOf(state, begun, 'turn.began', {
    source: 'voice',
    interrupting: false,
    room: state.conversation.room,
    context: contextOf(state.conversation, now),
  })
  return andThen(stay({ ...state, turns: begun.number }, noted), (current) =>
    answer(current, begun, undefined, NO_GUESS, options, now),
  )
}

/** It stays where it is, or answers itself what another one could not. */
export function refused(state: TurnState, speech: string, options: TurnOptions, now: Monotonic): Step {
  if (state.phase.name !== 'moving') return stay(state)
  const { turn, otherwise } = state.phase
  if (otherwise.kind === 'here') {
    return follow(
      state,
      turn,
      decideIntent(otherwise.intent, deciding(state, turn, options, now)),
      options,
      now,
    )
  }
  const noted = stepOf(state, turn, 'turn.moved', { refused: speech })
  return andThen(stay(state, noted), (current) => speak(current, { ...turn, reply: speech }, options, now))
}
