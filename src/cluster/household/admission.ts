/** Who is let in: by an open window, by a person who compared the codes, or because it is a member already. */
import { type LoqaError, monotonic } from '../../host/index.ts'
import { absorb } from './absorb.ts'
import { certificateOf, isRevoked, maySign, members, windowOf } from './authority.ts'
import { ENROLMENT_MS, MAX_MEMBERS, MAX_PENDING } from './bounds.ts'
import { HouseholdError, type HouseholdFault } from './errors.ts'
import { isLocked, rightCode, wrongCode } from './gate.ts'
import { FOUNDING_SERIAL, issueCertificate, issueWarrant, issueWindow } from './issue.ts'
import { currentKey } from './keychain.ts'
import { untimely } from './presented.ts'
import type { Card } from './records.ts'
import { type Course, courseOf } from './sighting.ts'
import { isAlone, isFellow, isFresh, isMovable, isOpen, standingOf } from './standing.ts'
import type {
  HouseholdContext,
  HouseholdEffect,
  HouseholdInput,
  HouseholdNext,
  HouseholdState,
  Pending,
} from './state.ts'
import { makeWelcome } from './welcome.ts'

const signer = ({ self }: HouseholdState) => ({ node: self.card.node, identity: self.identity })

type Asked = Extract<HouseholdInput, { type: 'asked' }>

export function asked(state: HouseholdState, input: Asked, context: HouseholdContext): HouseholdNext {
  const { card, session } = input
  const refusal = whyNot(state, card, context)
  if (refusal !== undefined) return { state, effects: [{ type: 'refuse', session, code: refusal }] }
  if (isReturning(state, card, context)) return welcomed(state, session, card)
  if (isOpen(state, context)) return admit(state, session, card, context, 'window')
  const pending: Pending = { session, source: input.source, card, code: input.code, since: context.now }
  return waiting(state, pending)
}

function whyNot(state: HouseholdState, card: Card, context: HouseholdContext): HouseholdFault | undefined {
  const { roster, self, gate } = state
  if (state.phase === 'removed') return 'not-member'
  if (isRevoked(roster, card.node)) return 'member-revoked'
  if (isReturning(state, card, context)) return undefined
  if (!maySign(roster, self.card.node)) return 'not-entitled'
  if (!roster.certificate.has(card.node) && members(roster).length >= MAX_MEMBERS) return 'household-full'
  if (isLocked(gate, context.now)) return 'enrolment-locked'
  return isLeaving(state, context) ? 'enrolment-busy' : undefined
}

/** About to move ourselves: whoever joined us now would be left behind. Merely waiting for a person somewhere is not it. */
function isLeaving(state: HouseholdState, context: HouseholdContext): boolean {
  const { joining, sightings } = state
  if (joining?.phase === 'asking' && sightings.get(joining.node)?.standing !== undefined) return true
  const course = courseHere(state, context).type
  return course === 'enrol' || course === 'wait'
}

export function courseHere(state: HouseholdState, context: HouseholdContext): Course {
  const standing = standingOf(state, context)
  if (standing === undefined && isMovable(state) && !isAlone(state)) {
    // While the window is closed only the way of its fellows counts.
    const fellows = [...state.sightings].filter(([node]) => isFellow(state, node))
    const mine = { household: state.roster.household, movable: true }
    return courseOf(mine, false, new Map(fellows), context.now)
  }
  // A closed household lets in one at a time: who is not alone would leave the others behind.
  return courseOf(standing, isAlone(state) && isFresh(state.roster), state.sightings, context.now)
}

/** A member that lost its household file, or was away while the key was changed: it proved its key, and was let in once. */
function isReturning({ roster, keychain }: HouseholdState, card: Card, { wall }: HouseholdContext): boolean {
  const held = certificateOf(roster, card.node)
  if (held === undefined || currentKey(keychain, roster) === undefined) return false
  return held.card.signature === card.signature && untimely(held, wall) === undefined
}

/** One place per node and one per address; when all are taken, the longest waiting gives way. */
function waiting(state: HouseholdState, pending: Pending): HouseholdNext {
  const rivals = state.pending.filter(
    ({ card, source }) => card.node === pending.card.node || source === pending.source,
  )
  let kept = state.pending.filter((other) => !rivals.includes(other))
  if (kept.length >= MAX_PENDING) {
    rivals.push(kept[0]!)
    kept = kept.slice(1)
  }
  return {
    state: { ...state, pending: [...kept, pending] },
    effects: [
      ...rivals.map(({ session }): HouseholdEffect => ({ type: 'refuse', session, code: 'enrolment-busy' })),
      { type: 'wake', at: monotonic(pending.since + ENROLMENT_MS) },
      { type: 'audit', what: 'household.asked', object: pending.card.node, outcome: 'pending' },
    ],
  }
}

