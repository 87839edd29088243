/** How a skill gets on with its work: one piece at a time, in the order it came. Pure. */
import { type Context, type Effect, type Next, next, same, writeEntries } from '../actors/index.ts'
import { requestId, TimeoutError } from '../host/index.ts'
import { callOf } from './skill-calls.ts'
import { landed, noting, takesOff } from './skill-flight.ts'
import { skillCollection } from './skill-kept.ts'
import { failure } from './skill-speech.ts'
import type { SkillState, Work } from './skill-state.ts'
import { arranged } from './skill-turns.ts'

/** A caller who gave no deadline: after this a person no longer takes the answer for one. */
export const ANSWER_WITHIN_MS = 3_000
/** Nobody waits for a ring, and a machine that is just starting may need long for its first call. */
const RING_WITHIN_MS = 60_000

export const CALL = requestId('call')
export const WRITE = requestId('changes')
/** Notes of calls that are over; nothing waits for it. */
export const NOTES = requestId('notes')

/** Gives an idle skill its next work. */
export function proceed(state: SkillState, context: Context): Next<SkillState> {
  const work = state.waiting[0]
  if (state.now.phase !== 'idle' || work === undefined) return same(state)
  const rest: SkillState = { ...state, waiting: state.waiting.slice(1) }
  // Cancelled or moved by a call that came before it, or by another node; or rung there.
  if (work.kind === 'due' && !stands(state, work)) return andProceed(arranged(rest, context), context)
  if (work.kind !== 'due' && work.until <= context.now) {
    // Who asked was told that it took too long: doing it now would be a surprise.
    const late = new TimeoutError(`The skill ${state.args.name}`, ANSWER_WITHIN_MS).toJSON()
    return withEffects(
      [...failure(state.args.name, work.replyTo, late), ...lands(rest, work)],
      proceed(rest, context),
    )
  }
  if (work.kind === 'handle' && takesOff(state, work)) {
    const noted = noting(state, work, context)
    return next({ ...rest, next: rest.next + 1, now: { phase: 'noting', work: noted.work } }, [
      writeEntries(WRITE, skillCollection(state.args.name), noted.entries),
    ])
  }
  return calling(rest, work, context)
}

export function calling(state: SkillState, work: Work, context: Context): Next<SkillState> {
  return next({ ...state, now: { phase: 'calling', work, since: context.now } }, [
    {
      type: 'invoke',
      id: CALL,
      to: state.args.name,
      op: 'call',
      body: callOf(state, work, context),
      deadline_ms: work.kind === 'due' ? RING_WITHIN_MS : Math.max(1, work.until - context.now),
    },
  ])
}

/** The note of a call that came to nothing goes too. */
export function lands(state: SkillState, work: Work): Effect[] {
  const flight = work.kind === 'handle' ? work.flight : work.kind === 'heard' ? work.origin.flight : undefined
  if (flight === undefined) return []
  return [writeEntries(NOTES, skillCollection(state.args.name), [landed(flight)])]
}

/** The timer is still the one that fell due. */
export const stands = (state: SkillState, { timer, due }: Extract<Work, { kind: 'due' }>): boolean =>
  state.kept.timers[timer]?.due === due

/** The work is done: timers are looked at again, and the next work begins. */
export const idle = (state: SkillState, context: Context): Next<SkillState> =>
  andProceed(arranged({ ...state, now: { phase: 'idle' } }, context), context)

export const andProceed = (step: Next<SkillState>, context: Context): Next<SkillState> =>
  withEffects(step.effects, proceed(step.state, context))

export const withEffects = (first: readonly Effect[], step: Next<SkillState>): Next<SkillState> =>
  next(step.state, [...first, ...step.effects])
