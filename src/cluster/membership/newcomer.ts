/** A member as it is when first heard of, and a cluster as it is remembered from the last run. */
import type { NodeId } from '../../host/index.ts'
import { lifePrint, printOf } from './neighbours.ts'
import { rosterOf } from './roster.ts'
import type { Awake, Contact, Dealings, Life, Member, MembershipState, Standing } from './state.ts'
import { newRepute } from './steadiness.ts'

export const ALIVE: Standing = Object.freeze({ status: 'alive' })

const NEVER = Number.NEGATIVE_INFINITY

/** Shared by all who were never dealt with: a thousand members at a thousand simulated nodes are a million records. */
const NO_DEALINGS: Dealings = Object.freeze({
  expected_since: NEVER,
  vouched_at: NEVER,
  probe: undefined,
  answered_at: NEVER,
  synced_at: NEVER,
  syncs: 0,
})
const NEW_REPUTE = Object.freeze(newRepute('alive', 0))

/** Taken for heard at `now`: whoever is new has the time to be heard before anyone blames it. */
export const newContact = (now: Awake): Contact => ({ heard_at: now, recent: [], differs_since: undefined })

export const newMember = (
  id: NodeId,
  { boot, incarnation }: Life,
  now: Awake,
  contact: Contact = newContact(now),
): Member => ({
  id,
  print: printOf(id),
  life: { boot, incarnation },
  standing: ALIVE,
  accused: undefined,
  contact,
  dealings: NO_DEALINGS,
  repute: NEW_REPUTE,
})

export interface Remembered {
  readonly id: NodeId
  readonly life: Life
}

/** With these members, taken for alive until they prove not to be. */
export function remembering(
  state: MembershipState,
  known: readonly Remembered[],
  now: Awake,
): MembershipState {
  const contact = newContact(now)
  const members = known
    .filter(({ id }) => id !== state.self.id)
    .map(({ id, life }) => ({ ...newMember(id, life, now, contact), life }))
  const digest = members.reduce(
    (sum, { print, life }) => sum ^ lifePrint(print, life.boot, life.incarnation),
    state.digest,
  )
  return { ...state, roster: rosterOf(members), live: members.length, digest }
}
