/**
 * How a node gives up its household for another: seeing, asking, and the move itself. When it may, and why its fellow members
 * end in the same place, is said in `standing.ts`; whom it asks, in `sighting.ts`.
 */
import { monotonic, type NodeId } from '../../host/index.ts'
import { absorb } from './absorb.ts'
import { courseHere, decided, failed } from './admission.ts'
import { certificateOf, isRevoked } from './authority.ts'
import { HANDSHAKE_MS, RETRY_MS } from './bounds.ts'
import { closing } from './founding.ts'
import { addKey, aged } from './keychain.ts'
import type { HouseholdId } from './records.ts'
import { recordsOf } from './roster.ts'
import { pardoned, postpone, type Standing, shun, sighted } from './sighting.ts'
import { givesWay, isAlone, standingOf } from './standing.ts'
import type {
  HouseholdContext,
  HouseholdEffect,
  HouseholdInput,
  HouseholdNext,
  HouseholdState,
  Joining,
} from './state.ts'
import type { Joined } from './welcome.ts'

type Input<T extends HouseholdInput['type']> = Extract<HouseholdInput, { type: T }>

/** Between two attempts: random in [1, 2) of this, so that two that wait for each other do not keep step. */
const PAUSE_MS = 1_000

export function met(
  state: HouseholdState,
  node: NodeId,
  standing: Standing | undefined,
  context: HouseholdContext,
): HouseholdNext {
  if (node === state.self.card.node || state.phase !== 'member') return { state, effects: [] }
  const seen = { ...state, sightings: sighted(state.sightings, node, standing, context.now) }
  return onward(seen, context)
}

/** Takes the course the sightings suggest, unless one is being taken. */
export function onward(state: HouseholdState, context: HouseholdContext): HouseholdNext {
  const { joining } = state
  if (joining?.phase === 'pausing' && joining.again <= context.now) {
    const { node, consent, by_person } = joining
    if (isAlone(state)) return asking(state, { node, consent, by_person }, context)
    // It was asked while we were alone; now others are with us.
    return onward({ ...state, joining: undefined }, context)
  }
  const course = courseHere(state, context)
  if (course.type === 'stay' || course.type === 'wait') return { state, effects: [] }
  const wanted = { node: course.node, consent: 'given', by_person: false } as const
  if (joining === undefined) return asking(state, wanted, context)
  // Whom a person chose is not left. Somebody open is worth more than waiting for a person of another; and one that is
  // open itself decides at once, so silence means that its answer is lost.
  if (course.type !== 'enrol' || joining.consent !== 'given') return { state, effects: [] }
  const target_open = state.sightings.get(joining.node)?.standing !== undefined
  const waits_for_person = !target_open && (joining.phase === 'pausing' || joining.code !== undefined)
  const silent = target_open && context.now - joining.since > HANDSHAKE_MS
  if (!waits_for_person && !silent) return { state, effects: [] }
  const next = asking(state, wanted, context)
  return { state: next.state, effects: [{ type: 'withdraw' }, ...next.effects] }
}

function asking(
  state: HouseholdState,
  wish: Pick<Joining, 'node' | 'consent' | 'by_person'>,
  { now }: HouseholdContext,
  household?: HouseholdId,
): HouseholdNext {
  const { node, consent } = wish
  const attempt = state.attempts + 1
  const joining: Joining = {
    ...wish,
    attempt,
    code: undefined,
    phase: 'asking',
    since: now,
    again: now,
  }
  const wanted = household === undefined ? {} : { household }
  return {
    state: { ...state, attempts: attempt, joining },
    effects: [{ type: 'enrol', attempt, node, consented: consent === 'given', ...wanted }],
  }
}

export function comparing(state: HouseholdState, { attempt, code }: Input<'comparing'>): HouseholdNext {
  const { joining } = state
  return {
    state: joining?.attempt === attempt ? { ...state, joining: { ...joining, code } } : state,
    effects: [],
  }
}

/** A person says: join there. Both sides show a code then, and a person has to confirm it here too. */
export function join(before: HouseholdState, node: NodeId, context: HouseholdContext): HouseholdNext {
  if (!isAlone(before)) {
    return failed(
      before,
      'not-alone',
      'this node is not alone in its household, or was founded locked: it stays',
    )
  }
  const consent = standingOf(before, context) === undefined ? 'awaited' : 'given'
  // It may be the other one that comes here: then this is the household somebody decided on.
  const held = decided(before, context)
  const next = asking(held.state, { node, consent, by_person: true }, context)
  const withdraw: HouseholdEffect[] = before.joining === undefined ? [] : [{ type: 'withdraw' }]
  return { state: next.state, effects: [...held.effects, ...withdraw, ...next.effects] }
}

