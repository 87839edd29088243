/**
 * The desk of approvals: what a skill wants to do and may not without a person. One actor on each node; all follow the same entries, so that
 * what one node's skill waits for is seen, and decided, on any other.
 *
 * D1 Each wanted act is decided once: allowed, denied, or expired, which is a no. D2 The skill is told by the desk of its own node, once,
 * whoever decided. D3 Every decision is in the audit log of the node where it was made, and of the one where it is carried out.
 * D4 What is critical is not decided by a voice. D5 After a restart nothing waits any more: the act it was for is gone too.
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
  placedAddress,
  type ReplyTo,
  same,
  writeEntries,
} from '../../actors/index.ts'
import { assertNever, type NodeId, requestId } from '../../host/index.ts'
import { APPROVALS, approvalIntent } from '../approval-words.ts'
import type { Announce, ApprovalDecide, ApprovalDecided, ApprovalWanted } from '../messages.ts'
import { type Approval, COLLECTION, readApproval, type StoredApproval } from './desk.ts'

export type ApprovalsMessage =
  | ApprovalWanted
  | ApprovalDecide
  /** Anybody of this node → the desk, as an ask. */
  | { readonly type: 'approvals.asked' }
  | { readonly type: 'approval.expired'; readonly id: string }
  | { readonly type: 'reload' }
  | Outcome

export type ApprovalsAnswer =
  | { readonly type: 'approvals.list'; readonly rows: readonly Approval[] }
  /** Undefined: there is none of that id. `late`: it had been decided, or its time was over. */
  | { readonly type: 'approval.row'; readonly row: Approval | undefined; readonly late: boolean }

export interface ApprovalsArgs {
  readonly node: NodeId
}

export interface ApprovalsState {
  readonly node: NodeId
  readonly rows: Readonly<Record<string, StoredApproval>>
  /** Of this node's skills, in this life, and not decided. */
  readonly open: Readonly<Record<string, true>>
}

/** Decided ones that are kept to be looked at, of each node. */
const KEPT = 32
/** Rows of a whole household; more come from nobody who means well. */
const MOST_ROWS = 1_024
const RELOAD_AFTER_MS = 1_000

const STATE = requestId('approvals')
const WRITE = requestId('write')

export const approvals: Behavior<ApprovalsState, ApprovalsMessage, ApprovalsArgs> = {
  kind: 'approvals',
  mailbox: { capacity: 256, overflow: 'reject' },

  start: ({ node }) =>
    next<ApprovalsState>({ node, rows: {}, open: {} }, [
      { type: 'subscribe', topic: APPROVALS },
      followEntries(STATE, COLLECTION),
    ]),

  receive(state, message, context) {
    switch (message.type) {
      case 'approval.wanted':
        return wanted(state, message, context)
      case 'approval.decide':
        return decide(state, message, context)
      case 'approval.expired':
        if (state.open[message.id] === undefined) return same(state)
        return settled(state, message.id, 'expired', 'nobody')
      case 'approvals.asked':
        return next(state, answer(context.replyTo, { type: 'approvals.list', rows: listed(state) }))
      case 'reload':
        return next(state, [followEntries(STATE, COLLECTION)])
      case 'outcome':
        return message.id === STATE ? told(state, message) : same(state)
      default:
        return assertNever(message)
    }
  },
}

function wanted(state: ApprovalsState, asked: ApprovalWanted, context: Context): Next<ApprovalsState> {
  const { id, skill, words, risk, room, within_ms } = asked
  const asked_wall = Math.round(context.wall)
  const row: StoredApproval = {
    ...{ skill, words: words.slice(0, 1_024), risk, room, node: state.node },
    ...{ asked_wall, until_wall: asked_wall + within_ms, state: 'waiting', by: '' },
  }
  const old = oldest(state)
  const rows = Object.fromEntries(Object.entries(state.rows).filter(([known]) => !old.includes(known)))
  const expired: ApprovalsMessage = { type: 'approval.expired', id }
  return next({ ...state, rows: { ...rows, [id]: row }, open: { ...state.open, [id]: true } }, [
    noted(row, 'asked'),
    stored([...old.map((key): EntryChange => ({ change: 'delete', key })), put(id, row)]),
    { type: 'schedule', id: requestId(id), delay_ms: within_ms, message: expired },
    { type: 'publish', topic: 'announce', message: askedAloud(asked) },
  ])
}

/** A voice may say yes to what is not critical; of what is, it is only told. */
function askedAloud({ id, skill, words, risk, room, session }: ApprovalWanted): Announce {
  const critical = risk === 'critical'
  return {
    type: 'announce',
    skill,
    speech: critical
      ? `The ${skill} skill wants to ${words}. It must be allowed by hand.`
      : `The ${skill} skill wants to ${words}. Shall it?`,
    ...(room === '' ? {} : { room }),
    ...(session === '' ? {} : { session: session as NonNullable<Announce['session']> }),
    ...(critical ? {} : { asks: { name: approvalIntent(skill), slots: { id, yes: 1 } } }),
  }
}

