/**
 * The actor of one skill: keeps its state, calls into its sandbox, applies what comes back. Address `loqa:/skill/<name>`.
 *
 * Promises, each with a test of the same number:
 * 1. What a call changed is durable before anybody hears that it worked; a call that fails changes nothing.
 * 2. Calls run one at a time, in the order they came; each sees what the ones before it changed.
 * 3. Every ask gets exactly one `skill.result`, whatever the sandbox, the skill or the store does.
 * 4. A timer rings once it is due, also when that was while the node was down (then late, and marked `missed`).
 *    It is forgotten only after its announcement went out: a crash in between makes it ring twice, never not at all.
 * 5. An intent whose manifest asks for a confirmation is not carried out without one.
 */
import {
  type Behavior,
  type Context,
  type Effect,
  type Entry,
  type Next,
  next,
  type Outcome,
  readEntries,
  same,
  writeEntries,
} from '../actors/index.ts'
import { assertNever, type ErrorShape, monotonic, requestId, TimeoutError } from '../host/index.ts'
import type { CallResult, DueTimer, Invocation, SkillCall } from './call.ts'
import { zoneOffset } from './local-time.ts'
import type { SkillInvoke, SkillResult } from './messages.ts'
import { lostTimer } from './phrases.ts'
import { type Applied, applyChanges, keptFrom, scheduleOf, skillCollection, timerId } from './skill-kept.ts'
import { announcement, announcements, failure, replies } from './skill-speech.ts'
import type { SkillArgs, SkillMessage, SkillState, Work } from './skill-state.ts'

/** Asks waiting for one skill. A household speaks to it from a few rooms at once. */
export const MAX_WAITING_CALLS = 32
/** A caller who gave no deadline: after this a person no longer takes the answer for one. */
export const ANSWER_WITHIN_MS = 3_000
/** Nobody waits for a ring, and a machine that is just starting may need long for its first call. */
const RING_WITHIN_MS = 60_000
/** A ring that could not be carried out is tried again; a skill that keeps failing is switched off soon enough. */
const RING_AGAIN_AFTER_MS = 1_000
const RELOAD_AFTER_MS = 1_000

const READ = requestId('state')
const CALL = requestId('call')
const WRITE = requestId('changes')

export const skill: Behavior<SkillState, SkillMessage, SkillArgs> = {
  kind: 'skill',
  mailbox: { capacity: 64, overflow: 'reject' },

  start: (args) =>
    next<SkillState>({ args, now: { phase: 'loading' }, kept: { storage: {}, timers: {} }, waiting: [] }, [
      readEntries(READ, skillCollection(args.name)),
    ]),

  receive(state, message, context) {
    switch (message.type) {
      case 'skill.invoke':
        return invoked(state, message, context)
      case 'timer.due':
        return rang(state, message.timer, message.missed === true, context)
      case 'reload':
        return next(state, [readEntries(READ, skillCollection(state.args.name))])
      case 'outcome':
        if (message.id === READ) return stateRead(state, message, context)
        if (message.id === CALL) return called(state, message, context)
        if (message.id === WRITE) return written(state, message, context)
        return same(state)
      default:
        return assertNever(message)
    }
  },
}

// — what starts work —

function invoked(state: SkillState, invoke: SkillInvoke, context: Context): Next<SkillState> {
  const { args } = state
  const { replyTo } = context
  const intent = invoke.intent.name
  const question = args.confirm[intent]
  if (question !== undefined && !invoke.confirmed) {
    return next(state, replies(replyTo, { speech: question, follow_up: { confirm: true } }))
  }
  const refusal = refusalOf(state, intent)
  if (refusal !== undefined) return next(state, failure(args.name, replyTo, refusal))
  const until = monotonic(context.now + Math.min(context.deadline_ms ?? ANSWER_WITHIN_MS, ANSWER_WITHIN_MS))
  return proceed(
    { ...state, waiting: [...state.waiting, { kind: 'handle', invoke, replyTo, until }] },
    context,
  )
}

