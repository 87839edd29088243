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
  type EntryChange,
  type Next,
  next,
  type Outcome,
  type ReplyTo,
  readEntries,
  same,
  writeEntries,
} from '../actors/index.ts'
import {
  assertNever,
  type ErrorShape,
  type Monotonic,
  monotonic,
  requestId,
  type Wall,
  wall,
} from '../host/index.ts'
import type { CallResult, Change, DueTimer, Invocation, SkillCall } from './call.ts'
import { zoneOffset } from './local-time.ts'
import type { Announce, SkillInvoke, SkillResult } from './messages.ts'
import { apology, lostTimer } from './phrases.ts'

/** Plain data the actor is started with; the catalogue makes it from the manifest. */
export interface SkillArgs {
  readonly name: string
  /** Intent → question to confirm it with, where the manifest asks for one. */
  readonly confirm: Readonly<Record<string, string>>
  readonly intents: readonly string[]
  readonly may_speak: boolean
  /** IANA time zone of the household. */
  readonly zone: string
}

export interface Timer {
  /** On this process' clock, which nobody turns: what it rings by. */
  readonly due: Monotonic
  /** What survives a restart. */
  readonly due_wall: Wall
  readonly delay_ms: number
}

/** What is stored of a timer, under `timer/<name>`. */
export interface StoredTimer {
  readonly due_wall: number
  readonly delay_ms: number
}

export type Work =
  | { readonly kind: 'handle'; readonly invoke: SkillInvoke; readonly replyTo: ReplyTo | undefined }
  | { readonly kind: 'due'; readonly timer: string; readonly due: Monotonic; readonly missed: boolean }

export type SkillPhase =
  /** Waits for its state from the store. */
  | { readonly phase: 'loading' }
  | { readonly phase: 'idle' }
  | { readonly phase: 'calling'; readonly work: Work; readonly since: Monotonic }
  /** The call is done; waits until what it changed is durable. */
  | {
      readonly phase: 'saving'
      readonly work: Work
      readonly kept: Kept
      readonly effects: readonly Effect[]
    }

/** The skill's own state. */
export interface Kept {
  readonly storage: Readonly<Record<string, string>>
  readonly timers: Readonly<Record<string, Timer>>
}

export interface SkillState {
  readonly args: SkillArgs
  readonly now: SkillPhase
  readonly kept: Kept
  readonly waiting: readonly Work[]
}

export type SkillMessage =
  | SkillInvoke
  /** The schedule of a timer ran out. */
  | { readonly type: 'timer.due'; readonly timer: string }
  /** Try again to read the state. */
  | { readonly type: 'reload' }
  | Outcome

/** Asks waiting for one skill. A household speaks to it from a few rooms at once. */
export const MAX_WAITING_CALLS = 32
/** A caller who gave no deadline: after this a person no longer takes the answer for one. */
export const ANSWER_WITHIN_MS = 3_000
const RELOAD_AFTER_MS = 1_000

const READ = requestId('state')
const CALL = requestId('call')
const WRITE = requestId('changes')
const STORAGE_PREFIX = 'storage/'
const TIMER_PREFIX = 'timer/'

export const skillCollection = (skill: string): string => `skill.${skill}`

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
        return rang(state, message.timer, context)
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
  const question = args.confirm[invoke.intent.name]
  if (question !== undefined && !invoke.confirmed) {
    return next(state, replies(replyTo, { speech: question, follow_up: { confirm: true } }))
  }
  if (!args.intents.includes(invoke.intent.name)) {
    const failed = problem(
      'not-found',
      `The skill ${args.name} has no intent ${invoke.intent.name.slice(0, 64)}`,
    )
    return next(state, replies(replyTo, { speech: apology(args.name, failed), failed }))
  }
  if (state.waiting.length >= MAX_WAITING_CALLS) {
    const failed = problem(
      'skill-busy',
      `More than ${MAX_WAITING_CALLS} calls wait for the skill ${args.name}`,
    )
    return next(state, replies(replyTo, { speech: apology(args.name, failed), failed }))
  }
  return proceed({ ...state, waiting: [...state.waiting, { kind: 'handle', invoke, replyTo }] }, context)
}

