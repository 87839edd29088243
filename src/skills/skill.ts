/**
 * The actor of one skill: keeps its state, calls into its sandbox, applies what comes back. Address `loqa:/skill/<name>`. Every node
 * runs its own, and all of them follow the same entries: what one wrote the others know within tens of milliseconds.
 *
 * Promises, each with a test of the same number:
 * 1. What a call changed is durable before anybody hears that it worked; a call that fails changes nothing.
 * 2. Calls run one at a time, in the order they came; each sees what the ones before it changed, and what other nodes wrote and
 *    told by then. Of two that change the same entry on two nodes at once, the later write of the entry counts.
 * 3. Every ask gets exactly one `skill.result`, whatever the sandbox, the skill or the store does.
 * 4. A timer rings once it is due, also when that was while the node was down (then late, and marked `missed`).
 *    It is forgotten only after its announcement went out: a crash in between makes it ring twice, never not at all.
 * 5. An intent whose manifest asks for a confirmation is not carried out without one.
 * 6. A timer set on any node rings in the household: on the node whose turn it is (`ringing.ts`, R1–R5), once while the household is
 *    one, no more than a second late when nodes died; cancelled or moved on any node, it does so on all that were told.
 * 7. A node that was away or asleep rings nothing before it had the time to hear what happened meanwhile.
 */
import {
  type Behavior,
  type Context,
  type Effect,
  type EntryChange,
  type Followed,
  followEntries,
  type Next,
  next,
  type Outcome,
  same,
  writeEntries,
} from '../actors/index.ts'
import { assertNever, type ErrorShape, monotonic, requestId, TimeoutError } from '../host/index.ts'
import type { CallResult } from './call.ts'
import type { SkillInvoke, SkillResult } from './messages.ts'
import { lostTimer } from './phrases.ts'
import { callOf, refusalOf } from './skill-calls.ts'
import { absorbed, forgetTimer, type Noted, noted, overHere, skillCollection } from './skill-kept.ts'
import { announcement, announcements, failure, replies } from './skill-speech.ts'
import type { House, SkillArgs, SkillMessage, SkillState, Work } from './skill-state.ts'
import { againAfter, arranged, houseChanged, turnCame } from './skill-turns.ts'

/** A caller who gave no deadline: after this a person no longer takes the answer for one. */
export const ANSWER_WITHIN_MS = 3_000
/** Nobody waits for a ring, and a machine that is just starting may need long for its first call. */
const RING_WITHIN_MS = 60_000
/** A ring that could not be carried out is tried again; a skill that keeps failing is switched off soon enough. */
const RING_AGAIN_AFTER_MS = 1_000
const RELOAD_AFTER_MS = 1_000

const STATE = requestId('state')
const CALL = requestId('call')
const WRITE = requestId('changes')

/** Not told of a household: alone. */
const ALONE: House = { nodes: [], caught_up: true }
/** On this topic a skill that starts asks to be told of the household (`house`). */
export const HOUSE_WANTED = 'house.wanted'