function admit(
  before: HouseholdState,
  session: string,
  card: Card,
  context: HouseholdContext,
  because: 'window' | 'approval',
): HouseholdNext {
  const { roster } = before
  const records = [
    issueWarrant(roster, signer(before), card.node, context.wall),
    issueCertificate(roster, signer(before), card, context.wall),
  ]
  const { state, effects } = absorb(before, records, context)
  const welcome = welcomed(state, session, card)
  const audit: HouseholdEffect = {
    type: 'audit',
    what: 'household.admitted',
    object: card.node,
    outcome: because,
  }
  return { state: welcome.state, effects: [...effects, audit, ...welcome.effects] }
}

function welcomed(state: HouseholdState, session: string, card: Card): HouseholdNext {
  const key = currentKey(state.keychain, state.roster)
  // Between hearing of a rotation and being handed its key there is nothing to hand on.
  if (key === undefined) return { state, effects: [{ type: 'refuse', session, code: 'enrolment-busy' }] }
  return {
    state,
    effects: [{ type: 'welcome', session, welcome: makeWelcome(state.roster, card.node, key) }],
  }
}

/** Admits everybody who waits: a person just said that the LAN may be trusted. */
export function admitAll(before: HouseholdState, context: HouseholdContext): HouseholdNext {
  let state: HouseholdState = { ...before, pending: [] }
  const effects: HouseholdEffect[] = []
  for (const { session, card } of before.pending) {
    const next = admit(state, session, card, context, 'window')
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects }
}

export function approve(state: HouseholdState, code: string, context: HouseholdContext): HouseholdNext {
  const { gate, pending, joining } = state
  if (isLocked(gate, context.now))
    return failed(state, 'enrolment-locked', 'codes are not looked at after too many wrong ones')
  if (joining?.code === code) {
    const next: HouseholdState = {
      ...state,
      gate: rightCode(gate),
      joining: { ...joining, consent: 'given', by_person: true },
    }
    return { state: next, effects: [{ type: 'consent' }] }
  }
  const match = pending.filter((candidate) => candidate.code === code)
  // Two that show the same digits cannot be told apart by them.
  if (match.length !== 1) return wrong(state, context)
  const [chosen] = match
  const rest = pending.filter((other) => other !== chosen)
  // First, so that the welcome says it too.
  const held = decided({ ...state, gate: rightCode(gate), pending: rest }, context)
  const admitted = admit(held.state, chosen!.session, chosen!.card, context, 'approval')
  return { state: admitted.state, effects: [...held.effects, ...admitted.effects] }
}

/** A person decided something here: the household is no longer fresh. Its window gets another number, and ends when it would. */
export function decided(state: HouseholdState, context: HouseholdContext): HouseholdNext {
  const window = windowOf(state.roster)
  if (window?.serial !== FOUNDING_SERIAL || !maySign(state.roster, state.self.card.node))
    return { state, effects: [] }
  const left_ms = window.until - Math.floor(context.wall)
  return absorb(state, [issueWindow(state.roster, signer(state), context.wall, left_ms)], context)
}

function wrong(state: HouseholdState, { now }: HouseholdContext): HouseholdNext {
  const { gate, locked } = wrongCode(state.gate, now)
  const next = failed({ ...state, gate }, 'code-wrong', 'no node that waits shows these six digits')
  const audit: HouseholdEffect = {
    type: 'audit',
    what: 'household.code',
    object: '-',
    outcome: locked ? 'locked' : 'wrong',
  }
  if (!locked) return { state: next.state, effects: [...next.effects, audit] }
  const out = state.pending.map(
    ({ session }): HouseholdEffect => ({ type: 'refuse', session, code: 'enrolment-locked' }),
  )
  return { state: { ...next.state, pending: [] }, effects: [...next.effects, audit, ...out] }
}

export function dismiss(
  state: HouseholdState,
  isOut: (pending: Pending) => boolean,
  code: HouseholdFault,
): HouseholdNext {
  const out = state.pending.filter(isOut)
  return {
    state: { ...state, pending: state.pending.filter((pending) => !out.includes(pending)) },
    effects: out.map(({ session }): HouseholdEffect => ({ type: 'refuse', session, code })),
  }
}

export const failed = (state: HouseholdState, code: HouseholdFault, message: string): HouseholdNext => ({
  state,
  effects: [{ type: 'failed', error: new HouseholdError(code, message) satisfies LoqaError }],
})
