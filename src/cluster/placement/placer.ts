/**
 * Decides on which node placed actors (`loqa:/kind/key`) are started, and which copies end. Pure: the caller starts, asks, claims
 * and stops as the effects say, and feeds in what came of it; the map of claims (`placements.ts`) is its only word to the others.
 *
 * C1  Who wants an address hears once: where it lives, or that nobody would start it, and why. What lives is left where it lives.
 * C2  It is started on the best seat (`seats.ts`), where it lived before unless another one is better by the hysteresis. A node that
 *     refuses, leaves or is silent for ASKED_MS is passed over, the next best is asked.
 * C3  When a node dies, the one that `seats` names first starts each of its orphans anew, and no other while all nodes know the same.
 *     Where it does not, the next has its turn TURN_MS later. Kinds that are not started anew are struck off the map.
 * C4  A node starts at most ANEW_AT_ONCE orphans per ANEW_EVERY_MS.
 * C5  Of copies made apart one is left once the map was exchanged: that of the node the map names; the other hands over what it has
 *     first (`PlacingOptions.yields`). What lives here while the map
 *     names nobody, or a node that is dead, is claimed again.
 * C6  Nothing is started here for others that lives elsewhere (`refusal`). What is taken, because it is needed on this very node, is
 *     claimed whoever had it.
 *
 * Nothing that lives is moved by it: who wants that asks for it (`relocation.ts`, `migration/moving.ts`), and the claim of the move is heard
 * here. Claims are believed of every member: one that lies can have the copies
 * of others end, and nothing started that its node does not allow.
 */
import { assertNever, excluding, LoqaError } from '../../host/index.ts'
import { contend, ended, lives, remembering, started } from './copies.ts'
import { GRACE_MS, noteOrphans, orphansDue, startOrphans, sweepOrphans } from './orphans.ts'
import { whereIs } from './placements.ts'
import {
  each,
  livesOn,
  none,
  type PlacerContext,
  type PlacerInput,
  type PlacerState,
  type PlacerStep,
} from './placer-state.ts'
import { NEW_WANT, passOver, SILENT, seek, settled } from './wants.ts'

export function placer(state: PlacerState, input: PlacerInput, context: PlacerContext): PlacerStep {
  const handled = handle(state, input, context)
  const anew = startOrphans(handled.state, context)
  return withWake({ state: anew.state, effects: [...handled.effects, ...anew.effects] }, context)
}

/** Why this node does not start such an actor for another one. */
export function refusal(state: PlacerState, address: string, context: PlacerContext): LoqaError | undefined {
  const node = livesOn(state, context.map, address)
  if (node === undefined || node === state.self) return undefined
  return new LoqaError('placed-elsewhere', `It lives on node ${node}`, { retryable: true })
}

function handle(state: PlacerState, input: PlacerInput, context: PlacerContext): PlacerStep {
  switch (input.type) {
    case 'house':
      return houseChanged(state, input, context)
    case 'wanted':
      return state.wants.has(input.address) ? none(state) : seek(state, input.address, NEW_WANT, context)
    case 'taken':
      return lives(state, input.address, context)
    case 'started':
      return started(state, input.address, context)
    case 'failed': {
      const { address, error } = input
      const rest = { ...state, starting: excluding(state.starting, address) }
      return passOver(rest, address, state.self, error, context)
    }
    case 'ended':
      return ended(state, input.address, context)
    case 'answered':
      return settled(state, input.address, input.node)
    case 'refused':
      return passOver(state, input.address, input.node, input.error, context)
    case 'heard':
      return heard(state, input.addresses, context)
    case 'lost':
      return state.here.has(input.address) ? contend(state, input.address, context, false) : none(state)
    case 'orphaned':
      return none(noteOrphans(state, input.addresses, context, context.now))
    case 'due':
      // The clock was asked for once, and may have been a moment early: whatever is still to come asks for it again.
      return due({ ...state, wake_at: undefined }, context)
    default:
      return assertNever(input)
  }
}

function houseChanged(
  state: PlacerState,
  { candidates, present }: Extract<PlacerInput, { type: 'house' }>,
  context: PlacerContext,
): PlacerStep {
  const same = present.size === state.present.size && [...present].every((node) => state.present.has(node))
  const next = { ...state, candidates, present }
  if (same) return none(next)
  const gone = [...next.wants].filter(([, { asked }]) => asked !== undefined && !present.has(asked.node))
  const after = each(next, gone, (now, [address, { asked }]) =>
    passOver(now, address, asked!.node, SILENT, context),
  )
  const known = [...after.state.contested.keys()].filter((address) => {
    const owner = whereIs(context.map, address)
    return owner !== undefined && present.has(owner)
  })
  const agreed = each(after.state, known, (now, address) => contend(now, address, context, false))
  return { state: sweepOrphans(agreed.state, context), effects: [...after.effects, ...agreed.effects] }
}

function heard(state: PlacerState, addresses: readonly string[], context: PlacerContext): PlacerStep {
  const wanted = addresses.filter((address) => state.wants.has(address))
  const after = each(state, wanted, (now, address) => {
    const node = livesOn(now, context.map, address)
    return node === undefined ? none(now) : settled(now, address, node)
  })
  const owners = addresses.flatMap((address) => {
    const owner = whereIs(context.map, address)
    return owner === undefined ? [] : [[address, owner] as const]
  })
  const own = owners.filter(([, owner]) => owner === state.self).map(([address]) => address)
  const others = owners.filter(([, owner]) => owner !== state.self).map(([address]) => address)
  const before = remembering(after.state.before, owners)
  // What an earlier life of this node claimed is nobody else's to settle.
  const mine = noteOrphans({ ...after.state, before }, own, context, context.now)
  return { ...after, state: noteOrphans(mine, others, context, context.now + GRACE_MS) }
}

function due(state: PlacerState, context: PlacerContext): PlacerStep {
  const silent = [...state.wants].filter(([, { asked }]) => asked !== undefined && asked.until <= context.now)
  const after = each(state, silent, (now, [address, { asked }]) =>
    passOver(now, address, asked!.node, SILENT, context),
  )
  const late = [...after.state.contested].filter(([, at]) => at <= context.now)
  const again = each(after.state, late, (now, [address]) => contend(now, address, context, true))
  return { state: again.state, effects: [...after.effects, ...again.effects] }
}

function withWake({ state, effects }: PlacerStep, context: PlacerContext): PlacerStep {
  const times = [...state.wants.values()].flatMap(({ asked }) => (asked === undefined ? [] : [asked.until]))
  const orphan = orphansDue(state, context)
  const all = [...times, ...state.contested.values(), ...(orphan === undefined ? [] : [orphan])]
  const wake_at = all.length === 0 ? undefined : Math.min(...all)
  if (wake_at === state.wake_at) return { state, effects }
  const delay_ms = wake_at === undefined ? undefined : Math.max(0, wake_at - context.now)
  return { state: { ...state, wake_at }, effects: [...effects, { type: 'wake', delay_ms }] }
}
