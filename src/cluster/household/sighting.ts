/**
 * Who joins whom when fresh nodes meet. Every node founds a household of its own when it first starts, so two that meet
 * must agree, each by itself and from what both can see, which of the two households goes on.
 *
 * S1 A household in which a person decided something, a locked one, and one whose window is closed never joins another by
 *    itself; the first may while its node is alone in it (`standing.ts`).
 * S2 Of two that may join, the one with the smaller id stays: both compute the same, and so do all members of each.
 * S3 An open household that cannot move is preferred to a smaller id: we can.
 * S4 While somebody better is in sight we admit nobody by ourselves: it would only have to move once more. One that fails
 *    PATIENCE times is not waited for: a liar cannot keep us apart. Whoever was let in meanwhile comes along later.
 */
import type { Monotonic, NodeId } from '../../host/index.ts'
import { MAX_SIGHTINGS, PATIENCE, RETRY_MS, SHUNNED_MS, SIGHTING_MS } from './bounds.ts'
import type { HouseholdId } from './records.ts'

/** What a node tells strangers, and only while its window is open; otherwise it tells nothing. */
export interface Standing {
  readonly household: HouseholdId
  /** It may give way to another: it was not founded locked, and nobody decided anything in it, or nobody else was let in. */
  readonly movable: boolean
}

export interface Sighting {
  readonly node: NodeId
  /** Undefined for a node that tells nothing: closed, or locked. */
  readonly standing: Standing | undefined
  readonly seen: Monotonic
  /** Attempts to join it that came to nothing, one after the other. */
  readonly failures: number
  /** Not asked again before. */
  readonly again: Monotonic
}
export type Sightings = ReadonlyMap<NodeId, Sighting>

/** Remembers who was seen, at most MAX_SIGHTINGS; the longest unheard goes first. */
export function sighted(
  sightings: Sightings,
  node: NodeId,
  standing: Standing | undefined,
  seen: Monotonic,
): Sightings {
  const { failures = 0, again = seen } = sightings.get(node) ?? {}
  const next = new Map(sightings)
  // Taken out first: a map iterates in order of insertion, so the first is the longest unheard.
  next.delete(node)
  next.set(node, { node, standing, seen, failures, again })
  if (next.size > MAX_SIGHTINGS) next.delete(next.keys().next().value!)
  return next
}

/** It would not take us, or did not answer. Soon again at first; then it is left alone, and starts anew. */
export function shun(sightings: Sightings, node: NodeId, now: Monotonic): Sightings {
  const sighting = sightings.get(node)
  if (sighting === undefined) return sightings
  const failures = Math.min(sighting.failures + 1, PATIENCE)
  const again = (now + (failures < PATIENCE ? RETRY_MS : SHUNNED_MS)) as Monotonic
  return new Map(sightings).set(node, { ...sighting, failures, again })
}

/** Whoever would not take us before gets another chance. */
export const pardoned = (sightings: Sightings, now: Monotonic): Sightings =>
  new Map([...sightings].map(([node, sighting]) => [node, { ...sighting, failures: 0, again: now }]))

/** It answered, by its own key, that it is busy: likely it moves itself. No failure of anybody's. */
export function postpone(sightings: Sightings, node: NodeId, now: Monotonic): Sightings {
  const sighting = sightings.get(node)
  if (sighting === undefined) return sightings
  return new Map(sightings).set(node, { ...sighting, again: (now + RETRY_MS) as Monotonic })
}

export type Course =
  /** Stay; others may come. */
  | { readonly type: 'stay' }
  /** Join there: it is open. */
  | { readonly type: 'enrol'; readonly node: NodeId }
  /** Somebody better is there, but did not answer a moment ago: join nobody else, let nobody in. */
  | { readonly type: 'wait' }
  /** Ask there, and wait until somebody approves: it is closed. */
  | { readonly type: 'ask'; readonly node: NodeId }

/** `mine` is what this node tells, undefined while it is closed; `asks`: it may wait at the door of a closed household. */
export function courseOf(
  mine: Standing | undefined,
  asks: boolean,
  sightings: Sightings,
  now: Monotonic,
): Course {
  if (mine === undefined || !mine.movable) return { type: 'stay' }
  const current = [...sightings.values()].filter(
    ({ seen, failures, again, standing }) =>
      now - seen <= SIGHTING_MS &&
      (failures < PATIENCE || again <= now) &&
      standing?.household !== mine.household,
  )
  const settled = current.filter(({ standing }) => standing?.movable === false)
  const better = current.filter(({ standing }) => standing !== undefined && leads(standing, mine))
  if (settled.length > 0) return towards(settled, now)
  if (better.length > 0) return towards(better, now)
  const others = current.some(({ standing }) => standing !== undefined)
  const closed = smallest(current.filter(({ standing, again }) => standing === undefined && again <= now))
  // Somebody open is about to come to us, or a person opened this one: no need to bother a closed household.
  return others || !asks || closed === undefined ? { type: 'stay' } : { type: 'ask', node: closed.node }
}

/** The household of the smallest id, by any of its nodes that may be asked now. */
function towards(candidates: readonly Sighting[], now: Monotonic): Course {
  const household = smallest(candidates)!.standing!.household
  const doors = candidates.filter(({ standing, again }) => standing!.household === household && again <= now)
  const door = smallest(doors)
  return door === undefined ? { type: 'wait' } : { type: 'enrol', node: door.node }
}

/** Whether `theirs` goes on when both may move. */
export const leads = (theirs: Standing, mine: Standing): boolean => theirs.household < mine.household

function smallest(sightings: readonly Sighting[]): Sighting | undefined {
  const keyOf = ({ standing, node }: Sighting): string => `${standing?.household}${node}`
  return [...sightings].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))[0]
}
