/**
 * What a person must say yes to before it is done. A call that wants more than its caller's yes covers has changed nothing: it is
 * thrown away, the person is asked, and after a yes it runs again. What nobody asked for (a timer, a message, a server's answer) waits
 * until somebody allows it, and is not done when nobody does. Pure.
 *
 * A1 Nothing of high risk is done without a yes or an approval that was given for just that: to a question in the node's own words, or
 * to that of a manifest that somebody vouched for. A2 Nothing critical without an approval. A3 What is not allowed in time is denied. A4 Each is in the audit log, with what became of it.
 */
import type { Context, Effect, Next, ReplyTo } from '../actors/index.ts'
import { next, same } from '../actors/index.ts'
import { monotonic, requestId } from '../host/index.ts'
import { APPROVALS } from './approval-words.ts'
import { APPROVALS_DESK } from './approvals/desk.ts'
import type { CallResult, Change, Heard } from './call.ts'
import type { ApprovalDecide, ApprovalDecided, ApprovalWanted, SkillInvoke } from './messages.ts'
import { type Act, isAtLeast, type Risk } from './risk.ts'
import { originOf, reachedOut, tell } from './skill-reach.ts'
import { replies } from './skill-speech.ts'
import type { HeldAct, Origin, SkillMessage, SkillState, Work } from './skill-state.ts'

/** A question is open as long as a conversation may keep it open (`voice.follow_up_timeout_ms` at most). */
const ASKED_WITHIN_MS = 60_000
/** Long enough to walk to a screen; short enough that nobody allows what they have forgotten. */
export const APPROVE_WITHIN_MS = 60_000
/** The desk of approvals says that the time is over; should it not, the skill's actor knows by itself. */
const DESK_LATE_MS = 1_000
/** Acts of one skill that wait for somebody. */
const MAX_HELD = 8
/** Conversations in which a question of ours is open. */
const MAX_ASKED = 16

export type Verdict =
  | { readonly verdict: 'go' }
  /** Ask who spoke; the call is void. */
  | { readonly verdict: 'ask'; readonly acts: readonly Act[] }
  /** The whole work waits until somebody allows it. */
  | { readonly verdict: 'hold-work'; readonly words: string }
  /** These changes wait; the others count. */
  | { readonly verdict: 'hold-acts'; readonly acts: readonly Act[] }

export function judged(state: SkillState, work: Work, { acts = [] }: CallResult): Verdict {
  const risky = acts.filter(({ risk }) => isAtLeast(risk, 'high'))
  if (work.kind !== 'handle' || work.replyTo === undefined) {
    if (work.kind === 'handle' && work.allowed) return { verdict: 'go' }
    return risky.length === 0 ? { verdict: 'go' } : { verdict: 'hold-acts', acts: risky }
  }
  const { intent, confirmed, session } = work.invoke
  const declared = state.args.risk?.[intent.name] ?? 'low'
  const asked = state.asked[session]
  const covers = ({ risk, words }: Act): boolean =>
    confirmed &&
    ((state.args.vouched === true && isAtLeast(declared, risk)) ||
      (asked?.intent === intent.name && asked.words.includes(words)))
  if (!risky.every(covers)) return { verdict: 'ask', acts: risky }
  const critical = declared === 'critical' || risky.some(({ risk }) => risk === 'critical')
  if (!critical) return { verdict: 'go' }
  return { verdict: 'hold-work', words: wordsOf(risky, intent.name) }
}

const wordsOf = (acts: readonly Act[], intent: string): string =>
  acts.length === 0 ? `do what ${intent} does` : joined(acts.map(({ words }) => words))

const joined = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

// — asking who spoke —

export function askedBack(
  state: SkillState,
  work: Extract<Work, { kind: 'handle' }>,
  acts: readonly Act[],
): Next<SkillState> {
  const { intent, session } = work.invoke
  const words = acts.map((act) => act.words)
  const open = Object.entries(state.asked).filter(([other]) => other !== session)
  const asked = Object.fromEntries([...open.slice(1 - MAX_ASKED), [session, { intent: intent.name, words }]])
  const over: SkillMessage = { type: 'asked.over', session }
  return next({ ...state, asked }, [
    approvalNoted(state, joined(words), 'asked'),
    ...replies(work.replyTo, { speech: `Shall I ${joined(words)}?`, follow_up: { confirm: true } }),
    { type: 'schedule', id: askedId(session), delay_ms: ASKED_WITHIN_MS, message: over },
  ])
}

/** The yes came: what was asked is done now, or not at all. */
export function yesCame(state: SkillState, work: Work, result: CallResult): Next<SkillState> {
  if (work.kind !== 'handle' || !work.invoke.confirmed) return same(state)
  const { session } = work.invoke
  const { [session]: asked, ...open } = state.asked
  const risky = (result.acts ?? []).filter(({ risk }) => isAtLeast(risk, 'high'))
  const noted =
    risky.length === 0 ? [] : [approvalNoted(state, joined(risky.map(({ words }) => words)), 'confirmed')]
  if (asked === undefined) return next(state, noted)
  return next({ ...state, asked: open }, [...noted, { type: 'cancel', id: askedId(session) }])
}