/** Asks a member of our own household for what we missed; it knows us by our key, and nothing else will do. */
export function comeBack(state: HouseholdState, node: NodeId, context: HouseholdContext): HouseholdNext {
  if (state.joining !== undefined || certificateOf(state.roster, node) === undefined)
    return { state, effects: [] }
  const wish = { node, consent: 'given', by_person: false } as const
  return asking(state, wish, context, state.roster.household)
}

/**
 * It did not work. Whom we asked while our window was open we go on asking after it closed: it is the very node, by its
 * key, that was there in time. Others are left alone for a while.
 */
export function joiningEnded(
  state: HouseholdState,
  { attempt, error }: Input<'joining-ended'>,
  context: HouseholdContext,
): HouseholdNext {
  const { joining } = state
  if (joining?.attempt !== attempt) return { state, effects: [] }
  if (error === undefined) return { state: { ...state, joining: undefined }, effects: [] }
  const answered = error.retryable && joining.code !== undefined
  const both_open =
    state.sightings.get(joining.node)?.standing !== undefined && standingOf(state, context) !== undefined
  if (answered && !both_open) {
    const again = monotonic(context.now + PAUSE_MS * (1 + context.random.float()))
    return {
      state: { ...state, joining: { ...joining, code: undefined, phase: 'pausing', again } },
      effects: [{ type: 'wake', at: again }],
    }
  }
  // A member that moved while we took it for one of ours: it may be asked for a place where it is now, at once.
  const moved = error.code === 'other-household'
  const away = answered || error.code === 'enrolment-other-way' ? postpone : shun
  const sightings = moved ? state.sightings : away(state.sightings, joining.node, context.now)
  const next = onward({ ...state, sightings, joining: undefined }, context)
  return {
    state: next.state,
    effects: [...next.effects, { type: 'wake', at: monotonic(context.now + RETRY_MS) }],
  }
}

/** The move: from here on this node is a member there, and its own household is gone, for it. */
export function move(
  state: HouseholdState,
  { attempt, joined, by }: Input<'move'>,
  context: HouseholdContext,
): HouseholdNext {
  const { card } = state.self
  if (state.joining?.attempt !== attempt || state.joining.consent !== 'given')
    return { state, effects: [{ type: 'withdraw' }] }
  if (joined.roster.household === state.roster.household) return returned(state, joined, context)
  // Others may have joined us while we asked: then we stay with them, unless they will come after us.
  if (!givesWay(state, joined.roster, by, context) || isRevoked(joined.roster, card.node))
    return { state, effects: [{ type: 'withdraw' }] }
  const { roster, key } = joined
  const keychain = aged(addKey([], key), roster, context.now)
  const effects: HouseholdEffect[] = [
    { type: 'keep' },
    { type: 'moved' },
    { type: 'part' },
    ...state.pending.map(
      ({ session }): HouseholdEffect => ({ type: 'refuse', session, code: 'enrolment-busy' }),
    ),
    { type: 'reopen' },
    { type: 'audit', what: 'household.joined', object: roster.household, outcome: by },
  ]
  const there: HouseholdState = {
    ...state,
    roster,
    keychain,
    closes: closing(roster, context),
    locked: false,
    pending: [],
    // There may be a better one yet; what did not work from the old household may work from this one.
    sightings: pardoned(state.sightings, context.now),
    joining: undefined,
    rotates: undefined,
  }
  const held = state.joining.by_person ? decided(there, context) : { state: there, effects: [] }
  const next = onward(held.state, context)
  return { state: next.state, effects: [...effects, ...held.effects, ...next.effects] }
}

/** Back in our own household: what we missed comes to what we know, nothing we know is forgotten. */
function returned(before: HouseholdState, { roster, key }: Joined, context: HouseholdContext): HouseholdNext {
  const held = { ...before, keychain: addKey(before.keychain, key), joining: undefined }
  const { state, effects } = absorb(held, recordsOf(roster), context)
  const keychain = aged(state.keychain, state.roster, context.now)
  return {
    state: { ...state, keychain },
    effects: [{ type: 'keep' }, ...effects, { type: 'moved' }, { type: 'reopen' }],
  }
}
