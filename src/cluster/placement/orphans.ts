/**
 * What is left of a dead node: each of its actors gets a turn, in which exactly one node starts it anew, or has it forgotten. All
 * nodes go through orphans in the same order and rank the same seats by what the household knows, not by what one of them
 * measured; so they name the same node without a word. Pure.
 */
import { type NodeId, withEntry, withoutEntry } from '../../host/index.ts'
import { orphans as ownerless, whereIs } from './placements.ts'
import {
  kindOf,
  type PlacerContext,
  type PlacerEffect,
  type PlacerState,
  type PlacerStep,
  requirementOf,
} from './placer-state.ts'
import { seats } from './seats.ts'

/** Orphans started anew by one node per ANEW_EVERY_MS: 32 a second, so that a dead node's load arrives as a slope, not a wall. */
export const ANEW_AT_ONCE = 8
export const ANEW_EVERY_MS = 250
/**
 * After so long without a claim the next seat has its turn: whoever was named is not there, or thinks that another one was. Longer
 * than it takes to start an actor, tell a claim and, on a busy machine, be late with both.
 */
export const TURN_MS = 3_000
/** A node nobody gave a verdict on is perhaps only not known yet: links tell claims before membership tells members. */
export const GRACE_MS = 2_000
/** An orphan that could not be started is tried again after this. */
export const AGAIN_MS = 5_000

/** Claimed by a node that is not there; or by an earlier life of this one. */
export function isOrphan(state: PlacerState, { map }: PlacerContext, address: string): boolean {
  const owner = whereIs(map, address)
  if (owner === undefined || state.here.has(address) || state.starting.has(address)) return false
  return owner === state.self || !state.present.has(owner)
}

/**
 * Notes those among `addresses` that are orphans. Their turns begin at `from`, as many at a time as one node may start; a turn that
 * was to come later is brought forward.
 */
export function noteOrphans(
  state: PlacerState,
  addresses: readonly string[],
  context: PlacerContext,
  from: number,
): PlacerState {
  const found = addresses.filter((address) => {
    const known = state.orphans.get(address)
    return (known === undefined || known > from) && isOrphan(state, context, address)
  })
  if (found.length === 0) return state
  const orphans = new Map(state.orphans)
  for (const [i, address] of found.sort().entries()) {
    const at = from + Math.floor(i / ANEW_AT_ONCE) * ANEW_EVERY_MS
    orphans.set(address, Math.min(at, orphans.get(address) ?? at))
  }
  return { ...state, orphans }
}

/** Looks through the whole map: for when the household changed. */
export function sweepOrphans(state: PlacerState, context: PlacerContext): PlacerState {
  const { present, self, here } = state
  const lives = (node: NodeId): boolean => node !== self && present.has(node)
  const found = ownerless(context.map, lives).filter((address) => !here.has(address))
  return noteOrphans(state, found, context, context.now + GRACE_MS)
}

/** Gives those whose turn has come, and is this node's, a new life. */
export function startOrphans(state: PlacerState, context: PlacerContext): PlacerStep {
  const effects: PlacerEffect[] = []
  let begun = 0
  let next = state
  for (const [address, at] of state.orphans) {
    if (!isOrphan(next, context, address)) {
      next = { ...next, orphans: withoutEntry(next.orphans, address) }
      continue
    }
    if (context.now < state.anew_after || begun === ANEW_AT_ONCE) continue
    if (!isMyTurn(next, context, address, at)) continue
    begun += 1
    if (context.kinds.get(kindOf(address))?.when_lost === 'start-anew') {
      const starting = new Set(next.starting).add(address)
      next = { ...next, starting, orphans: withEntry(next.orphans, address, context.now + AGAIN_MS) }
      effects.push({ type: 'start', address })
    } else {
      next = { ...next, orphans: withoutEntry(next.orphans, address) }
      // Nobody but its owner may let go of it.
      if (whereIs(context.map, address) !== state.self) effects.push({ type: 'claim', address })
      effects.push({ type: 'release', address })
    }
  }
  if (begun > 0) next = { ...next, anew_after: context.now + ANEW_EVERY_MS }
  return { state: next, effects }
}

const isMyTurn = (state: PlacerState, context: PlacerContext, address: string, at: number): boolean => {
  if (context.now < at) return false
  const place = placeOf(state, context, address)
  return place >= 0 && context.now >= at + place * TURN_MS
}

/** This node's place in the order of seats: 0 is first. What an earlier life of this node had is this node's to settle. */
function placeOf({ self, candidates }: PlacerState, { map, kinds }: PlacerContext, address: string): number {
  const wanted = requirementOf(kinds, address)
  if (wanted === undefined) return -1
  if (whereIs(map, address) === self) return 0
  const alike = candidates.map((each) => ({ ...each, rtt_ms: 0, steady: true }))
  return seats(wanted, alike).findIndex(({ node }) => node === self)
}

/** When the next orphan is to be looked at, ms on the monotonic clock. */
export function orphansDue(state: PlacerState, context: PlacerContext): number | undefined {
  let due: number | undefined
  for (const [address, at] of state.orphans) {
    if (state.starting.has(address)) continue
    const place = context.now < at ? 0 : placeOf(state, context, address)
    if (place < 0) continue
    const turn = Math.max(at + place * TURN_MS, state.anew_after)
    if (due === undefined || turn < due) due = turn
  }
  return due
}
