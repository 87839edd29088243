/**
 * What a call wants done outside, once the rest of it is durable: devices, requests, prompts, questions, messages, cards. What
 * comes of it is told to the skill as a call of `heard`; an answer that speaks of devices waits until they have done it. Pure.
 */
import type { Context, Effect, Next, Outcome, ReplyTo } from '../actors/index.ts'
import { next, same } from '../actors/index.ts'
import { type ErrorShape, monotonic, requestId } from '../host/index.ts'
import type { Change, Heard } from './call.ts'
import type { Intent } from './intents/intent.ts'
import type { Announce, CardUpdate, SkillInvoke, TopicSaid } from './messages.ts'
import { MAX_WAITING_CALLS } from './skill-calls.ts'
import { failure, replies } from './skill-speech.ts'
import type { Origin, Reach, Reaching, SkillMessage, SkillState, Work } from './skill-state.ts'

/** Longer than anybody waits for a lamp, shorter than a conversation waits for its skill. */
export const COMMAND_WITHIN_MS = 2_500
/** A server may be slow; nobody waits in silence for it. */
export const HTTP_WITHIN_MS = 20_000
/** A prompt waits for its turn behind conversations, and small machines write four words a second. */
export const LANGUAGE_WITHIN_MS = 60_000
/** A question nobody answered. */
export const QUESTION_WITHIN_MS = 60_000
/** `heard` may take as long as a ring: nobody waits for it. */
const HEARD_WITHIN_MS = 60_000
/** Under way for one skill at a time. */
export const MAX_REACHING = 32
/** A message that came of a message that came of a message … two skills that answer each other end here. */
export const MAX_HOPS = 4

export const TOPICS = 'skill.topic'
export const CARDS = 'visual.card.update'
const REACH = 'reach/'

/** What the answer to a question put unasked is brought as; no manifest can name an intent so. */
export const questionIntent = (skill: string): string => `${skill}.-question`

/** Whoever put it waits for a no as well. */
export const isPutUnasked = ({ name }: Intent): boolean => name.includes('.-')

export function originOf(state: SkillState, work: Work): Origin {
  if (work.kind === 'heard') return work.origin
  if (work.kind === 'due') {
    const room = state.kept.timers[work.timer]?.room ?? ''
    return { room, session: '', person: undefined, hops: 0, flight: undefined }
  }
  const { room, session, person } = work.invoke
  return { room, session, person, hops: 0, flight: work.flight }
}

/** The changes that are carried out here. */
export const reachOf = (changes: readonly Change[]): readonly Change[] =>
  changes.filter(({ change }) => REACHES.has(change))

const REACHES: ReadonlySet<Change['change']> = new Set([
  'device',
  'http',
  'language',
  'question',
  'publish',
  'card',
])

/** `answer` is said at once, or when the devices of this call have done what they were told. */
export function reachedOut(
  before: SkillState,
  { changes, answer }: Reach,
  origin: Origin,
  replyTo: ReplyTo | undefined,
  context: Context,
): Next<SkillState> {
  let state = before
  const effects: Effect[] = []
  const commands = changes.filter(({ change }) => change === 'device').length
  const group = commands > 0 ? state.next : undefined
  if (group !== undefined) {
    const waiting = { left: commands, replyTo, effects: answer }
    state = { ...state, next: state.next + 1, answers: { ...state.answers, [group]: waiting } }
  }
  for (const change of changes) {
    const step = carryOut(state, change, origin, group, context)
    state = step.state
    effects.push(...step.effects)
  }
  return next(state, group === undefined ? [...effects, ...answer] : effects)
}