function refusalOf(state: SkillState, intent: string): ErrorShape | undefined {
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

function rang(state: SkillState, name: string, missed: boolean, context: Context): Next<SkillState> {
  const timer = state.kept.timers[name]
  const known = state.waiting.some((work) => work.kind === 'due' && work.timer === name)
  if (timer === undefined || known) return same(state)
  // Moved since, or woken too early: a schedule of the same name replaces the one there is.
  if (timer.due > context.now) return next(state, [scheduleOf(name, timer, context)])
  const work: Work = { kind: 'due', timer: name, due: timer.due, missed }
  return proceed({ ...state, waiting: [...state.waiting, work] }, context)
}

function stateRead(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'loading' || outcome.event === 'chunk') return same(state)
  if (outcome.event === 'failed') return unreadable(state, outcome.error)
  const kept = keptFrom(outcome.body as readonly Entry[], context)
  const inOrder = Object.entries(kept.timers).sort(([, a], [, b]) => a.due - b.due)
  const missed: Work[] = []
  const schedules: Effect[] = []
  for (const [name, timer] of inOrder) {
    if (timer.due <= context.now) missed.push({ kind: 'due', timer: name, due: timer.due, missed: true })
    else schedules.push(scheduleOf(name, timer, context))
  }
  const ready: SkillState = { ...state, now: { phase: 'idle' }, kept, waiting: [...missed, ...state.waiting] }
  return withEffects(schedules, proceed(ready, context))
}

function unreadable(state: SkillState, error: ErrorShape): Next<SkillState> {
  const { name } = state.args
  const answers = state.waiting.flatMap((work) =>
    work.kind === 'handle' ? failure(name, work.replyTo, error) : [],
  )
  const retry: SkillMessage = { type: 'reload' }
  return next({ ...state, waiting: [] }, [
    ...answers,
    logged('A skill cannot read its state', name, error),
    { type: 'schedule', id: requestId('reload'), delay_ms: RELOAD_AFTER_MS, message: retry },
  ])
}

/** Gives an idle skill its next work. */
function proceed(state: SkillState, context: Context): Next<SkillState> {
  const work = state.waiting[0]
  if (state.now.phase !== 'idle' || work === undefined) return same(state)
  const rest: SkillState = { ...state, waiting: state.waiting.slice(1) }
  if (work.kind === 'due' && state.kept.timers[work.timer]?.due !== work.due) {
    // Cancelled or moved by a call that came before it.
    return proceed(rest, context)
  }
  if (work.kind === 'handle' && work.until <= context.now) {
    // Who asked was told that it took too long: doing it now would be a surprise.
    const late = new TimeoutError(`The skill ${state.args.name}`, ANSWER_WITHIN_MS).toJSON()
    return withEffects(failure(state.args.name, work.replyTo, late), proceed(rest, context))
  }
  return next({ ...rest, now: { phase: 'calling', work, since: context.now } }, [
    {
      type: 'invoke',
      id: CALL,
      to: state.args.name,
      op: 'call',
      body: callOf(state, work, context),
      deadline_ms: work.kind === 'handle' ? work.until - context.now : RING_WITHIN_MS,
    },
  ])
}

function callOf(state: SkillState, work: Work, context: Context): SkillCall {
  const { args, kept } = state
  const timers: Record<string, number> = {}
  for (const [name, timer] of Object.entries(kept.timers)) {
    // The ringing timer is over for the skill: it may set it again.
    if (work.kind === 'handle' || work.timer !== name) timers[name] = Math.max(0, timer.due - context.now)
  }
  return {
    entry: work.kind,
    input: JSON.stringify(inputOf(work, context)),
    storage: kept.storage,
    timers,
    time: { wall_ms: context.wall, offset_min: zoneOffset(context.wall, args.zone) },
    seed: context.entropy,
  }
}

