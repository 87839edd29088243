/**
 * Who belongs to the household: the decision function of one node. It keeps the roster, lets nodes in, removes them, changes
 * the household key, and gives up a fresh household for another one. Sockets, files and the enrolment conversations
 * (`joiner.ts`, `admitter.ts`) are the shell's; it feeds inputs and carries out effects in the order given.
 *
 * H1 Nobody becomes a member without an open window or a person's approval of its code, on each side.
 * H2 Who was revoked is never let in again by a node that heard of it, whatever it shows.
 * H3 After a removal the household key changes, and the new one is given to members only.
 * H4 A node leaves its household by itself only while its window is open (or a person says so), it is unlocked, and it is alone
 *    in it or nobody decided anything there: then all its members go the same way (`standing.ts`).
 * H5 A removed node holds no household key and lets nobody in.
 * H6 Everything that grows is bounded: pending, sightings, sources, members, tombstones.
 * H7 What is told to others was kept first: `keep` stands before `spread`, `welcome` and `moved`.
 */

import { assertNever, type Monotonic, monotonic, type NodeId } from '../../host/index.ts'
import { absorb, rotate } from './absorb.ts'
import { admitAll, approve, asked, dismiss, failed } from './admission.ts'
import { certificateOf, isRevoked, isRotationDue, maySign, members } from './authority.ts'
import { ENROLMENT_MS, MAX_REVOKED, RENEW_AFTER_MS } from './bounds.ts'
import { issueCertificate, issueTombstone, issueWindow } from './issue.ts'
import { addKey, aged, currentKey, grantFor, openGrant } from './keychain.ts'
import { comeBack, comparing, join, joiningEnded, met, move, onward } from './moving.ts'
import { recordsOf } from './roster.ts'
import type {
  HouseholdContext,
  HouseholdEffect,
  HouseholdInput,
  HouseholdNext,
  HouseholdState,
} from './state.ts'

export function household(
  state: HouseholdState,
  input: HouseholdInput,
  context: HouseholdContext,
): HouseholdNext {
  if (state.phase === 'removed') return whenRemoved(state, input)
  switch (input.type) {
    case 'open':
      return opened(state, input.span_ms, context)
    case 'lock':
      return withWindow(state, 0, context)
    case 'approve':
      return approve(state, input.code, context)
    case 'dismiss':
      return dismiss(state, ({ card }) => card.node === input.node, 'enrolment-refused')
    case 'revoke':
      return revoke(state, input.node, context)
    case 'join':
      return join(state, input.node, context)
    case 'return':
      return comeBack(state, input.node, context)
    case 'met':
      return met(state, input.node, input.standing, context)
    case 'asked':
      return asked(state, input, context)
    case 'session-ended':
      return {
        state: { ...state, pending: state.pending.filter(({ session }) => session !== input.session) },
        effects: [],
      }
    case 'comparing':
      return comparing(state, input)
    case 'move':
      return move(state, input, context)
    case 'joining-ended':
      return joiningEnded(state, input, context)
    case 'connected':
      return connected(state, input.node, context)
    case 'heard':
      // A removed node's word is not even looked at; what it signed for others may still come through members.
      if (isRevoked(state.roster, input.from)) return { state, effects: [] }
      return absorb(state, input.records, context, input.from)
    case 'granted':
      return granted(state, input.grant, context)
    case 'due':
      return due(state, context)
    default:
      return assertNever(input)
  }
}

/** Nothing moves it any more but a reset, which founds a household of a new self. */
function whenRemoved(state: HouseholdState, input: HouseholdInput): HouseholdNext {
  if (input.type === 'asked')
    return { state, effects: [{ type: 'refuse', session: input.session, code: 'not-member' }] }
  if (input.type === 'move') return { state, effects: [{ type: 'withdraw' }] }
  const byPerson = ['open', 'lock', 'approve', 'revoke', 'join'].includes(input.type)
  return byPerson
    ? failed(state, 'not-member', 'this node was removed from its household')
    : { state, effects: [] }
}

const signer = ({ self }: HouseholdState) => ({ node: self.card.node, identity: self.identity })

/** A person stands at this node: it may also certify itself anew, should everybody have been away for too long. */
function opened(before: HouseholdState, span_ms: number, context: HouseholdContext): HouseholdNext {
  const renewed = renew(before, before.self.card.node, context)
  const next = withWindow(renewed.state, span_ms, context)
  const admitted = admitAll(next.state, context)
  return { state: admitted.state, effects: [...renewed.effects, ...next.effects, ...admitted.effects] }
}