export const skill: Behavior<SkillState, SkillMessage, SkillArgs> = {
  kind: 'skill',
  mailbox: { capacity: 64, overflow: 'reject' },

  start: (args) =>
    next<SkillState>(
      {
        args,
        now: { phase: 'loading' },
        kept: { storage: {}, timers: {} },
        house: ALONE,
        rings: {},
        over: {},
        waiting: [],
      },
      [
        { type: 'publish', topic: HOUSE_WANTED, message: { type: HOUSE_WANTED } },
        followEntries(STATE, skillCollection(args.name)),
      ],
    ),

  receive(state, message, context) {
    switch (message.type) {
      case 'skill.invoke':
        return invoked(state, message, context)
      case 'timer.due':
        return andProceed(turnCame(state, message.timer, context), context)
      case 'house':
        return andProceed(houseChanged(state, message, context), context)
      case 'renewed':
        return next({ ...state, args: message.args })
      case 'reload':
        return next(state, [followEntries(STATE, skillCollection(state.args.name))])
      case 'outcome':
        if (message.id === STATE) return stateTold(state, message, context)
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

// — what the store tells —

function stateTold(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (outcome.event === 'failed') return unreadable(state, outcome.error)
  if (outcome.event === 'done') return same(state)
  const followed = outcome.body as Followed
  if (state.now.phase !== 'loading')
    return andProceed(arranged(absorbed(state, followed, context), context), context)
  if (!followed.whole) return same(state)
  // What fell due while nobody was there goes before what is asked now.
  const loaded = arranged(
    { ...absorbed(state, followed, context), now: { phase: 'idle' }, waiting: [] },
    context,
  )
  const ready: SkillState = { ...loaded.state, waiting: [...loaded.state.waiting, ...state.waiting] }
  return andProceed(next(ready, loaded.effects), context)
}

/** Who knows its state goes on with it: what others change meanwhile is heard when the store can be followed again. */
function unreadable(state: SkillState, error: ErrorShape): Next<SkillState> {
  const { name } = state.args
  const retry: SkillMessage = { type: 'reload' }
  const effects: Effect[] = [
    logged('A skill cannot read its state', name, error),
    { type: 'schedule', id: requestId('reload'), delay_ms: RELOAD_AFTER_MS, message: retry },
  ]
  if (state.now.phase !== 'loading') return next(state, effects)
  const answers = state.waiting.flatMap((work) =>
    work.kind === 'handle' ? failure(name, work.replyTo, error) : [],
  )
  return next({ ...state, waiting: [] }, [...answers, ...effects])
}

// — calling —

/** Gives an idle skill its next work. */
function proceed(state: SkillState, context: Context): Next<SkillState> {
  const work = state.waiting[0]
  if (state.now.phase !== 'idle' || work === undefined) return same(state)
  const rest: SkillState = { ...state, waiting: state.waiting.slice(1) }
  // Cancelled or moved by a call that came before it, or by another node; or rung there.
  if (work.kind === 'due' && !stands(state, work)) return andProceed(arranged(rest, context), context)
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
  const spoken = announcements(state.args.name, result.changes)
  if (work.kind === 'due') {
    // It was rung, cancelled or moved elsewhere in the meantime: what this call made of it is void.
    if (!stands(state, work)) return idle(state, context)
    // Aloud first, forgotten afterwards (promise 4).
    return save(state, work, noted(state, work, result.changes, context), spoken)
  }
  const { entries, effects } = noted(state, work, result.changes, context)
  const { speech, follow_up, card } = result.answer
  const answer = replies(work.replyTo, {
    speech,
    ...(follow_up === undefined ? {} : { follow_up: follow_up as NonNullable<SkillResult['follow_up']> }),
    ...(card === undefined ? {} : { card }),
  })
  const afterwards = [...effects, ...spoken, ...answer]
  if (entries.length > 0) return save(state, work, { entries, effects: afterwards })
  return withEffects(afterwards, idle(state, context))
}

function callFailed(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  const { name, may_speak } = state.args
  if (work.kind === 'handle') return withEffects(failure(name, work.replyTo, error), idle(state, context))
  if (!stands(state, work)) return idle(state, context)
  if (error.retryable) return idle(againAfter(state, work.timer, RING_AGAIN_AFTER_MS, context), context)
  // The skill cannot say what is due. That something is due must still be heard, once.
  const spoken = may_speak ? [announcement(name, lostTimer(name, work.missed))] : []
  return save(state, work, { entries: [forgetTimer(work.timer)], effects: [] }, spoken)
}

/** The timer is still the one that fell due. */
const stands = (state: SkillState, { timer, due }: Extract<Work, { kind: 'due' }>): boolean =>
  state.kept.timers[timer]?.due === due

/** Does `first` at once, and what was noted when it is durable. */
function save(
  state: SkillState,
  work: Work,
  { entries, effects }: Noted,
  first: readonly Effect[] = [],
): Next<SkillState> {
  return next({ ...state, now: { phase: 'saving', work, entries, effects } }, [
    ...first,
    writeEntries(WRITE, skillCollection(state.args.name), entries),
  ])
}

function written(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'saving' || outcome.event === 'chunk') return same(state)
  const { work, entries, effects } = state.now
  if (outcome.event === 'failed') return notWritten(state, work, outcome.error, context)
  // What others wrote meanwhile is known already and stays; what of it the store holds against ours it will tell.
  const changes: readonly EntryChange[] = entries
  return withEffects(effects, idle(absorbed(state, { whole: false, changes }, context), context))
}

function notWritten(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  const { name } = state.args
  const log = logged('A skill could not save its state', name, error)
  if (work.kind === 'handle') {
    return withEffects([log, ...failure(name, work.replyTo, error)], idle(state, context))
  }
  // A timer that rang has rung: in memory it is over, only after a restart it rings once more. What else the skill
  // wanted to change is not kept, so that memory and store stay the same.
  return withEffects([log], idle(overHere(state, work.timer), context))
}

/** The work is done: timers are looked at again, and the next work begins. */
const idle = (state: SkillState, context: Context): Next<SkillState> =>
  andProceed(arranged({ ...state, now: { phase: 'idle' } }, context), context)

const andProceed = (step: Next<SkillState>, context: Context): Next<SkillState> =>
  withEffects(step.effects, proceed(step.state, context))

const logged = (message: string, skill: string, { code }: ErrorShape): Effect => ({
  type: 'log',
  level: 'error',
  message,
  values: { skill, code },
})

const withEffects = (first: readonly Effect[], step: Next<SkillState>): Next<SkillState> =>
  next(step.state, [...first, ...step.effects])