function carryOut(
  state: SkillState,
  change: Change,
  origin: Origin,
  group: number | undefined,
  context: Context,
): Next<SkillState> {
  const { name } = state.args
  switch (change.change) {
    case 'device': {
      const { device, command, value } = change
      const body = { device, command, ...(value === undefined ? {} : { value }) }
      return begun(
        state,
        { of: 'device', as: device, origin, answer: group },
        body,
        COMMAND_WITHIN_MS,
        context,
      )
    }
    case 'http': {
      const { change: _, id, ...request } = change
      return begun(state, { of: 'http', as: id, origin, answer: undefined }, request, HTTP_WITHIN_MS, context)
    }
    case 'language': {
      const { prompt, max_tokens } = change
      const reaching: Reaching = { of: 'language', as: change.id, origin, answer: undefined }
      return begun(state, reaching, { prompt, max_tokens }, LANGUAGE_WITHIN_MS, context)
    }
    case 'question':
      return asked(state, change, origin)
    case 'publish': {
      if (origin.hops >= MAX_HOPS) return next(state, [tooManyHops(name, change.topic)])
      const { topic, data } = change
      const message: TopicSaid = { type: 'topic.said', topic, data, from: name, hops: origin.hops + 1 }
      return next(state, [{ type: 'publish', topic: TOPICS, message }])
    }
    case 'card': {
      const { card, room } = change
      const message: CardUpdate = {
        type: 'visual.card.update',
        skill: name,
        card,
        ...(room === '' ? {} : { room }),
      }
      return next(state, [{ type: 'publish', topic: CARDS, message }])
    }
    default:
      return same(state)
  }
}

function begun(
  state: SkillState,
  reaching: Reaching,
  body: unknown,
  deadline_ms: number,
  context: Context,
): Next<SkillState> {
  const key = String(state.next)
  const under: SkillState = {
    ...state,
    next: state.next + 1,
    reaching: { ...state.reaching, [key]: reaching },
  }
  if (Object.keys(state.reaching).length >= MAX_REACHING)
    return came(under, key, TOO_MANY, undefined, context)
  return next(under, [
    {
      type: 'invoke',
      id: requestId(REACH + key),
      to: state.args.name,
      op: reaching.of,
      body,
      deadline_ms,
    },
  ])
}

const TOO_MANY: ErrorShape = {
  code: 'overloaded',
  message: `More than ${MAX_REACHING} things of this skill are under way`,
  retryable: true,
}

/** An outcome of something under way; undefined when it is about something else. */
export function reachEnded(
  state: SkillState,
  outcome: Outcome,
  context: Context,
): Next<SkillState> | undefined {
  if (!outcome.id.startsWith(REACH)) return undefined
  const key = outcome.id.slice(REACH.length)
  if (outcome.event === 'chunk' || state.reaching[key] === undefined) return same(state)
  if (outcome.event === 'failed') return came(state, key, outcome.error, undefined, context)
  return came(state, key, undefined, outcome.body, context)
}

