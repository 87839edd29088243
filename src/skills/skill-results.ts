/** What comes back to a skill's actor: of a call, and of the store when what it changed is durable. Pure. */
import {
  type Context,
  type Effect,
  type EntryChange,
  type Next,
  next,
  type Outcome,
  same,
  writeEntries,
} from '../actors/index.ts'
import type { ErrorShape } from '../host/index.ts'
import type { CallResult, Change } from './call.ts'
import type { SkillResult } from './messages.ts'
import { lostTimer, needsApproval } from './phrases.ts'
import { isOver, landed } from './skill-flight.ts'
import { absorbed, forgetTimer, type Noted, noted, overHere, skillCollection } from './skill-kept.ts'
import { originOf, reachedOut, reachOf } from './skill-reach.ts'
import { actsHeld, askedBack, heldBack, judged, yesCame } from './skill-risk.ts'
import { announcement, announcements, failure, replies } from './skill-speech.ts'
import type { Reach, SkillState, Work } from './skill-state.ts'
import { againAfter } from './skill-turns.ts'
import { calling, idle, lands, stands, WRITE, withEffects } from './skill-work.ts'

/** A ring that could not be carried out is tried again; a skill that keeps failing is switched off soon enough. */
const RING_AGAIN_AFTER_MS = 1_000

export function called(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'calling' || outcome.event === 'chunk') return same(state)
  const { work, since } = state.now
  const skill = state.args.name
  const object = work.kind === 'handle' ? work.invoke.intent.name : `${skill}.${work.kind}`
  const verdict = outcome.event === 'failed' ? outcome.error.code : 'ok'
  const observed: Effect[] = [
    { type: 'metric', name: 'loqa_skill_call_ms', observe: context.now - since, labels: { skill } },
    { type: 'audit', what: 'skill.call', object, outcome: verdict },
  ]
  const step =
    outcome.event === 'failed'
      ? callFailed(state, work, outcome.error, context)
      : callWorked(state, work, outcome.body as CallResult, context)
  return withEffects(observed, step)
}

function callWorked(state: SkillState, work: Work, result: CallResult, context: Context): Next<SkillState> {
  // It was rung, cancelled or moved elsewhere in the meantime: what this call made of it is void.
  if (work.kind === 'due' && !stands(state, work)) return idle(state, context)
  const verdict = judged(state, work, result)
  switch (verdict.verdict) {
    case 'ask': {
      const asked = askedBack(state, work as Extract<Work, { kind: 'handle' }>, verdict.acts)
      return withEffects([...asked.effects, ...lands(state, work)], idle(asked.state, context))
    }
    case 'hold-work': {
      const holding = { words: verdict.words, risk: 'critical', changes: [], work } as const
      const held = heldBack(state, work, holding, context)
      const told = replies(work.kind === 'due' ? undefined : work.replyTo, { speech: needsApproval })
      return withEffects([...held.effects, ...told, ...lands(state, work)], idle(held.state, context))
    }
    case 'hold-acts': {
      const { step, left } = actsHeld(state, work, result, verdict.acts, context)
      return withEffects(step.effects, counted(step.state, work, { ...result, changes: left }, context))
    }
    case 'go': {
      const sure = yesCame(state, work, result)
      return withEffects(sure.effects, counted(sure.state, work, result, context))
    }
  }
}

/** All of it counts: the store first, the world afterwards. */
function counted(state: SkillState, work: Work, result: CallResult, context: Context): Next<SkillState> {
  const { changes } = result
  const spoken = announcements(state.args.name, changes, {
    whose: work.kind === 'due' ? state.kept.timers[work.timer]?.session : undefined,
    // What others' news makes a skill say it says on every node that hears of it.
    everywhere: work.kind === 'handle',
  })
  const { entries, effects } = noted(state, work, changes, context)
  const reach: Reach = { changes: reachOf(changes), answer: answerOf(state, work, result) }
  const noteOver = flightOver(state, work, changes)
  const made: Noted = { entries: [...entries, ...noteOver], effects }
  // Aloud first, forgotten afterwards (promise 4).
  if (work.kind === 'due') return save(state, work, made, reach, spoken)
  const after: Noted = { entries: made.entries, effects: [...effects, ...spoken] }
  if (made.entries.length > 0) return save(state, work, after, reach)
  const reached = reachedOut(state, reach, originOf(state, work), work.replyTo, context)
  return withEffects([...after.effects, ...reached.effects], idle(reached.state, context))
}