function withWindow(state: HouseholdState, span_ms: number, context: HouseholdContext): HouseholdNext {
  if (!maySign(state.roster, state.self.card.node))
    return failed(state, 'not-entitled', 'this node may not admit others')
  const next = absorb(state, [issueWindow(state.roster, signer(state), context.wall, span_ms)], context)
  const what = span_ms > 0 ? 'household.opened' : 'household.locked'
  const audit: HouseholdEffect = { type: 'audit', what, object: state.roster.household, outcome: 'ok' }
  return { state: next.state, effects: [...next.effects, audit, { type: 'wake', at: next.state.closes }] }
}

function revoke(before: HouseholdState, node: NodeId, context: HouseholdContext): HouseholdNext {
  const { roster, self } = before
  if (!maySign(roster, self.card.node))
    return failed(before, 'not-entitled', 'this node may not remove others')
  if (node === self.card.node)
    return failed(before, 'not-entitled', 'a node does not remove itself: reset it')
  if (roster.tombstone.size >= MAX_REVOKED)
    return failed(before, 'household-full', 'too many nodes were removed: found a new household')
  const gone = absorb(before, [issueTombstone(roster, signer(before), node, context.wall)], context)
  const turned = rotate(gone.state, context)
  return { state: turned.state, effects: [...gone.effects, ...turned.effects] }
}

/** A member is here: tell it what we know, hand it the key, and renew its certificate when it is time. */
function connected(before: HouseholdState, node: NodeId, context: HouseholdContext): HouseholdNext {
  if (certificateOf(before.roster, node) === undefined) return { state: before, effects: [] }
  const { state, effects } = renew(before, node, context)
  const grant = grantFor(state.roster, state.keychain, node, context.random)
  return {
    state,
    effects: [
      ...effects,
      { type: 'tell', to: node, records: recordsOf(state.roster) },
      ...(grant === undefined ? [] : [{ type: 'grant', grant } as const]),
    ],
  }
}

/** Anew for a term, when a third of the last one is over; the same limits. */
function renew(state: HouseholdState, node: NodeId, context: HouseholdContext): HouseholdNext {
  const held = certificateOf(state.roster, node)
  const young = held === undefined || context.wall - held.at < RENEW_AFTER_MS
  if (young || !maySign(state.roster, state.self.card.node)) return { state, effects: [] }
  const certificate = issueCertificate(state.roster, signer(state), held.card, context.wall, held.limits)
  return absorb(state, [certificate], context)
}

function granted(
  state: HouseholdState,
  grant: Parameters<typeof openGrant>[0],
  context: HouseholdContext,
): HouseholdNext {
  const { self, roster, keychain } = state
  if (grant.household !== roster.household || keychain.some(({ id }) => id === grant.key_id))
    return { state, effects: [] }
  const key = openGrant(grant, self.card.node, self.sealing)
  if (key === undefined) return { state, effects: [] }
  const next = { ...state, keychain: aged(addKey(keychain, key), roster, context.now) }
  return { state: next, effects: [{ type: 'keep' }, { type: 'reopen' }] }
}

function due(before: HouseholdState, context: HouseholdContext): HouseholdNext {
  const { now } = context
  const effects: HouseholdEffect[] = []
  let state = before
  const step = (next: HouseholdNext): void => {
    state = next.state
    effects.push(...next.effects)
  }
  step(dismiss(state, ({ since }) => now - since >= ENROLMENT_MS, 'enrolment-expired'))
  if (state.rotates !== undefined && state.rotates <= now) {
    step(
      isRotationDue(state.roster)
        ? rotate({ ...state, rotates: undefined }, context)
        : { state: { ...state, rotates: undefined }, effects: [] },
    )
  }
  const keychain = aged(state.keychain, state.roster, now)
  if (keychain.length !== state.keychain.length) effects.push({ type: 'keep' }, { type: 'reopen' })
  state = { ...state, keychain }
  // Alone, nobody else can renew us.
  if (members(state.roster).length === 1) step(renew(state, state.self.card.node, context))
  step(onward(state, context))
  return { state, effects: [...effects, { type: 'wake', at: nextDue(state, now) }] }
}

/** The earliest thing that will fall due; an hour from now at the latest, for what goes by the wall clock. */
function nextDue(state: HouseholdState, now: Monotonic): Monotonic {
  const times = [
    state.rotates,
    state.joining?.phase === 'pausing' ? state.joining.again : undefined,
    state.closes,
    ...state.pending.map(({ since }) => since + ENROLMENT_MS),
    ...state.keychain.map(({ until }) => until),
  ].filter((time): time is Monotonic => time !== undefined && time > now)
  return monotonic(Math.min(now + 3_600_000, ...times))
}

/** A member may be handed the current key, and this node has it to hand. */
export const holdsCurrentKey = ({ keychain, roster }: HouseholdState): boolean =>
  currentKey(keychain, roster) !== undefined
