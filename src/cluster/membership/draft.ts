/**
 * The state while one input is being dealt with. `membership()` opens a draft, the rules fill it, it is closed again: from outside
 * a pure function. Members change through `put` alone, which keeps all that is derived from them true and tells the rest of the node.
 */
import type { NodeId } from '../../host/index.ts'
import type { MembershipConfig } from './config.ts'
import type { MemberStatus } from './messages.ts'
import { lifePrint, neighboursOf } from './neighbours.ts'
import { allMembers, memberOf, withMember, withoutMember } from './roster.ts'
import { forget as forgetRumour, rumour } from './rumours.ts'
import type {
  Awake,
  ChangeCause,
  Member,
  MembershipContext,
  MembershipEffect,
  MembershipState,
  MembershipStep,
} from './state.ts'
import { judge } from './steadiness.ts'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface Draft extends Writable<MembershipState> {
  readonly now: Awake
  readonly config: MembershipConfig
  readonly admitted: (id: NodeId) => boolean
  readonly effects: MembershipEffect[]
  entropy: number
}

export function open(
  state: MembershipState,
  now: Awake,
  { config, admitted, entropy }: MembershipContext,
): Draft {
  return { ...state, now, config, admitted, entropy, effects: [] }
}

/** Written out, because this runs for every message: spreading the rest of an object costs ten times as much. */
export function close(draft: Draft): MembershipStep {
  const state: MembershipState = {
    self: draft.self,
    roster: draft.roster,
    digest: draft.digest,
    live: draft.live,
    suspects: draft.suspects,
    gone: draft.gone,
    neighbours: draft.neighbours,
    neighboursStale: draft.neighboursStale,
    rumours: draft.rumours,
    awareness: draft.awareness,
    beats: draft.beats,
    seq: draft.seq,
    due: draft.due,
    slept_ms: draft.slept_ms,
    answers: draft.answers,
    callOut: draft.callOut,
  }
  return { state, effects: draft.effects }
}

/** The draw of this input, and further ones made from it. */
export function draw(draft: Draft, below: number): number {
  draft.entropy = (Math.imul(draft.entropy, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((draft.entropy / 2 ** 32) * below)
}

export const isLive = ({ standing: { status } }: Member): boolean =>
  status === 'alive' || status === 'suspect'

/** How much longer than usual this node waits before it blames others: 1 when well, 2 at most. */
export const patience = ({ awareness, config }: Draft): number => 1 + awareness / config.awareness_max

/** Alive to us and heard within the last two heartbeats: then only its own word counts. */
export const isFresh = (draft: Draft, { contact, standing }: Member): boolean =>
  standing.status === 'alive' && draft.now - contact.heard_at < draft.config.probe_after_ms

export function count(draft: Draft, name: string, labels?: Readonly<Record<string, string>>): void {
  draft.effects.push({ type: 'metric', name, add: 1, ...(labels === undefined ? {} : { labels }) })
}

/** Something a sender got wrong: counted by reason, changes nothing. */
export const refuse = (draft: Draft, why: string): void =>
  count(draft, 'loqa_membership_refused_total', { why })

/** What a member is to the digest. */
const inDigest = (member: Member): number =>
  isLive(member) ? lifePrint(member.print, member.life.boot, member.life.incarnation) : 0

/** Stores a member that is new or differs in anything. `cause` says why its standing or life changed, if it did. */
export function put(draft: Draft, member: Member, cause: ChangeCause = 'heard'): void {
  const before = memberOf(draft.roster, member.id)
  const standing = member.standing.status
  const was = before?.standing.status
  const reborn = before !== undefined && before.life.boot !== member.life.boot
  if (standing === was && before!.life === member.life) {
    draft.roster = withMember(draft.roster, member)
    return
  }
  draft.digest ^= (before === undefined ? 0 : inDigest(before)) ^ inDigest(member)
  if (standing !== was) enrol(draft, before, member)
  const { repute, change } = judge(draft, before, member, cause, reborn)
  if (change !== undefined) draft.effects.push({ type: 'publish', change })
  draft.roster = withMember(draft.roster, repute === member.repute ? member : { ...member, repute })
  if (standing !== was || reborn) noteChange(draft, member.id, was, standing, cause)
}

/** Keeps the lists of who is alive, suspected and gone. */
function enrol(draft: Draft, before: Member | undefined, { id, standing }: Member): void {
  const was = before !== undefined && isLive(before)
  const is = standing.status === 'alive' || standing.status === 'suspect'
  if (was !== is) {
    draft.live += is ? 1 : -1
    draft.neighboursStale = true
    if (is) draft.gone = draft.gone.filter((other) => other !== id)
    else draft.gone = [...draft.gone, id]
  }
  if (before?.standing.status === 'suspect') draft.suspects = draft.suspects.filter((other) => other !== id)
  if (standing.status === 'suspect') draft.suspects = [...draft.suspects, id]
}

function noteChange(
  draft: Draft,
  node: NodeId,
  from: MemberStatus | undefined,
  to: MemberStatus,
  cause: ChangeCause,
): void {
  count(draft, 'loqa_membership_changes_total', { to, cause })
  const level = to === 'dead' ? 'warn' : 'info'
  const values = { peer: node, from: from ?? 'unknown', to, cause }
  draft.effects.push({ type: 'log', level, message: 'a member changed', values })
}

/** Drops a member: it is as if it had never been known. */
export function drop(draft: Draft, { id }: Member): void {
  const before = memberOf(draft.roster, id)
  if (before === undefined) return
  if (isLive(before)) {
    draft.digest ^= inDigest(before)
    draft.live -= 1
    draft.neighboursStale = true
  }
  draft.suspects = draft.suspects.filter((other) => other !== id)
  draft.gone = draft.gone.filter((other) => other !== id)
  draft.rumours = forgetRumour(draft.rumours, id)
  draft.roster = withoutMember(draft.roster, id)
}

/**
 * Whom this node sends heartbeats and expects them from; worked out when who is live has changed. Who becomes a neighbour by that was
 * not listened for before, and is not blamed for having been silent.
 */
export function neighboursNow(draft: Draft): readonly NodeId[] {
  if (!draft.neighboursStale) return draft.neighbours
  const before = new Set(draft.neighbours)
  draft.neighbours = neighboursOf(draft.self, allMembers(draft.roster).filter(isLive), draft.config)
  draft.neighboursStale = false
  for (const id of draft.neighbours) {
    const member = memberOf(draft.roster, id)
    if (member === undefined || before.has(id)) continue
    put(draft, { ...member, dealings: { ...member.dealings, expected_since: draft.now } })
  }
  return draft.neighbours
}

/** From the next heartbeats on, others are told what is known of this member. */
export function spread(draft: Draft, id: NodeId): void {
  draft.rumours = rumour(draft.rumours, id)
}
