/** What lives on this node: claimed, or ended when it lives elsewhere too. Pure. */
import { excluding, including, type NodeId, withEntry, withoutEntry } from '../../host/index.ts'
import { GRACE_MS, noteOrphans } from './orphans.ts'
import { whereIs } from './placements.ts'
import { none, type PlacerContext, type PlacerState, type PlacerStep } from './placer-state.ts'
import { settled } from './wants.ts'

/** What lives here and was claimed by a node nobody knows is looked at again after this: membership is done in seconds. */
export const CONTESTED_MS = 6_000
/** Addresses whose last node is remembered: those that come and go. */
export const MAX_BEFORE = 1_024

/** As it was wanted, here or by another node; meanwhile it may have been started elsewhere. */
export function started(state: PlacerState, address: string, context: PlacerContext): PlacerStep {
  const owner = whereIs(context.map, address)
  if (owner === undefined || owner === state.self || !state.present.has(owner))
    return lives(state, address, context)
  const rest = {
    ...state,
    here: including(state.here, address),
    starting: excluding(state.starting, address),
    orphans: withoutEntry(state.orphans, address),
  }
  const { state: next, effects } = settled(rest, address, owner)
  return { state: next, effects: [{ type: 'stop', address }, ...effects] }
}

export function lives(state: PlacerState, address: string, { map }: PlacerContext): PlacerStep {
  const rest = {
    ...state,
    here: including(state.here, address),
    starting: excluding(state.starting, address),
    orphans: withoutEntry(state.orphans, address),
    contested: withoutEntry(state.contested, address),
    before: withoutEntry(state.before, address),
  }
  const { state: next, effects } = settled(rest, address, state.self)
  if (whereIs(map, address) === state.self) return { state: next, effects }
  return { state: next, effects: [{ type: 'claim', address }, ...effects] }
}

export function ended(state: PlacerState, address: string, context: PlacerContext): PlacerStep {
  const { map, now } = context
  const next = {
    ...state,
    here: excluding(state.here, address),
    contested: withoutEntry(state.contested, address),
    before: remembering(state.before, [[address, state.self]]),
  }
  if (whereIs(map, address) === state.self) return { state: next, effects: [{ type: 'release', address }] }
  // Whoever it was ended for may be gone by now.
  return none(noteOrphans(next, [address], context, now + GRACE_MS))
}

export function remembering(
  before: PlacerState['before'],
  latest: readonly (readonly [address: string, node: NodeId])[],
): PlacerState['before'] {
  const next = new Map(before)
  for (const [address, node] of latest) {
    next.delete(address)
    next.set(address, node)
  }
  for (const address of next.keys()) {
    if (next.size <= MAX_BEFORE) break
    next.delete(address)
  }
  return next
}

/** It lives here, and the map does not name this node. */
export function contend(
  state: PlacerState,
  address: string,
  context: PlacerContext,
  waited: boolean,
): PlacerStep {
  const owner = whereIs(context.map, address)
  if (owner === undefined) return lives(state, address, context)
  if (owner === state.self) return none({ ...state, contested: withoutEntry(state.contested, address) })
  if (state.present.has(owner)) {
    return {
      state: { ...state, contested: withoutEntry(state.contested, address) },
      effects: [{ type: 'stop', address }],
    }
  }
  if (waited) return lives(state, address, context)
  return none({ ...state, contested: withEntry(state.contested, address, context.now + CONTESTED_MS) })
}