function rang(state: SkillState, name: string, context: Context): Next<SkillState> {
  const timer = state.kept.timers[name]
  // Cancelled or moved since it was scheduled; a moved one has a schedule of its own.
  if (timer === undefined || timer.due > context.now || isWaiting(state, name)) return same(state)
  const work: Work = { kind: 'due', timer: name, due: timer.due, missed: false }
  return proceed({ ...state, waiting: [...state.waiting, work] }, context)
}

const isWaiting = (state: SkillState, timer: string): boolean =>
  state.waiting.some((work) => work.kind === 'due' && work.timer === timer)

function stateRead(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'loading' || outcome.event === 'chunk') return same(state)
  if (outcome.event === 'failed') {
    const answers = state.waiting.flatMap((work) =>
      work.kind === 'handle' ? failure(state, work, outcome.error) : [],
    )
    return next({ ...state, waiting: [] }, [
      ...answers,
      {
        type: 'log',
        level: 'error',
        message: 'A skill cannot read its state',
        values: { skill: state.args.name, code: outcome.error.code },
      },
      { type: 'schedule', id: requestId('reload'), delay_ms: RELOAD_AFTER_MS, message: { type: 'reload' } },
    ])
  }
  const kept = keptFrom(outcome.body as readonly Entry[], context)
  const names = Object.keys(kept.timers).sort((a, b) => kept.timers[a]!.due - kept.timers[b]!.due)
  const overdue = names.filter((name) => kept.timers[name]!.due <= context.now)
  const missed = overdue.map(
    (timer): Work => ({ kind: 'due', timer, due: kept.timers[timer]!.due, missed: true }),
  )
  const schedules = names
    .filter((name) => !overdue.includes(name))
    .map((name) => scheduleOf(name, kept.timers[name]!, context))
  const ready: SkillState = { ...state, now: { phase: 'idle' }, kept, waiting: [...missed, ...state.waiting] }
  return withEffects(schedules, proceed(ready, context))
}