function came(
  before: SkillState,
  key: string,
  error: ErrorShape | undefined,
  value: unknown,
  context: Context,
): Next<SkillState> {
  const { [key]: reaching, ...others } = before.reaching
  const { of, as, origin, answer } = reaching!
  const state: SkillState = { ...before, reaching: others }
  const { name } = state.args
  const object = of === 'device' ? `${name}: ${as}` : name
  const noted: Effect = { type: 'audit', what: `skill.${of}`, object, outcome: error?.code ?? 'ok' }
  const heard: Heard = {
    ...{ id: as, of, ok: error === undefined, room: origin.room, session: origin.session },
    ...(value === undefined ? {} : { value }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  }
  const step = answer === undefined ? tell(state, heard, origin, context) : answeredFor(state, answer, error)
  return next(step.state, [noted, ...step.effects])
}

/** The last device of an answer, or the first that failed: only then it is said, and only if it is true. */
function answeredFor(state: SkillState, group: number, error: ErrorShape | undefined): Next<SkillState> {
  const { [group]: waiting, ...others } = state.answers
  if (waiting === undefined) return same(state)
  if (error !== undefined) {
    const failed = failure(state.args.name, waiting.replyTo, error)
    return next({ ...state, answers: others }, failed)
  }
  if (waiting.left > 1) {
    return same({ ...state, answers: { ...others, [group]: { ...waiting, left: waiting.left - 1 } } })
  }
  return next({ ...state, answers: others }, waiting.effects)
}

/** Puts a call of `heard` among the work. One that cannot hear, or has too much to do, is not told. */
export function tell(
  state: SkillState,
  heard: Heard,
  origin: Origin,
  context: Context,
  replyTo?: ReplyTo,
): Next<SkillState> {
  const { name, hears } = state.args
  if (hears !== true) return same(state)
  if (state.waiting.length >= MAX_WAITING_CALLS) {
    const message = 'A skill was not told what came of something: too much waits for it'
    return next(state, [
      { type: 'log', level: 'warn', message, values: { skill: name, of: heard.of } },
      ...failure(name, replyTo, TOO_MANY),
    ])
  }
  const until = monotonic(context.now + HEARD_WITHIN_MS)
  const work: Work = { kind: 'heard', heard, origin, replyTo, until }
  return same({ ...state, waiting: [...state.waiting, work] })
}

// — questions put to a person unasked —

function asked(
  state: SkillState,
  change: Extract<Change, { change: 'question' }>,
  origin: Origin,
): Next<SkillState> {
  const { name } = state.args
  const { id, speech, room, session } = change
  const message: Announce = {
    type: 'announce',
    skill: name,
    speech,
    ...(room === '' ? {} : { room }),
    ...(session === '' ? {} : { session: session as NonNullable<Announce['session']> }),
    asks: { name: questionIntent(name), slots: { id, yes: 1 } },
  }
  const over: SkillMessage = { type: 'question.over', question: id }
  return next({ ...state, questions: { ...state.questions, [id]: { ...origin, room, session } } }, [
    { type: 'publish', topic: 'announce', message },
    { type: 'schedule', id: requestId(`question/${id}`), delay_ms: QUESTION_WITHIN_MS, message: over },
  ])
}

/** Yes or no, from a conversation. */
export function answered(
  state: SkillState,
  invoke: SkillInvoke,
  replyTo: ReplyTo | undefined,
  context: Context,
): Next<SkillState> {
  const id = String(invoke.intent.slots.id)
  const { [id]: origin, ...others } = state.questions
  if (origin === undefined) return next(state, replies(replyTo, { speech: 'That was too long ago.' }))
  const { room, session, person } = invoke
  const yes = Number(invoke.intent.slots.yes) === 1
  const heard: Heard = { id, of: 'question', ok: true, value: { yes }, room, session }
  const step = tell(
    { ...state, questions: others },
    heard,
    { ...origin, room, session, person },
    context,
    replyTo,
  )
  return next(step.state, [{ type: 'cancel', id: requestId(`question/${id}`) }, ...step.effects])
}

export function unanswered(state: SkillState, id: string, context: Context): Next<SkillState> {
  const { [id]: origin, ...others } = state.questions
  if (origin === undefined) return same(state)
  const { room, session } = origin
  const error = { code: 'timeout', message: 'Nobody answered' }
  const heard: Heard = { id, of: 'question', ok: false, error, room, session }
  return tell({ ...state, questions: others }, heard, origin, context)
}

// — topics —

/** Something was said on a topic; only what the manifest subscribes to, and nobody hears themselves. */
export function topicSaid(state: SkillState, said: TopicSaid, context: Context): Next<SkillState> {
  const { name, subscribes = [] } = state.args
  if (said.from === name || !subscribes.includes(said.topic)) return same(state)
  const { topic, data, from, hops } = said
  const heard: Heard = { id: topic, of: 'topic', ok: true, value: { data, from }, room: '', session: '' }
  return tell(state, heard, { room: '', session: '', person: undefined, hops, flight: undefined }, context)
}

const tooManyHops = (skill: string, topic: string): Effect => ({
  type: 'log',
  level: 'warn',
  message: 'A message was not passed on: it came of too many others',
  values: { skill, topic },
})
