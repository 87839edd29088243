/**
 * What a household is to others: open or not, and whether it may give way. Every fresh node founds one, and several that start
 * at once let each other in before they have heard of all; so a household that is still as it was founded counts for nothing
 * yet, however many are in it, and gives way as a whole: each of its members moves by itself when it hears of a better one.
 *
 * G1 A household is fresh while its window is that of its founding and nobody was removed: every decision of a person (an
 *    approval, a join, an opened or locked window, a removal) is a record that ends this, for all members and for good.
 * G2 A fresh household gives way only to an open one that is no longer fresh, or to a fresh one with a smaller id. The first
 *    never moves again and ids do not grow, so nobody goes round in a circle.
 * G3 A node that is alone leaves nobody behind: it may go wherever it was let in.
 * G4 One whose window is closed, as after a restart, goes nowhere by itself; but it follows its fellows, by the same rule: where one of
 *    them, proved by its key, lets it in.
 */
import type { Monotonic, NodeId } from '../../host/index.ts'
import { certificateOf, windowOf } from './authority.ts'
import { closing } from './founding.ts'
import { FOUNDING_SERIAL } from './issue.ts'
import type { Standing } from './sighting.ts'
import type { HouseholdContext, HouseholdState } from './state.ts'
import type { Roster } from './tables.ts'

export const isOpen = ({ closes }: HouseholdState, { now }: { readonly now: Monotonic }): boolean =>
  closes > now

/** Nothing was decided by a person yet. */
export const isFresh = (roster: Roster): boolean =>
  windowOf(roster)?.serial === FOUNDING_SERIAL && roster.tombstone.size === 0

/** Nobody but this node was ever given a certificate here, and it was not founded locked. */
export const isAlone = ({ roster, locked, phase }: HouseholdState): boolean =>
  phase === 'member' && !locked && roster.certificate.size === 1

/** May give way to another household. */
export const isMovable = (state: HouseholdState): boolean =>
  isAlone(state) || (state.phase === 'member' && !state.locked && isFresh(state.roster))

/** What strangers are told: nothing, unless the window is open. */
export function standingOf(
  state: HouseholdState,
  context: { readonly now: Monotonic },
): Standing | undefined {
  if (state.phase !== 'member' || !isOpen(state, context)) return undefined
  return { household: state.roster.household, movable: isMovable(state) }
}

/** Whom it would follow although its own window is closed (G4). */
export const isFellow = ({ roster }: HouseholdState, node: NodeId): boolean =>
  isFresh(roster) && certificateOf(roster, node) !== undefined

/** Whether a node that was let in there, by that member of it, leaves its own household for it. */
export function givesWay(
  state: HouseholdState,
  theirs: Roster,
  by: NodeId,
  context: HouseholdContext,
): boolean {
  if (isAlone(state)) return true
  // The others must be able to follow: both windows are open, and what they hear of leads them the same way.
  if (!isMovable(state) || closing(theirs, context) <= context.now) return false
  if (!isOpen(state, context) && !isFellow(state, by)) return false
  return !isFresh(theirs) || theirs.household < state.roster.household
}