/** Gives an idle skill its next work. */
function proceed(state: SkillState, context: Context): Next<SkillState> {
  const work = state.waiting[0]
  if (state.now.phase !== 'idle' || work === undefined) return same(state)
  const calling: SkillState = {
    ...state,
    now: { phase: 'calling', work, since: context.now },
    waiting: state.waiting.slice(1),
  }
  return next(calling, [
    {
      type: 'invoke',
      id: CALL,
      to: state.args.name,
      op: 'call',
      body: callOf(state, work, context),
      deadline_ms: Math.min(context.deadline_ms ?? ANSWER_WITHIN_MS, ANSWER_WITHIN_MS),
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
  const input: Invocation | DueTimer =
    work.kind === 'handle'
      ? {
          intent: work.invoke.intent.name,
          slots: work.invoke.intent.slots,
          room: work.invoke.room,
          session: work.invoke.session,
          confirmed: work.invoke.confirmed,
        }
      : { timer: work.timer, late_ms: Math.max(0, Math.round(context.now - work.due)), missed: work.missed }
  return {
    entry: work.kind,
    input: JSON.stringify(input),
    storage: kept.storage,
    timers,
    time: { wall_ms: context.wall, offset_min: zoneOffset(context.wall, args.zone) },
    seed: context.entropy,
  }
}

// — what comes back —

function called(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'calling' || outcome.event === 'chunk') return same(state)
  const { work, since } = state.now
  const name = state.args.name
  const observed: Effect[] = [
    { type: 'metric', name: 'loqa_skill_call_ms', observe: context.now - since, labels: { skill: name } },
    {
      type: 'audit',
      what: 'skill.call',
      object: work.kind === 'handle' ? work.invoke.intent.name : `${name}.due`,
      outcome: outcome.event === 'failed' ? outcome.error.code : 'ok',
    },
  ]
  if (outcome.event === 'failed')
    return withEffects(observed, callFailed(state, work, outcome.error, context))
  return withEffects(observed, callWorked(state, work, outcome.body as CallResult, context))
}

function callWorked(state: SkillState, work: Work, result: CallResult, context: Context): Next<SkillState> {
  const { kept, entries, effects } = applyChanges(state, work, result.changes, context)
  const spoken = announcements(state, result.changes)
  if (work.kind === 'due') {
    // Aloud first, forgotten afterwards (promise 4).
    return save(state, work, kept, entries, effects, spoken)
  }
  const { speech, follow_up, card } = result.answer
  const answer = replies(work.replyTo, {
    speech,
    ...(follow_up === undefined ? {} : { follow_up: follow_up as NonNullable<SkillResult['follow_up']> }),
    ...(card === undefined ? {} : { card }),
  })
  const later = [...effects, ...spoken, ...answer]
  if (entries.length > 0) return save(state, work, kept, entries, later, [])
  return withEffects(later, proceed({ ...state, now: { phase: 'idle' } }, context))
}

function callFailed(state: SkillState, work: Work, error: ErrorShape, context: Context): Next<SkillState> {
  if (work.kind === 'handle') {
    return withEffects(failure(state, work, error), proceed({ ...state, now: { phase: 'idle' } }, context))
  }
  // The skill cannot say what is due. That something is due must still be heard, once.
  const { [work.timer]: _, ...timers } = state.kept.timers
  const entries: EntryChange[] = [{ change: 'delete', key: TIMER_PREFIX + work.timer }]
  const spoken = state.args.may_speak
    ? [announcement(state, lostTimer(state.args.name, work.missed), '', '')]
    : []
  return save(state, work, { ...state.kept, timers }, entries, [], spoken)
}

function save(
  state: SkillState,
  work: Work,
  kept: Kept,
  entries: readonly EntryChange[],
  effects: readonly Effect[],
  first: readonly Effect[],
): Next<SkillState> {
  return next({ ...state, now: { phase: 'saving', work, kept, effects } }, [
    ...first,
    writeEntries(WRITE, skillCollection(state.args.name), entries),
  ])
}

function written(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (state.now.phase !== 'saving' || outcome.event === 'chunk') return same(state)
  const { work, kept, effects } = state.now
  if (outcome.event === 'failed') return notSaved(state, work, kept, effects, outcome.error, context)
  return withEffects(effects, proceed({ ...state, now: { phase: 'idle' }, kept }, context))
}

function notSaved(
  state: SkillState,
  work: Work,
  kept: Kept,
  effects: readonly Effect[],
  error: ErrorShape,
  context: Context,
): Next<SkillState> {
  const logged: Effect = {
    type: 'log',
    level: 'error',
    message: 'A skill could not save its state',
    values: { skill: state.args.name, code: error.code },
  }
  // A timer that rang has rung: in memory it is over, only after a restart it rings once more.
  if (work.kind === 'due') {
    return withEffects([logged, ...effects], proceed({ ...state, now: { phase: 'idle' }, kept }, context))
  }
  const answers = failure(state, work, error)
  return withEffects([logged, ...answers], proceed({ ...state, now: { phase: 'idle' } }, context))
}

// — changes —

function applyChanges(state: SkillState, work: Work, changes: readonly Change[], context: Context) {
  const storage = { ...state.kept.storage }
  const timers = { ...state.kept.timers }
  const entries: EntryChange[] = []
  const effects: Effect[] = []
  if (work.kind === 'due') {
    delete timers[work.timer]
    entries.push({ change: 'delete', key: TIMER_PREFIX + work.timer })
  }
  for (const change of changes) {
    switch (change.change) {
      case 'put':
        storage[change.key] = change.value
        entries.push({ change: 'put', key: STORAGE_PREFIX + change.key, value: change.value })
        break
      case 'delete':
        delete storage[change.key]
        entries.push({ change: 'delete', key: STORAGE_PREFIX + change.key })
        break
      case 'timer-set': {
        const timer = timerIn(change.delay_ms, context)
        timers[change.timer] = timer
        const stored: StoredTimer = { due_wall: timer.due_wall, delay_ms: timer.delay_ms }
        entries.push({ change: 'put', key: TIMER_PREFIX + change.timer, value: stored })
        effects.push(scheduleOf(change.timer, timer, context))
        break
      }
      case 'timer-cancel':
        delete timers[change.timer]
        entries.push({ change: 'delete', key: TIMER_PREFIX + change.timer })
        effects.push({ type: 'cancel', id: timerId(change.timer) })
        break
      case 'log':
        effects.push({
          type: 'log',
          level: change.level,
          message: 'A skill logged',
          values: { skill: state.args.name, pii: { text: change.message } },
        })
        break
      case 'announce':
        break
      default:
        assertNever(change)
    }
  }
  return { kept: { storage, timers }, entries, effects }
}

const timerIn = (delay_ms: number, context: Context): Timer => ({
  due: monotonic(context.now + delay_ms),
  due_wall: wall(Math.round(context.wall + delay_ms)),
  delay_ms,
})

const timerId = (name: string) => requestId(TIMER_PREFIX + name)

function scheduleOf(name: string, timer: Timer, context: Context): Effect {
  const message: SkillMessage = { type: 'timer.due', timer: name }
  return { type: 'schedule', id: timerId(name), delay_ms: Math.max(0, timer.due - context.now), message }
}

/**
 * The state as it was stored. A machine without a battery-backed clock may start years back: a timer then never has more
 * left than it was set to.
 */
function keptFrom(entries: readonly Entry[], context: Context): Kept {
  const storage: Record<string, string> = {}
  const timers: Record<string, Timer> = {}
  for (const { key, value } of entries) {
    if (key.startsWith(STORAGE_PREFIX)) storage[key.slice(STORAGE_PREFIX.length)] = value as string
    else if (key.startsWith(TIMER_PREFIX)) {
      const { due_wall, delay_ms } = value as StoredTimer
      const left_ms = Math.min(due_wall - context.wall, delay_ms)
      timers[key.slice(TIMER_PREFIX.length)] = {
        due: monotonic(context.now + left_ms),
        due_wall: wall(due_wall),
        delay_ms,
      }
    }
  }
  return { storage, timers }
}

// — words —

function announcements(state: SkillState, changes: readonly Change[]): Effect[] {
  return changes.flatMap((change) =>
    change.change === 'announce' ? [announcement(state, change.speech, change.room, change.session)] : [],
  )
}

function announcement(state: SkillState, speech: string, room: string, session: string): Effect {
  const message: Announce = {
    type: 'announce',
    skill: state.args.name,
    speech,
    ...(room === '' ? {} : { room }),
    ...(session === '' ? {} : { session: session as NonNullable<Announce['session']> }),
  }
  return { type: 'publish', topic: 'announce', message }
}

function failure(state: SkillState, work: Extract<Work, { kind: 'handle' }>, error: ErrorShape): Effect[] {
  return replies(work.replyTo, { speech: apology(state.args.name, error), failed: error })
}

const replies = (to: ReplyTo | undefined, result: Omit<SkillResult, 'type'>): Effect[] =>
  to === undefined ? [] : [{ type: 'reply', to, message: { type: 'skill.result', ...result } }]

const problem = (code: string, message: string): ErrorShape => ({
  code,
  message,
  retryable: code !== 'not-found',
})

const withEffects = (first: readonly Effect[], step: Next<SkillState>): Next<SkillState> =>
  next(step.state, [...first, ...step.effects])