function inputOf(work: Work, context: Context): Invocation | DueTimer {
  if (work.kind === 'due') {
    const late_ms = Math.max(0, Math.round(context.now - work.due))
    return { timer: work.timer, late_ms, missed: work.missed }
  }
  const { intent, room, session, confirmed } = work.invoke
  return { intent: intent.name, slots: intent.slots, room, session, confirmed }
}

// — what comes back —

function called(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'calling' || outcome.event === 'chunk') return same(state)
  const { work, since } = state.now
  const skill = state.args.name
  const object = work.kind === 'handle' ? work.invoke.intent.name : `${skill}.due`
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
  const applied = applyChanges(state.kept, work, result.changes, context)
  const spoken = announcements(state.args.name, result.changes)
  // Aloud first, forgotten afterwards (promise 4).
  if (work.kind === 'due') return save(state, work, applied, spoken)

  const { speech, follow_up, card } = result.answer
  const answer = replies(work.replyTo, {
    speech,
    ...(follow_up === undefined ? {} : { follow_up: follow_up as NonNullable<SkillResult['follow_up']> }),
    ...(card === undefined ? {} : { card }),
  })
  const effects = [...applied.effects, ...spoken, ...answer]
  if (applied.entries.length > 0) return save(state, work, { ...applied, effects })
  return withEffects(effects, proceed({ ...state, now: { phase: 'idle' } }, context))
}

function callFailed(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  const { name, may_speak } = state.args
  if (work.kind === 'handle') {
    const idle: SkillState = { ...state, now: { phase: 'idle' } }
    return withEffects(failure(name, work.replyTo, error), proceed(idle, context))
  }
  if (error.retryable) {
    const again: SkillMessage = { type: 'timer.due', timer: work.timer, missed: work.missed }
    const retry: Effect = {
      type: 'schedule',
      id: timerId(work.timer),
      delay_ms: RING_AGAIN_AFTER_MS,
      message: again,
    }
    return withEffects([retry], proceed({ ...state, now: { phase: 'idle' } }, context))
  }
  // The skill cannot say what is due. That something is due must still be heard, once.
  const spoken = may_speak ? [announcement(name, lostTimer(name, work.missed))] : []
  return save(state, work, applyChanges(state.kept, work, [], context), spoken)
}

/** Does `first` at once, and what was applied when it is durable. */
function save(
  state: SkillState,
  work: Work,
  { kept, entries, effects }: Applied,
  first: readonly Effect[] = [],
): Next<SkillState> {
  return next({ ...state, now: { phase: 'saving', work, kept, effects } }, [
    ...first,
    writeEntries(WRITE, skillCollection(state.args.name), entries),
  ])
}

function written(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'saving' || outcome.event === 'chunk') return same(state)
  const { work, kept, effects } = state.now
  if (outcome.event === 'failed') return notWritten(state, work, outcome.error, context)
  return withEffects(effects, proceed({ ...state, now: { phase: 'idle' }, kept }, context))
}

function notWritten(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  const { name } = state.args
  const log = logged('A skill could not save its state', name, error)
  if (work.kind === 'handle') {
    const idle: SkillState = { ...state, now: { phase: 'idle' } }
    return withEffects([log, ...failure(name, work.replyTo, error)], proceed(idle, context))
  }
  // A timer that rang has rung: in memory it is over, only after a restart it rings once more. What else the skill
  // wanted to change is not kept, so that memory and store stay the same.
  const { kept } = applyChanges(state.kept, work, [], context)
  return withEffects([log], proceed({ ...state, now: { phase: 'idle' }, kept }, context))
}

const logged = (message: string, skill: string, { code }: ErrorShape): Effect => ({
  type: 'log',
  level: 'error',
  message,
  values: { skill, code },
})

const withEffects = (first: readonly Effect[], step: Next<SkillState>): Next<SkillState> =>
  next(step.state, [...first, ...step.effects])
