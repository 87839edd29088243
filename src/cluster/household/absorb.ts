/** What follows from new records, wherever they came from: signed here, heard from a member, or brought by a welcome. */
import { monotonic, type NodeId } from '../../host/index.ts'
import { isRevoked, isRotationDue, maySign, members, rotationOf, windowOf } from './authority.ts'
import { ROTATE_TURN_MS } from './bounds.ts'
import { newSecret } from './crypto.ts'
import { closing } from './founding.ts'
import { issueRotation } from './issue.ts'
import { addKey, aged, grantFor } from './keychain.ts'
import type { HouseholdRecord } from './records.ts'
import { merge } from './roster.ts'
import type { HouseholdContext, HouseholdEffect, HouseholdNext, HouseholdState } from './state.ts'

/** `from` is who told us; undefined when we signed them. */
export function absorb(
  before: HouseholdState,
  records: readonly HouseholdRecord[],
  context: HouseholdContext,
  from?: NodeId,
): HouseholdNext {
  const { roster, fresh } = merge(before.roster, records)
  if (fresh.length === 0) return { state: before, effects: [] }
  const spread: HouseholdEffect = {
    type: 'spread',
    records: fresh,
    ...(from === undefined ? {} : { except: from }),
  }
  const effects: HouseholdEffect[] = [{ type: 'keep' }, spread]
  let state: HouseholdState = { ...before, roster }

  const gone = fresh.flatMap((record) => (record.kind === 'tombstone' ? [record.node] : []))
  for (const node of new Set(gone)) {
    effects.push(
      { type: 'cut', node },
      { type: 'audit', what: 'household.revoked', object: node, outcome: 'heard' },
    )
  }
  if (isRevoked(roster, state.self.card.node)) return removed(state, effects)
  if (gone.length > 0) {
    const out = state.pending.filter(({ card }) => isRevoked(roster, card.node))
    for (const { session } of out) effects.push({ type: 'refuse', session, code: 'member-revoked' })
    state = { ...state, pending: state.pending.filter((pending) => !out.includes(pending)) }
  }
  const [held, counting] = [windowOf(before.roster), windowOf(roster)]
  if (counting?.signature !== held?.signature) {
    // The same window under another number (`decided`) opens nothing that a restart closed here.
    if (counting?.until !== held?.until) state = { ...state, closes: closing(roster, context) }
    effects.push({ type: 'reopen' })
  }
  if (rotationOf(roster)?.key_id !== rotationOf(before.roster)?.key_id) {
    state = { ...state, keychain: aged(state.keychain, roster, context.now) }
    effects.push({ type: 'reopen' })
  }
  return { state: queued(state, context), effects }
}

/** We were removed: nothing of the household is ours any more, least of all its keys. */
function removed(state: HouseholdState, effects: readonly HouseholdEffect[]): HouseholdNext {
  return {
    state: { ...state, phase: 'removed', keychain: [], pending: [], joining: undefined, rotates: undefined },
    effects: [
      ...effects,
      ...state.pending.map(
        ({ session }): HouseholdEffect => ({ type: 'refuse', session, code: 'not-member' }),
      ),
      { type: 'withdraw' },
      { type: 'reopen' },
      { type: 'audit', what: 'household.removed', object: state.self.card.node, outcome: 'this node' },
    ],
  }
}

/** Whoever removed somebody rotates at once; should it die before, the others take their turn in a fixed order. */
function queued(state: HouseholdState, { now }: HouseholdContext): HouseholdState {
  const { node } = state.self.card
  if (!isRotationDue(state.roster) || !maySign(state.roster, node)) return { ...state, rotates: undefined }
  if (state.rotates !== undefined) return state
  const place = members(state.roster)
    .filter((member) => maySign(state.roster, member))
    .indexOf(node)
  return { ...state, rotates: monotonic(now + ROTATE_TURN_MS * (1 + Math.max(0, place))) }
}

/** A new household key, for everybody who is a member now and nobody else. */
export function rotate(before: HouseholdState, context: HouseholdContext): HouseholdNext {
  const { identity, card } = before.self
  const key = newSecret(context.random)
  const rotation = issueRotation(before.roster, { node: card.node, identity }, key, context.wall)
  const { state, effects } = absorb(
    { ...before, keychain: addKey(before.keychain, key) },
    [rotation],
    context,
  )
  const grants = members(state.roster).flatMap((node): HouseholdEffect[] => {
    const grant =
      node === card.node ? undefined : grantFor(state.roster, state.keychain, node, context.random)
    return grant === undefined ? [] : [{ type: 'grant', grant }]
  })
  const audit: HouseholdEffect = {
    type: 'audit',
    what: 'household.rotated',
    object: `${rotation.epoch}`,
    outcome: 'ok',
  }
  return { state, effects: [...effects, ...grants, audit] }
}
