/** One input to the turn machine of a session, and what its end means for those outside: the timeline's time, the announcer. */
import type { Context, Effect, Message, Next } from '../actors/index.ts'
import { monotonic, type SessionId } from '../host/index.ts'
import type { UnderWay } from './carried-shape.ts'
import { ANNOUNCER } from './names.ts'
import { leftUnsaid, UNSAID_MS } from './resuming.ts'
import type { SessionState } from './session-state.ts'
import { type TurnInput, turn } from './turn.ts'
import type { SessionOptions, TurnState } from './turn-state.ts'

/** The turn machine's step, and what the session keeps of it. */
export function advance(
  state: SessionState,
  input: TurnInput,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const step = turn(state.turn, input, options, context.now)
  const began = step.state.turns > state.turn.turns
  const left = leftUnsaid(state.turn, step.state)
  return {
    state: {
      ...(began ? withoutUnsaid(state) : state),
      ...{ turn: step.state, heard: state.heard || began },
      ...until(left, context),
    },
    effects: [...stamped(step.effects, context), ...announcementsEnded(state.turn, step.state)],
  }
}

/** The machine is told the time; what it notes down for the timeline carries exactly that. */
const stamped = (effects: readonly Effect[], { now }: Context): readonly Effect[] =>
  effects.some(({ type }) => type === 'timeline')
    ? effects.map((effect) => (effect.type === 'timeline' ? { ...effect, at: now } : effect))
    : effects

/** Puts the effects of what is done next behind. */
export function andAlso(
  { state, effects }: Next<SessionState>,
  more: (state: SessionState) => Next<SessionState>,
): Next<SessionState> {
  const following = more(state)
  return { state: following.state, effects: [...effects, ...following.effects] }
}

/** An announcement whose turn ended, however, was said: the announcer may forget it. */
function announcementsEnded(before: TurnState, after: TurnState): readonly Effect[] {
  const { phase } = before
  if (phase.name === 'idle' || phase.turn.source.kind !== 'announcement') return []
  if (after.phase.name !== 'idle' && after.phase.turn.number === phase.turn.number) return []
  // When the satellite went away in mid-sentence, the announcer gives it to someone else.
  if (after.satellite === undefined) return []
  return [spoken(before.session, phase.turn.source.from)]
}

export const spoken = (session: SessionId, id: number): Effect => ({
  type: 'send',
  to: ANNOUNCER,
  message: { type: 'announcement.spoken', session, id } as Message,
})

export const until = (unsaid: UnderWay | undefined, { now }: Context) =>
  unsaid === undefined ? {} : { unsaid, unsaidUntil: monotonic(now + UNSAID_MS) }

export const withoutUnsaid = ({ unsaid: _, unsaidUntil: __, ...state }: SessionState): SessionState => state
