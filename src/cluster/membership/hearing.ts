/**
 * What a member says with its own voice. Every message proves that its sender lives; only the sender's own word raises its
 * incarnation without bound, announces a new life or a departure. Its stream is authenticated, so nobody else can say these.
 */
import type { NodeId } from '../../host/index.ts'
import { MAX_MEMBERS, REPLAY_WINDOW } from './config.ts'
import { type Draft, isLive, put, refuse, spread } from './draft.ts'
import type { MembershipMessage } from './messages.ts'
import { ALIVE, newMember } from './newcomer.ts'
import { memberOf } from './roster.ts'
import { answer } from './speaking.ts'
import type { ChangeCause, Contact, Member } from './state.ts'

/** False when the message is to be ignored: from a stranger, said before, or from a life that is over or not yet believed. */
export function hear(draft: Draft, from: NodeId, message: MembershipMessage): boolean {
  if (from === draft.self.id) return refused(draft, 'own-id')
  if (!draft.admitted(from)) return refused(draft, 'stranger')
  const known = memberOf(draft.roster, from)
  if (known === undefined) {
    if (draft.roster.slots.size >= MAX_MEMBERS) return refused(draft, 'full')
    const contact = heardNow(draft, undefined, message)
    put(draft, { ...newMember(from, message, draft.now), contact }, 'joined')
    spread(draft, from)
    noteDeparture(draft, from, message)
    return true
  }
  if (message.boot !== known.life.boot) return hearOtherLife(draft, known, message)
  if (isRepeated(known.contact.recent, message.seq)) return refused(draft, 'repeated')
  hearAgain(draft, known, message)
  noteDeparture(draft, from, message)
  return true
}

function refused(draft: Draft, why: string): false {
  refuse(draft, why)
  return false
}

/**
 * Another life of the process than the one known. A later life has a higher incarnation than any before; when it has not, it is an
 * earlier one replayed, or a new one that does not know yet how far the last had come: it is told, and raises itself.
 */
function hearOtherLife(draft: Draft, known: Member, message: MembershipMessage): boolean {
  if (message.incarnation <= known.life.incarnation) {
    answer(draft, known.id)
    return refused(draft, 'earlier-life')
  }
  const { boot, incarnation } = message
  if (!isLive(known)) draft.callOut = true
  const contact = heardNow(draft, undefined, message)
  put(
    draft,
    { ...known, life: { boot, incarnation }, standing: ALIVE, accused: undefined, contact },
    'restarted',
  )
  spread(draft, known.id)
  noteDeparture(draft, known.id, message)
  return true
}

function hearAgain(draft: Draft, known: Member, message: MembershipMessage): void {
  const contact = heardNow(draft, known.contact, message)
  const agrees = contact.differs_since === undefined && known.dealings.syncs > 0
  const dealings = agrees ? { ...known.dealings, syncs: 0 } : known.dealings
  const { boot, incarnation } = message
  if (incarnation > known.life.incarnation) {
    if (!isLive(known)) draft.callOut = true
    const accused = accusedFrom(incarnation, known)
    put(
      draft,
      { ...known, life: { boot, incarnation }, standing: ALIVE, accused, contact, dealings },
      'refuted',
    )
    spread(draft, known.id)
    return
  }
  const heard = { ...known, contact, dealings }
  if (known.standing.status === 'suspect') put(draft, cleared(heard), 'heard')
  else put(draft, heard)
  // Given up, or known by a later incarnation than it says: it must hear that, and raise itself.
  if (!isLive(known) || incarnation < known.life.incarnation) answer(draft, known.id)
}

/** What was noted against it, unless that is of an incarnation before this one: what has no weight must not hide what has. */
export const accusedFrom = (incarnation: number, { accused }: Member): Member['accused'] =>
  accused !== undefined && accused.incarnation >= incarnation ? accused : undefined

/** No longer suspected by us, on evidence. Others may have heard the suspicion, so the member still hears of it and refutes. */
export function cleared(member: Member): Member {
  const { accused, life, standing } = member
  if (standing.status !== 'suspect') return member
  const note = accused ?? { incarnation: life.incarnation, status: 'suspect' }
  return { ...member, standing: ALIVE, accused: note }
}

function noteDeparture(draft: Draft, from: NodeId, message: MembershipMessage): void {
  if (message.type !== 'heartbeat' || message.leaving !== true) return
  const member = memberOf(draft.roster, from)
  if (member === undefined || !isLive(member) || member.life.incarnation !== message.incarnation) return
  const cause: ChangeCause = 'leaving'
  put(draft, { ...member, standing: { status: 'left', since: draft.now } }, cause)
  spread(draft, from)
}

function heardNow(draft: Draft, before: Contact | undefined, message: MembershipMessage): Contact {
  const { now, digest } = draft
  const differs = message.type === 'heartbeat' ? message.digest !== digest : undefined
  const since = before?.differs_since
  return {
    heard_at: now,
    recent: before === undefined ? [message.seq] : withSeq(before.recent, message.seq),
    differs_since: differs === undefined ? since : differs ? (since ?? now) : undefined,
  }
}

/** Said before, or too old to tell: the window holds the last accepted ones, of whatever distance (as RFC 6479, sparse). */
export function isRepeated(recent: readonly number[], seq: number): boolean {
  if (recent.length === 0 || seq > recent[recent.length - 1]!) return false
  return (recent.length >= REPLAY_WINDOW && seq < recent[0]!) || recent.includes(seq)
}

export function withSeq(recent: readonly number[], seq: number): readonly number[] {
  const kept = recent.length >= REPLAY_WINDOW ? recent.slice(1) : recent.slice()
  let place = kept.length
  while (place > 0 && kept[place - 1]! > seq) place -= 1
  kept.splice(place, 0, seq)
  return kept
}