export function askedOver(state: SkillState, session: string): Next<SkillState> {
  const { [session]: asked, ...open } = state.asked
  if (asked === undefined) return same(state)
  return next({ ...state, asked: open }, [approvalNoted(state, joined(asked.words), 'not confirmed')])
}

const askedId = (session: string) => requestId(`asked/${session}`)

// — waiting for somebody to allow it —

interface Holding {
  readonly words: string
  readonly risk: Risk
  readonly changes: readonly Change[]
  readonly work: Work | undefined
}

export function heldBack(
  state: SkillState,
  work: Work,
  { words, risk, changes, work: heldWork }: Holding,
  context: Context,
): Next<SkillState> {
  const origin = originOf(state, work)
  if (Object.keys(state.held).length >= MAX_HELD) {
    const denied = outcomeHeard(
      state,
      state.args.name,
      { ...origin, flight: undefined },
      'too many wait',
      context,
    )
    return next(denied.state, [approvalNoted(state, words, 'denied: too many wait'), ...denied.effects])
  }
  const id = context.entropy.toString(36).slice(-4).padStart(4, '0') + state.next.toString(36)
  const held: HeldAct = {
    ...{ words, origin, changes, work: heldWork },
    until: monotonic(context.now + APPROVE_WITHIN_MS),
  }
  const wanted: ApprovalWanted = {
    ...{ type: 'approval.wanted', id, skill: state.args.name, words, risk },
    ...{ room: origin.room, session: origin.session, within_ms: APPROVE_WITHIN_MS },
  }
  const over: SkillMessage = { type: 'approval.over', id }
  return next({ ...state, next: state.next + 1, held: { ...state.held, [id]: held } }, [
    { type: 'publish', topic: APPROVALS, message: wanted },
    { type: 'schedule', id: heldId(id), delay_ms: APPROVE_WITHIN_MS + DESK_LATE_MS, message: over },
  ])
}

export function actsHeld(
  state: SkillState,
  work: Work,
  result: CallResult,
  acts: readonly Act[],
  context: Context,
) {
  const at = new Set(acts.map((act) => act.at))
  const changes = result.changes.filter((_, index) => at.has(index))
  const risk = acts.some((act) => act.risk === 'critical') ? 'critical' : 'high'
  const words = joined(acts.map((act) => act.words))
  const step = heldBack(state, work, { words, risk, changes, work: undefined }, context)
  return { step, left: result.changes.filter((_, index) => !at.has(index)) }
}

/** Somebody decided, or the time was over. */
export function decided(
  before: SkillState,
  { id, allowed }: Pick<ApprovalDecided, 'id' | 'allowed'>,
  context: Context,
): Next<SkillState> {
  const { [id]: act, ...held } = before.held
  if (act === undefined) return same(before)
  const state = { ...before, held }
  const cancel: Effect = { type: 'cancel', id: heldId(id) }
  const { origin, work, changes } = act
  if (!allowed || context.now > act.until + DESK_LATE_MS) {
    const told = outcomeHeard(state, id, origin, 'it was not allowed', context)
    return next(told.state, [cancel, ...told.effects])
  }
  if (work?.kind === 'handle') {
    const until = monotonic(context.now + APPROVE_WITHIN_MS)
    const again: Work = { ...work, replyTo: undefined, until, allowed: true, aloud: true }
    return next({ ...state, waiting: [...state.waiting, again] }, [cancel])
  }
  const done = reachedOut(state, { changes, answer: [] }, origin, undefined, context)
  const told = outcomeHeard(done.state, id, origin, undefined, context)
  return next(told.state, [cancel, ...done.effects, ...told.effects])
}

/** Yes or no to what the desk asked aloud: the desk decides, and tells. */
export function saidAloud(
  state: SkillState,
  invoke: SkillInvoke,
  replyTo: ReplyTo | undefined,
): Next<SkillState> {
  const id = String(invoke.intent.slots.id)
  const allowed = Number(invoke.intent.slots.yes) === 1
  if (state.held[id] === undefined) return next(state, replies(replyTo, { speech: 'That was too long ago.' }))
  const message: ApprovalDecide = {
    ...{ type: 'approval.decide', id, allowed },
    by: invoke.room === '' ? 'a voice' : `a voice in the ${invoke.room}`,
  }
  return next(state, [
    { type: 'send', to: APPROVALS_DESK, message },
    ...replies(replyTo, { speech: allowed ? 'All right.' : 'I leave it.' }),
  ])
}

function outcomeHeard(
  state: SkillState,
  id: string,
  origin: Origin,
  why: string | undefined,
  context: Context,
) {
  const { room, session } = origin
  const error = why === undefined ? {} : { error: { code: 'denied', message: why } }
  const heard: Heard = { id, of: 'approval', ok: why === undefined, room, session, ...error }
  return tell(state, heard, origin, context)
}

const heldId = (id: string) => requestId(`approval/${id}`)

const approvalNoted = ({ args }: SkillState, words: string, outcome: string): Effect => ({
  type: 'audit',
  what: 'skill.approval',
  object: `${args.name}: ${words}`.slice(0, 256),
  outcome,
})
