/**
 * A turn that leads to another room: the conversation goes there, or one of another room comes here. Who can do that is not known to a
 * conversation: it says what it wants, and waits for a moment.
 */
import type { Effect } from '../actors/index.ts'
import type { Monotonic } from '../host/index.ts'
import type { Intent } from '../skills/index.ts'
import type { Decision } from './decide.ts'
import { WAIT } from './ending.ts'
import { goOn, resumable } from './going-on.ts'
import { type RoomWanted, type TalkWanted, waitOver } from './messages.ts'
import type { Transcribed } from './transcribed.ts'
import { type Neighbour, type Step, stay, type Turn, type TurnOptions, type TurnState } from './turn-state.ts'

/** There is a satellite. */
export function depart(
  state: TurnState,
  turn: Turn,
  { intent, room }: Extract<Decision, { kind: 'move' }>,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const known: Turn = { ...turn, intent }
  const here = room === state.conversation.room
  const left = here ? resumable(state, now) : undefined
  if (left !== undefined) return goOn(state, known, left, options, now)
  const message: RoomWanted = {
    ...{ type: 'room.wanted', session: state.session, satellite: state.satellite!, room, here },
    heard: heardIn(known),
  }
  return stay(
    { ...state, phase: { name: 'moving', turn: known, otherwise: { kind: 'say' } } },
    { type: 'publish', topic: 'room.wanted', message },
    waiting(known, options),
  )
}

/** The other conversation answers it, here; when that fails, this one does what was meant. */
export function takeAlong(
  state: TurnState,
  turn: Turn,
  { session: from }: Neighbour,
  intent: Intent,
  options: TurnOptions,
): Step {
  const { session, satellite, conversation } = state
  const message: TalkWanted = {
    ...{ type: 'talk.wanted', session, satellite: satellite!, room: conversation.room, from },
    heard: heardIn(turn),
  }
  return stay(
    { ...state, phase: { name: 'moving', turn, otherwise: { kind: 'here', intent } } },
    { type: 'publish', topic: 'talk.wanted', message },
    waiting(turn, options),
  )
}

const heardIn = ({ transcript, partials, marks }: Turn): Transcribed => {
  const { spoken, endpoint, text } = marks
  return {
    transcript,
    partials,
    marks: {
      ...(spoken === undefined ? {} : { spoken }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(text === undefined ? {} : { text }),
    },
  }
}

const waiting = (turn: Turn, { waits }: TurnOptions): Effect => ({
  type: 'schedule',
  id: WAIT,
  delay_ms: waits.moving_ms,
  message: waitOver(turn.number, 'moving'),
})
