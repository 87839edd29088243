/**
 * Asking after a member that is silent: directly, and through others that may hear it where we do not. A helper keeps nothing: the
 * ping it sends names who wants to know, the answer comes back through it. An ack counts only with the number of the
 * probe under way and from a helper that was asked, so nobody can vouch unasked.
 */
import type { NodeId } from '../../host/index.ts'
import { type Draft, draw, isLive, neighboursNow, put, refuse } from './draft.ts'
import { cleared } from './hearing.ts'
import type { MembershipMessage } from './messages.ts'
import { memberOf } from './roster.ts'
import { header, mayAnswer, send } from './speaking.ts'
import type { Member } from './state.ts'

type Of<Type extends MembershipMessage['type']> = Extract<MembershipMessage, { type: Type }>

export function probe(draft: Draft, target: Member): void {
  const number = draw(draft, 2 ** 32)
  const helpers = pickHelpers(draft, target.id)
  put(draft, { ...target, dealings: { ...target.dealings, probe: { number, helpers } } })
  send(draft, target.id, { type: 'ping', ...header(draft), probe: number })
  for (const helper of helpers) {
    send(draft, helper, { type: 'probe-request', ...header(draft), probe: number, target: target.id })
  }
}

/** Neighbours that are alive, drawn; those heard just now first. */
function pickHelpers(draft: Draft, target: NodeId): NodeId[] {
  const pool = neighboursNow(draft).filter(
    (id) => id !== target && memberOf(draft.roster, id)?.standing.status === 'alive',
  )
  const heard = pool.filter(
    (id) => draft.now - memberOf(draft.roster, id)!.contact.heard_at < draft.config.probe_after_ms,
  )
  const from = heard.length >= draft.config.helpers ? heard : pool
  for (let i = 0; i < draft.config.helpers && i < from.length; i += 1) {
    const other = i + draw(draft, from.length - i)
    const picked = from[other]!
    from[other] = from[i]!
    from[i] = picked
  }
  return from.slice(0, draft.config.helpers)
}

/** Answers at once: that is all a ping asks for. */
export function answerPing(draft: Draft, from: NodeId, { probe, origin }: Of<'ping'>): void {
  if (!mayAnswer(draft)) return
  send(draft, from, { type: 'ack', ...header(draft), probe, ...(origin === undefined ? {} : { origin }) })
}

export function helpProbe(draft: Draft, from: NodeId, { probe, target }: Of<'probe-request'>): void {
  if (memberOf(draft.roster, target) === undefined) refuse(draft, 'unknown-target')
  else if (mayAnswer(draft)) send(draft, target, { type: 'ping', ...header(draft), probe, origin: from })
}

export function receiveAck(draft: Draft, from: NodeId, ack: Of<'ack'>): void {
  const { origin, about, probe } = ack
  // Without an origin it was for us and has been heard: that was all.
  if (origin === undefined) return
  if (origin !== draft.self.id) {
    passOn(draft, from, origin, probe)
  } else if (about !== undefined) {
    vouch(draft, from, about, probe)
  }
}

/** To who asked us to probe the one that answers. */
function passOn(draft: Draft, about: NodeId, origin: NodeId, number: number): void {
  const asker = memberOf(draft.roster, origin)
  if (asker === undefined || !isLive(asker)) refuse(draft, 'unknown-origin')
  else if (mayAnswer(draft))
    send(draft, origin, { type: 'ack', ...header(draft), probe: number, origin, about })
}

/** A helper reached it. */
function vouch(draft: Draft, helper: NodeId, target: NodeId, number: number): void {
  const member = memberOf(draft.roster, target)
  const asked = member?.dealings.probe
  if (member === undefined || asked?.number !== number || !asked.helpers.includes(helper)) {
    refuse(draft, 'unasked-ack')
    return
  }
  if (!isLive(member)) return
  const dealings = { ...member.dealings, vouched_at: draft.now }
  put(draft, cleared({ ...member, dealings }), 'vouched')
}