/** What is said of it, and where: to who asked, or aloud when nobody waits any more. */
function answerOf(state: SkillState, work: Work, { answer }: CallResult): readonly Effect[] {
  const { speech, follow_up, card } = answer
  if (work.kind === 'due') return []
  if (work.kind === 'handle' && work.aloud) {
    if (speech === '') return []
    return [announcement(state.args.name, speech, work.invoke.room, work.invoke.session)]
  }
  return replies(work.replyTo, {
    speech,
    ...(follow_up === undefined ? {} : { follow_up: follow_up as NonNullable<SkillResult['follow_up']> }),
    ...(card === undefined ? {} : { card }),
  })
}

/** A note of a call under way goes with the last of what it does. */
function flightOver(state: SkillState, work: Work, changes: readonly Change[]): readonly EntryChange[] {
  const { flight } = originOf(state, work)
  if (flight === undefined) return []
  const goesOn = changes.some(({ change }) => change === 'http' || change === 'language')
  return goesOn || !isOver(state, flight, work) ? [] : [landed(flight)]
}

function callFailed(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  const { name, may_speak } = state.args
  if (work.kind !== 'due') {
    const told = [...failure(name, work.replyTo, error), ...lands(state, work)]
    return withEffects(told, idle(state, context))
  }
  if (!stands(state, work)) return idle(state, context)
  if (error.retryable) return idle(againAfter(state, work.timer, RING_AGAIN_AFTER_MS, context), context)
  // The skill cannot say what is due. That something is due must still be heard, once.
  const spoken = may_speak ? [announcement(name, lostTimer(name, work.missed))] : []
  return save(state, work, { entries: [forgetTimer(work.timer)], effects: [] }, undefined, spoken)
}

/** Does `first` at once, and what was noted when it is durable. */
function save(
  state: SkillState,
  work: Work,
  { entries, effects }: Noted,
  reach: Reach | undefined,
  first: readonly Effect[] = [],
): Next<SkillState> {
  return next({ ...state, now: { phase: 'saving', work, entries, effects, reach } }, [
    ...first,
    writeEntries(WRITE, skillCollection(state.args.name), entries),
  ])
}

export function written(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (outcome.event === 'chunk') return same(state)
  if (state.now.phase === 'noting') {
    const { work } = state.now
    // Without the word that it is tried again it might be tried a third time (F2).
    if (outcome.event === 'failed' && work.kind === 'handle' && work.aloud) return idle(state, context)
    // Carried out all the same: only that nobody would do it again is lost.
    return calling({ ...state, now: { phase: 'idle' } }, work, context)
  }
  if (state.now.phase !== 'saving') return same(state)
  const { work, entries, effects, reach } = state.now
  if (outcome.event === 'failed') return notWritten(state, work, outcome.error, context)
  // What others wrote meanwhile is known already and stays; what of it the store holds against ours it will tell.
  const changes: readonly EntryChange[] = entries
  const origin = originOf(state, work)
  const kept = absorbed(state, { whole: false, changes }, context)
  if (reach === undefined) return withEffects(effects, idle(kept, context))
  const replyTo = work.kind === 'due' ? undefined : work.replyTo
  const reached = reachedOut(kept, reach, origin, replyTo, context)
  return withEffects([...effects, ...reached.effects], idle(reached.state, context))
}

function notWritten(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  const { name } = state.args
  const log = logged('A skill could not save its state', name, error)
  if (work.kind !== 'due') {
    return withEffects([log, ...failure(name, work.replyTo, error)], idle(state, context))
  }
  // A timer that rang has rung: in memory it is over, only after a restart it rings once more. What else the skill
  // wanted to change is not kept, so that memory and store stay the same.
  return withEffects([log], idle(overHere(state, work.timer), context))
}

export const logged = (message: string, skill: string, { code }: ErrorShape): Effect => ({
  type: 'log',
  level: 'error',
  message,
  values: { skill, code },
})
