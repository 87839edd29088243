/**
 * The household as a cluster. So far: membership, the pure machines that say which nodes are alive, and nothing that opens a socket.
 *
 * Promises: a node that is gone is noticed within seconds (at once when its stream closes), one that is only slow is not given
 * up, views agree once nodes can talk, and no single member can lie another out of the household. What exactly, and
 * what a lying member can do, stands in the header of `membership/membership.ts`: read it first, then `membership/config.ts`.
 *
 * The wiring feeds it streams, decoded messages and ticks, and carries its effects out (`membership/state.ts` has both unions).
 */
export {
  MAX_MEMBERS,
  MEMBERSHIP_PRESETS,
  type MembershipConfig,
  membershipConfig,
} from './membership/config.ts'
export { begin, type Founding, membership } from './membership/membership.ts'
export {
  type Decoded,
  decodeMembership,
  type MemberEntry,
  type MemberStatus,
  type MembershipMessage,
} from './membership/messages.ts'
export type { Remembered } from './membership/newcomer.ts'
export { allMembers, memberOf } from './membership/roster.ts'
export type {
  ChangeCause,
  Member,
  MemberChange,
  MembershipContext,
  MembershipEffect,
  MembershipInput,
  MembershipState,
  MembershipStep,
} from './membership/state.ts'
