/**
 * The actor of one skill: keeps its state, calls into its sandbox, applies what comes back. Address `loqa:/skill/<name>`. Every node
 * runs its own, and all of them follow the same entries: what one wrote the others know within tens of milliseconds.
 *
 * Promises, each with a test of the same number:
 * 1. What a call changed is durable before anybody hears that it worked; a call that fails changes nothing.
 * 2. Calls run one at a time, in the order they came; each sees what the ones before it changed, and what other nodes wrote and
 *    told by then. Of two that change the same entry on two nodes at once, the version
 *    of its later life counts (`EntryChange`, `renews`): what is changed stands, though it was deleted elsewhere meanwhile.
 * 3. Every ask gets exactly one `skill.result`, whatever the sandbox, the skill or the store does.
 * 4. A timer rings once it is due, also when that was while the node was down (then late, and marked `missed`).
 *    It is forgotten only after its announcement went out: a crash in between makes it ring twice, never not at all.
 * 5. An intent whose manifest asks for a confirmation is not carried out without one; nor is what can do harm, whatever the manifest
 *    says (`skill-risk.ts`, A1–A4).
 * 6. A timer set on any node rings in the household: on the node whose turn it is (`ringing.ts`, R1–R5), once while the household is
 *    one, no more than a second late when nodes died; cancelled or moved on any node, it does so on all that were told.
 * 7. A node that was away or asleep rings nothing before it had the time to hear what happened meanwhile.
 * 8. What takes time (`skill-reach.ts`) never keeps other calls waiting; its result is a call of its own.
 * 9. A call whose node dies is tried again, once, elsewhere, if it was declared idempotent (`skill-flight.ts`, F1–F4).
 */
import {
  type Behavior,
  type Context,
  type Effect,
  type Followed,
  followEntries,
  type Next,
  next,
  type Outcome,
  same,
} from '../actors/index.ts'
import { assertNever, type ErrorShape, monotonic, requestId } from '../host/index.ts'
import { approvalIntent } from './approval-words.ts'
import type { SkillInvoke } from './messages.ts'
import { askAnyway } from './phrases.ts'
import { isAtLeast } from './risk.ts'
import { refusalOf } from './skill-calls.ts'
import { lookedAfter, takenUp } from './skill-flight.ts'
import { absorbed, skillCollection } from './skill-kept.ts'
import { answered, questionIntent, reachEnded, TOPICS, topicSaid, unanswered } from './skill-reach.ts'
import { called, logged, written } from './skill-results.ts'
import { askedOver, decided, saidAloud } from './skill-risk.ts'
import { failure, replies } from './skill-speech.ts'
import { FRESH, type House, type SkillArgs, type SkillMessage, type SkillState } from './skill-state.ts'
import { arranged, houseChanged, turnCame } from './skill-turns.ts'
import { ANSWER_WITHIN_MS, andProceed, CALL, proceed, WRITE } from './skill-work.ts'

const RELOAD_AFTER_MS = 1_000

const STATE = requestId('state')

/** Whom nobody tells of a household is alone. */
const ALONE: House = { nodes: [], caught_up: true }
const NOT_TOLD: House = { nodes: [], caught_up: false }
/** On this topic a skill that starts asks to be told of the household (`house`). */
export const HOUSE_WANTED = 'house.wanted'

export const skill: Behavior<SkillState, SkillMessage, SkillArgs> = {
  kind: 'skill',
  mailbox: { capacity: 64, overflow: 'reject' },

  start: (args) =>
    next<SkillState>({ ...FRESH, args, house: args.awaits_house ? NOT_TOLD : ALONE }, [
      { type: 'publish', topic: HOUSE_WANTED, message: { type: HOUSE_WANTED } },
      followEntries(STATE, skillCollection(args.name)),
      ...hearing(args),
    ]),

  receive(state, message, context) {
    switch (message.type) {
      case 'skill.invoke':
        return invoked(state, message, context)
      case 'timer.due':
        return andProceed(turnCame(state, message.timer, context), context)
      case 'renewed':
        return next({ ...state, args: message.args }, hearing(message.args))
      case 'house':
        return andLookAfter(houseChanged(state, message, context), context)
      case 'topic.said':
        return andProceed(topicSaid(state, message, context), context)
      case 'question.over':
        return andProceed(unanswered(state, message.question, context), context)
      case 'asked.over':
        return askedOver(state, message.session)
      case 'approval.decided':
        return andProceed(decided(state, message, context), context)
      case 'approval.over':
        return andProceed(decided(state, { id: message.id, allowed: false }, context), context)
      case 'flight.turn':
        return andProceed(takenUp(state, message.flight, context), context)
      case 'reload':
        return next(state, [followEntries(STATE, skillCollection(state.args.name))])
      case 'outcome':
        if (message.id === STATE) return stateTold(state, message, context)
        if (message.id === CALL) return called(state, message, context)
        if (message.id === WRITE) return written(state, message, context)
        return andProceed(reachEnded(state, message, context) ?? same(state), context)
      default:
        return assertNever(message)
    }
  },
}

/** Who subscribes to some topic hears of all, and takes its own (`topicSaid`). */
const hearing = ({ subscribes = [] }: SkillArgs): Effect[] =>
  subscribes.length > 0 ? [{ type: 'subscribe', topic: TOPICS }] : []

// — what starts work —

function invoked(before: SkillState, invoke: SkillInvoke, context: Context): Next<SkillState> {
  // A new command: a yes that comes from now on is an answer to something else than what was asked before.
  const dropped = invoke.confirmed ? same(before) : askedOver(before, invoke.session)
  const step = commanded(dropped.state, invoke, context)
  return next(step.state, [...dropped.effects, ...step.effects])
}

function commanded(state: SkillState, invoke: SkillInvoke, context: Context): Next<SkillState> {
  const { args } = state
  const { replyTo } = context
  const intent = invoke.intent.name
  if (intent === questionIntent(args.name))
    return andProceed(answered(state, invoke, replyTo, context), context)
  if (intent === approvalIntent(args.name)) return saidAloud(state, invoke, replyTo)
  const question = questionFor(args, intent)
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

/** What is risky by the manifest's own word is asked for even where it has no words for the question. */
const questionFor = ({ confirm, risk }: SkillArgs, intent: string): string | undefined =>
  confirm[intent] ?? (isAtLeast(risk?.[intent] ?? 'low', 'high') ? askAnyway : undefined)

/** Also what the household's copies of this skill were doing when they were last heard of. */
const andLookAfter = (step: Next<SkillState>, context: Context): Next<SkillState> => {
  const looked = lookedAfter(step.state, context)
  return andProceed(next(looked.state, [...step.effects, ...looked.effects]), context)
}

// — what the store tells —

function stateTold(state: SkillState, outcome: Outcome, context: Context): Next<SkillState> {
  if (outcome.event === 'failed') return unreadable(state, outcome.error)
  if (outcome.event === 'done') return same(state)
  const followed = outcome.body as Followed
  if (state.now.phase !== 'loading')
    return andLookAfter(arranged(absorbed(state, followed, context), context), context)
  if (!followed.whole) return same(state)
  // What fell due while nobody was there goes before what is asked now.
  const loaded = arranged(
    { ...absorbed(state, followed, context), now: { phase: 'idle' }, waiting: [] },
    context,
  )
  const ready: SkillState = { ...loaded.state, waiting: [...loaded.state.waiting, ...state.waiting] }
  return andLookAfter(next(ready, loaded.effects), context)
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
    work.kind === 'due' ? [] : failure(name, work.replyTo, error),
  )
  return next({ ...state, waiting: [] }, [...answers, ...effects])
}
