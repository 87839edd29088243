/**
 * What members say about others, and the way from a suspicion to a verdict. Nothing that is said about a member we hear ourselves is
 * believed; it is only passed on to that member, who can refute it. About others, the later incarnation counts, and at
 * the same one the worse; but a death that is told is no more than one more accusation: the verdict is always our own timer's.
 */
import type { NodeId } from '../../host/index.ts'
import { HEARSAY_JUMP, MAX_ACCUSERS, MAX_MEMBERS, SELF_JUMP } from './config.ts'
import { count, type Draft, isFresh, isLive, patience, put, refuse, spread } from './draft.ts'
import { accusedFrom } from './hearing.ts'
import type { Claim, MemberEntry } from './messages.ts'
import { lifePrint } from './neighbours.ts'
import { newMember } from './newcomer.ts'
import { memberOf } from './roster.ts'
import { answer } from './speaking.ts'
import type { ChangeCause, Member, Standing } from './state.ts'

export function listen(draft: Draft, from: NodeId, entries: readonly MemberEntry[]): void {
  for (const entry of entries) {
    if (entry.id === draft.self.id) refute(draft, from, entry)
    else if (entry.id !== from) consider(draft, from, entry)
  }
}

function consider(draft: Draft, from: NodeId, entry: MemberEntry): void {
  const member = memberOf(draft.roster, entry.id)
  if (member === undefined) {
    learn(draft, entry)
    return
  }
  const known = member.life.incarnation
  if (entry.incarnation < known) return
  const far = entry.incarnation > known + HEARSAY_JUMP
  if (far) refuse(draft, 'incarnation-jump')
  if (isFresh(draft, member)) {
    if (!far && entry.status !== 'alive') noteAccusation(draft, member, entry)
    return
  }
  if (entry.status === 'alive') {
    if (!far) believeAlive(draft, member, entry)
    return
  }
  const by = entry.by !== undefined && draft.admitted(entry.by) ? entry.by : from
  // An incarnation too far ahead is not believed; that its teller accuses the member is, as it would be at the known one.
  accuse(draft, member, far ? known : entry.incarnation, by, 'hearsay', entry.status === 'left')
}

/**
 * Someone new. The dead are not learned of: whoever forgot them would learn them again, for ever. Nor is one of a high incarnation, which
 * may be made up with a life of its own, and then keep the member's own word out for years; one that reached it truly says so itself.
 */
function learn(draft: Draft, entry: MemberEntry): void {
  if (entry.status !== 'alive') return
  if (!draft.admitted(entry.id)) {
    refuse(draft, 'stranger')
  } else if (entry.incarnation > HEARSAY_JUMP) {
    refuse(draft, 'incarnation-jump')
  } else if (draft.roster.slots.size >= MAX_MEMBERS) {
    refuse(draft, 'full')
  } else {
    put(draft, newMember(entry.id, entry, draft.now), 'joined')
    spread(draft, entry.id)
  }
}

function noteAccusation(draft: Draft, member: Member, { incarnation, status }: MemberEntry): void {
  const noted = member.accused
  if (noted !== undefined && noted.incarnation >= incarnation) return
  put(draft, { ...member, accused: { incarnation, status } })
}

function believeAlive(draft: Draft, member: Member, { boot, incarnation }: MemberEntry): void {
  if (incarnation === member.life.incarnation) return
  if (!isLive(member)) draft.callOut = true
  const sameBoot = boot === member.life.boot
  const contact = sameBoot ? member.contact : { ...member.contact, recent: [], differs_since: undefined }
  put(
    draft,
    {
      ...member,
      life: { boot, incarnation },
      standing: { status: 'alive' },
      accused: accusedFrom(incarnation, member),
      // A grace: nobody is blamed for a silence from before it came back.
      contact: { ...contact, heard_at: draft.now },
    },
    sameBoot ? 'refuted' : 'restarted',
  )
  spread(draft, member.id)
}