function decide(
  state: ApprovalsState,
  { id, allowed, by }: ApprovalDecide,
  context: Context,
): Next<ApprovalsState> {
  const row = state.rows[id]
  const { replyTo } = context
  if (row === undefined)
    return next(state, answer(replyTo, { type: 'approval.row', row: undefined, late: false }))
  const mine = row.node === state.node
  const over =
    row.state !== 'waiting' || (mine ? state.open[id] === undefined : context.wall > row.until_wall)
  if (over || (row.risk === 'critical' && replyTo === undefined)) {
    return next(state, answer(replyTo, { type: 'approval.row', row: { ...row, id }, late: true }))
  }
  const step = settled(state, id, allowed ? 'allowed' : 'denied', by)
  const now: Approval = { ...step.state.rows[id]!, id }
  return next(step.state, [
    ...step.effects,
    ...answer(replyTo, { type: 'approval.row', row: now, late: false }),
  ])
}

/** Decided, here or elsewhere: written, recorded, and the skill told where it waits on this node. */
function settled(
  state: ApprovalsState,
  id: string,
  how: 'allowed' | 'denied' | 'expired',
  by: string,
): Next<ApprovalsState> {
  const row: StoredApproval = { ...state.rows[id]!, state: how, by: by.slice(0, 128) }
  const { [id]: waits, ...open } = state.open
  return next({ ...state, rows: { ...state.rows, [id]: row }, open }, [
    noted(row, how === 'expired' ? 'nobody allowed it in time' : `${how} by ${row.by}`),
    stored([put(id, row)]),
    ...(waits === undefined ? [] : tellSkill(id, row)),
  ])
}

function tellSkill(id: string, { skill, state, by }: StoredApproval): readonly Effect[] {
  const message: ApprovalDecided = { type: 'approval.decided', id, allowed: state === 'allowed', by }
  return [
    { type: 'cancel', id: requestId(id) },
    { type: 'send', to: placedAddress('skill', skill), message },
  ]
}

// — what the store tells —

function told(state: ApprovalsState, outcome: Outcome): Next<ApprovalsState> {
  if (outcome.event === 'done') return same(state)
  if (outcome.event === 'failed') {
    const reload: ApprovalsMessage = { type: 'reload' }
    const id = requestId('reload')
    return next(state, [{ type: 'schedule', id, delay_ms: RELOAD_AFTER_MS, message: reload }])
  }
  const { whole, changes } = outcome.body as Followed
  const rows: Record<string, StoredApproval> = whole ? {} : { ...state.rows }
  const open: Record<string, true> = { ...state.open }
  const effects: Effect[] = []
  for (const change of changes) {
    const id = change.key
    const row = change.change === 'put' ? readApproval(change.value) : undefined
    if (id in Object.prototype) continue
    if (row === undefined) delete rows[id]
    else if (open[id] !== undefined && row.state !== 'waiting') {
      // Decided on another node.
      delete open[id]
      rows[id] = row
      effects.push(noted(row, `${row.state} by ${row.by}`), ...tellSkill(id, row))
    } else if (Object.keys(rows).length < MOST_ROWS || rows[id] !== undefined) rows[id] = row
  }
  // D5: of an earlier life of this node.
  const lost = Object.entries(rows).filter(
    ([id, row]) => row.node === state.node && row.state === 'waiting' && open[id] === undefined,
  )
  for (const [id, row] of lost) rows[id] = { ...row, state: 'expired', by: 'a restart' }
  if (lost.length > 0) effects.push(stored(lost.map(([id]) => put(id, rows[id]!))))
  return next({ ...state, rows, open }, effects)
}

const put = (key: string, value: StoredApproval): EntryChange => ({ change: 'put', key, value })

/** The store keeps it for the others; what this node's skills wait for does not depend on it. */
const stored = (changes: readonly EntryChange[]): Effect => writeEntries(WRITE, COLLECTION, changes)

const noted = ({ skill, words }: StoredApproval, outcome: string): Effect => ({
  type: 'audit',
  what: 'approval',
  object: `${skill}: ${words}`.slice(0, 256),
  outcome,
})

/** This node's own that were decided longest ago, beyond what is kept. */
function oldest({ node, rows }: ApprovalsState): readonly string[] {
  return Object.entries(rows)
    .filter(([, row]) => row.node === node && row.state !== 'waiting')
    .sort(([, a], [, b]) => b.asked_wall - a.asked_wall)
    .slice(KEPT - 1)
    .map(([id]) => id)
}

const listed = ({ rows }: ApprovalsState): readonly Approval[] =>
  Object.entries(rows)
    .map(([id, row]) => ({ ...row, id }))
    .sort((a, b) => b.asked_wall - a.asked_wall)

const answer = (to: ReplyTo | undefined, message: ApprovalsAnswer): readonly Effect[] =>
  to === undefined ? [] : [{ type: 'reply', to, message }]
