/**
 * The household as a cluster: who belongs to it (`household/`), who is alive (`membership/`), whom to dial (`discovery/`), encrypted links
 * (`transport/`), actors of other nodes (`remote/`), where work is done and where actors live (`placement/`). What decides is pure; `cluster.ts` and
 * `running/` put sockets, timers and files around it.
 *
 * Promises: a node that is gone is noticed within seconds (at once when its link closes), one that is only slow is not given
 * up, views agree once nodes can talk, and no single member can lie another out of the household. What exactly, and
 * what a lying member can do, stands in the header of `membership/membership.ts`: read it first, then `membership/config.ts`.
 *
 * Nobody belongs without an open window or a person's approval, whoever was removed stays out of every node that heard of it,
 * and the household key is given to members only. What a stolen member can do stands in `household/authority.ts`; read
 * `household/household.ts` first, then `household/records.ts`, `household/joiner.ts` and `household/admitter.ts`.
 *
 * The composition root calls `openCluster` with `realDoors`, and beside the actor runtime `createRemote` (`remote/face.ts`) and `Placing`.
 */
export { openCluster } from './cluster.ts'
export type { Discovery, DiscoveryOptions } from './discovery/discovery.ts'
export type { NodeRow } from './discovery/explain.ts'
export { type AnnouncedService, announceService } from './discovery/service.ts'
export {
  type AdmitterEffect,
  type AdmitterInput,
  type AdmitterState,
  admitter,
  startAdmitting,
} from './household/admitter.ts'
export { certificateOf, isRevoked, maySign } from './household/authority.ts'
export { aloneWith, ClonedError, type CloneState, heardOf, type Life, mayWrite } from './household/clones.ts'
export { sign, verify } from './household/crypto.ts'
export { ClockWrongError, HouseholdError, type HouseholdFault, KeyringError } from './household/errors.ts'
export { found, newSelf, restored } from './household/founding.ts'
export { greet } from './household/gate.ts'
export { holdsCurrentKey, household } from './household/household.ts'
export {
  type JoinerEffect,
  type JoinerInput,
  type JoinerState,
  joiner,
  startJoining,
} from './household/joiner.ts'
export { openingKeys } from './household/keychain.ts'
export { type Keyring, readKeyring, writeKeyring } from './household/keyring.ts'
export {
  batches,
  decodeEnrolment,
  decodeMember,
  type EnrolmentMessage,
  encodeEnrolment,
  type MemberMessage,
} from './household/messages.ts'
export { type Admittance, admittance, allows, type Presented } from './household/presented.ts'
export type { Certificate, HouseholdId } from './household/records.ts'
export { Secret } from './household/secret.ts'
export type { Standing } from './household/sighting.ts'
export { isMovable, isOpen, standingOf } from './household/standing.ts'
export type {
  HouseholdContext,
  HouseholdEffect,
  HouseholdInput,
  HouseholdNext,
  HouseholdState,
} from './household/state.ts'
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
export { type Moved, Moving, type MovingOptions } from './migration/index.ts'
export type { Movable } from './migration/versions.ts'
export { type Candidate, candidateOf } from './placement/candidate.ts'
export {
  bestWithout,
  type Engine,
  type Gain,
  gainOf,
  gainText,
  type OfferedKind,
  sessionsOf,
} from './placement/capacity.ts'
export { type Offer, rank } from './placement/placement.ts'
export {
  claim,
  forget,
  merge,
  NO_PLACEMENTS,
  orphans,
  type Placement,
  type Placements,
  type PlacementsMessage,
  pages,
  placementsSchema,
  release,
  whereIs,
} from './placement/placements.ts'
export type { PlacedKind, PlacedKinds } from './placement/placer-state.ts'
export { Placing, type PlacingOptions } from './placement/placing.ts'
export { PLACEMENTS, recordChanges, recordFrom } from './placement/records.ts'
export {
  newRelocation,
  type Relocate,
  type RelocationInput,
  type RelocationState,
  relocation,
} from './placement/relocation.ts'
export { choose, type Requirement, type Seat, seats, type Tier } from './placement/seats.ts'
export { type Kept, type Warming, warmings } from './placement/warmth.ts'
export type {
  Label,
  LinkEvents,
  Remote,
  RemoteOptions,
  RemotePeer,
  WorkPort,
} from './remote/face.ts'
export { remoteListener } from './remote/listener.ts'
export { createRemote } from './remote/remote.ts'
export type { Cluster, ClusterDoors, ClusterListener, ClusterOptions } from './running/face.ts'
export { type HouseholdDesk, type HouseholdView, showHousehold } from './running/household-desk.ts'
export { type Load, looked, UNKNOWN_LOAD } from './running/load.ts'
export { placeIn, realDoors } from './running/real-doors.ts'
export { MAX_SPEAKERS, type Sheet, type Sheets } from './running/sheets.ts'