/** One more says that this member is gone. */
export function accuse(
  draft: Draft,
  member: Member,
  incarnation: number,
  by: NodeId,
  cause: ChangeCause,
  left = false,
): void {
  const { standing, life } = member
  const later = incarnation > life.incarnation
  if (!isLive(member) && !later) return
  if (standing.status === 'suspect' && !later) {
    confirm(draft, member, standing, by, left)
    return
  }
  const suspected: Standing = { status: 'suspect', since: draft.now, accusers: [by], left }
  const raised = later ? { ...life, incarnation } : life
  const accused = accusedFrom(raised.incarnation, member)
  put(draft, { ...member, life: raised, standing: suspected, accused }, cause)
  count(draft, 'loqa_membership_suspicions_total', { cause })
  spread(draft, member.id)
}

function confirm(
  draft: Draft,
  member: Member,
  standing: Extract<Standing, { status: 'suspect' }>,
  by: NodeId,
  left: boolean,
): void {
  const { accusers } = standing
  const enough = accusers.length > Math.min(draft.config.confirmations, MAX_ACCUSERS - 1)
  const more = !enough && !accusers.includes(by)
  if (!more && (standing.left || !left)) return
  const confirmed = {
    ...standing,
    accusers: more ? [...accusers, by] : accusers,
    left: standing.left || left,
  }
  put(draft, { ...member, standing: confirmed })
  if (more) spread(draft, member.id)
}

/**
 * How long suspicion lasts, in ms: from most to least as independent accusers join (Lifeguard, section IV-B). Only who is alive to us can
 * join: two nodes cut from each other, or one cut from all, wait the least. To be alone with it and to be unwell are both reasons to doubt
 * oneself; the greater one counts, for together they would keep a death quiet longer than ten seconds.
 */
export function suspicion_ms(draft: Draft, accusers: number): number {
  const { suspicion_min_ms: least, suspicion_max_ms: most, confirmations } = draft.config
  const expected = Math.min(confirmations, draft.live - draft.suspects.length)
  const share = expected <= 0 ? 1 : Math.min(1, Math.log(accusers) / Math.log(expected + 1))
  return Math.max(most - share * (most - least), least * patience(draft))
}

/** Ends suspicions whose time is up. */
export function passVerdicts(draft: Draft): void {
  for (const id of draft.suspects) {
    const member = memberOf(draft.roster, id)!
    const { standing } = member
    if (standing.status !== 'suspect') continue
    if (draft.now - standing.since < suspicion_ms(draft, standing.accusers.length)) continue
    const status = standing.left ? 'left' : 'dead'
    put(draft, { ...member, standing: { status, since: draft.now } }, 'timed-out')
    spread(draft, id)
  }
}

/**
 * Somebody believes something of us that is not so: dead, suspect, another life, a later incarnation than ours. An incarnation above that
 * claim clears our name everywhere. At most once a heartbeat and by at most SELF_JUMP, so that lies do not use the numbers up.
 */
export function refute(draft: Draft, from: NodeId, claim: Claim): void {
  const { self, now, config } = draft
  if (self.phase === 'left' || claim.incarnation < self.incarnation) return
  const same = claim.incarnation === self.incarnation && claim.boot === self.boot
  if (same && claim.status === 'alive') return
  if (self.raised_at !== undefined && now - self.raised_at < config.late_ms) return
  const incarnation = Math.min(claim.incarnation + 1, self.incarnation + SELF_JUMP)
  setIncarnation(draft, incarnation)
  count(draft, 'loqa_membership_refutations_total')
  spread(draft, self.id)
  answer(draft, from)
}

function setIncarnation(draft: Draft, incarnation: number): void {
  const { self } = draft
  draft.digest ^= ownDigest(self) ^ ownDigest({ ...self, incarnation })
  draft.self = { ...self, incarnation, raised_at: draft.now }
}

const ownDigest = ({ print, boot, incarnation }: Draft['self']): number => lifePrint(print, boot, incarnation)
