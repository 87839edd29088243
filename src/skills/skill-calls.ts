/** What a skill's sandbox is called with, and which asks do not come so far. Pure. */
import type { Context } from '../actors/index.ts'
import type { ErrorShape } from '../host/index.ts'
import type { DueTimer, Heard, Invocation, SkillCall } from './call.ts'
import { zoneOffset } from './local-time.ts'
import type { SkillState, Work } from './skill-state.ts'

/** Asks waiting for one skill. A household speaks to it from a few rooms at once. */
export const MAX_WAITING_CALLS = 32

export function refusalOf(state: SkillState, intent: string): ErrorShape | undefined {
  const { name, intents } = state.args
  if (!intents.includes(intent)) {
    const message = `The skill ${name} has no intent ${intent.slice(0, 64)}`
    return { code: 'not-found', message, retryable: false }
  }
  if (state.waiting.length >= MAX_WAITING_CALLS) {
    const message = `More than ${MAX_WAITING_CALLS} calls wait for the skill ${name}`
    return { code: 'skill-busy', message, retryable: true }
  }
  return undefined
}

export function callOf(state: SkillState, work: Work, context: Context): SkillCall {
  const { args, kept } = state
  const timers: Record<string, number> = {}
  for (const [name, timer] of Object.entries(kept.timers)) {
    // The ringing timer is over for the skill: it may set it again.
    if (work.kind !== 'due' || work.timer !== name) timers[name] = Math.max(0, timer.due - context.now)
  }
  const person = personOf(work)
  return {
    entry: work.kind,
    ...(person === undefined ? {} : { personal: kept.personal[person] ?? {} }),
    input: JSON.stringify(inputOf(work, context)),
    storage: kept.storage,
    timers,
    time: { wall_ms: context.wall, offset_min: zoneOffset(context.wall, args.zone) },
    seed: context.entropy,
  }
}

/** Who speaks, where somebody said so. */
export const personOf = (work: Work): string | undefined => {
  if (work.kind === 'due') return undefined
  return work.kind === 'handle' ? work.invoke.person : work.origin.person
}

function inputOf(work: Work, context: Context): Invocation | DueTimer | Heard {
  if (work.kind === 'heard') return work.heard
  if (work.kind === 'due') {
    const late_ms = Math.max(0, Math.round(context.now - work.due))
    return { timer: work.timer, late_ms, missed: work.missed }
  }
  const { intent, room, session, confirmed } = work.invoke
  return { intent: intent.name, slots: intent.slots, room, session, confirmed }
}
