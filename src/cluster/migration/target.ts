/**
 * The side a move goes to. Pure. What it holds is nothing until `resume`; then it runs, under the epoch that was offered. Messages that
 * come straight from a node which sent the old way before wait until the end of that way has come (its lane).
 *
 * receiving ─ accepted ─ running ─ done
 */
import { assertNever, type NodeId } from '../../host/index.ts'
import { HELD_MS, HOLD_MS, MAX_HELD, MAX_LANES, OFFER_MS, RETRY_MS, WINDOW_FORWARDS } from './bounds.ts'
import { type Bundle, type Parcel, unpack } from './bundle.ts'
import { type Fence, outranks } from './fence.ts'
import type { MessageOf, MoveMessage, Passed, Refusal } from './messages.ts'
import type { Move } from './source-state.ts'

/** A node that changed its way: what came straight from it waits for the end of the old one. */
export interface Lane {
  readonly mark: number
  readonly held: readonly Parcel[]
}

export type TargetState = { readonly move: Move } & (
  | {
      readonly phase: 'receiving'
      readonly kind: string
      readonly version: number
      readonly bytes: number
      readonly count: number
      readonly chunks: readonly Uint8Array[]
      readonly deadline: number
    }
  | {
      readonly phase: 'accepted'
      readonly kind: string
      readonly version: number
      readonly bundle: Bundle
      readonly deadline: number
      readonly retry_at: number
    }
  | {
      readonly phase: 'running'
      /** Number of the forward that is next. */
      readonly next: number
      /** Forwards that overtook it. */
      readonly early: ReadonlyMap<number, Passed>
      readonly lanes: ReadonlyMap<NodeId, Lane>
      /** Ways that ended before the word of who switched was here. */
      readonly switched: ReadonlyMap<NodeId, number>
      readonly held: number
      /** When the source last said something. */
      readonly heard_at: number
    }
  /** All lanes are open. `refuses`: the source was given up, further forwards are not handled any more. */
  | { readonly phase: 'done'; readonly next: number; readonly refuses: boolean; readonly until: number }
  | { readonly phase: 'ended' }
)
type In<Phase extends TargetState['phase']> = Extract<TargetState, { phase: Phase }>

export type TargetInput =
  | { readonly type: 'heard'; readonly message: MoveMessage }
  /** Straight from a node, for the actor. */
  | { readonly type: 'direct'; readonly node: NodeId; readonly parcel: Parcel }
  /** That node's word that it sent the old way before. */
  | { readonly type: 'after'; readonly node: NodeId; readonly mark: number }
  /** A node died, or is another life: perhaps the source. */
  | { readonly type: 'gone'; readonly node: NodeId }
  | { readonly type: 'claimed'; readonly fence: Fence }
  | { readonly type: 'due' }

export type TargetEffect =
  | { readonly type: 'say'; readonly message: MoveMessage }
  /** Start it from this, under this epoch, and tell the map. What lives here at that address is older and void: it ends first. */
  | { readonly type: 'install'; readonly kind: string; readonly version: number; readonly bundle: Bundle }
  /** Into its mailbox, in this order. */
  | { readonly type: 'deliver'; readonly node: NodeId; readonly parcels: readonly Parcel[] }
  /** Its source is dead: who starts it anew may start from this. Its mailbox is left out: it may have been handled. */
  | { readonly type: 'inherit'; readonly kind: string; readonly version: number; readonly bundle: Bundle }
  /** The copy here does not count any more: it ends, what it writes is void. */
  | { readonly type: 'void' }
  | {
      readonly type: 'bury'
      readonly node: NodeId
      readonly parcels: readonly Parcel[]
      readonly why: 'unreachable' | 'overflow'
    }

export interface TargetStep {
  readonly state: TargetState
  readonly effects: readonly TargetEffect[]
}

const step = (state: TargetState, ...effects: readonly TargetEffect[]): TargetStep => ({ state, effects })
const say = (message: MoveMessage): TargetEffect => ({ type: 'say', message })
const ofMove = ({ address, epoch }: Move) => ({ address, epoch })

/** For one that is not refused out of hand. */
export function takeOffer(move: Move, offer: MessageOf<'offer'>, now: number): TargetStep {
  const { kind, version, bytes, chunks: count } = offer
  return step(
    { phase: 'receiving', move, kind, version, bytes, count, chunks: [], deadline: now + OFFER_MS },
    say({ type: 'got', ...ofMove(move), next: 0 }),
  )
}

export function target(state: TargetState, input: TargetInput, now: number): TargetStep {
  if (input.type === 'claimed') return claimed(state, input.fence)
  switch (state.phase) {
    case 'receiving':
      return receiving(state, input, now)
    case 'accepted':
      return accepted(state, input, now)
    case 'running':
      return running(state, input, now)
    case 'done':
      return done(state, input, now)
    case 'ended':
      return step(state)
    default:
      return assertNever(state)
  }
}

export function targetDue(state: TargetState): number | undefined {
  switch (state.phase) {
    case 'receiving':
      return state.deadline
    case 'accepted':
      return Math.min(state.deadline, state.retry_at)
    case 'running':
      return state.heard_at + HOLD_MS
    case 'done':
      return state.until
    case 'ended':
      return undefined
    default:
      return assertNever(state)
  }
}

/** Higher than what was offered, or equal from a smaller node: whatever is here does not count. */
function claimed(state: TargetState, fence: Fence): TargetStep {
  const { move } = state
  if (!outranks(fence, { epoch: move.epoch, node: move.to }) || state.phase === 'ended') return step(state)
  // What lives on after a move is the placer's business.
  if (state.phase === 'done') return step(state)
  if (state.phase !== 'running') return step(ended(state))
  const held = [...state.lanes].flatMap(([node, lane]) => buried(node, lane.held, 'unreachable'))
  // Its source must not hear that it never ran.
  const until = state.heard_at + HELD_MS
  return step({ phase: 'done', move, next: state.next, refuses: true, until }, { type: 'void' }, ...held)
}

function receiving(state: In<'receiving'>, input: TargetInput, now: number): TargetStep {
  const { move } = state
  switch (input.type) {
    case 'heard': {
      const { message } = input
      if (message.type === 'abort') return step(ended(state))
      if (message.type === 'offer') return step(state, gotOf(state))
      if (message.type !== 'chunk') return step(state)
      if (message.index !== state.chunks.length) return step(state, gotOf(state))
      const chunks = [...state.chunks, message.bytes]
      const next = { ...state, chunks, deadline: now + OFFER_MS }
      return chunks.length < state.count ? step(next, gotOf(next)) : whole(next, now)
    }
    case 'gone':
      return input.node === move.from ? step(ended(state)) : step(state)
    case 'due':
      return now >= state.deadline ? step(ended(state)) : step(state)
    default:
      return step(state)
  }
}

const gotOf = ({ move, chunks }: In<'receiving'>): TargetEffect =>
  say({ type: 'got', ...ofMove(move), next: chunks.length })

function whole({ move, kind, version, bytes, chunks }: In<'receiving'>, now: number): TargetStep {
  const joined = Buffer.concat(chunks)
  const bundle = joined.length === bytes ? unpack(joined) : undefined
  if (bundle === undefined) return step({ phase: 'ended', move }, say(refusalOf(move, 'malformed')))
  return step(
    { phase: 'accepted', move, kind, version, bundle, deadline: now + HELD_MS, retry_at: now + RETRY_MS },
    say({ type: 'accept', ...ofMove(move) }),
  )
}

export const refusalOf = (move: { address: string; epoch: number }, why: Refusal): MoveMessage => ({
  ...{ type: 'refuse', address: move.address, epoch: move.epoch },
  why,
})

function accepted(state: In<'accepted'>, input: TargetInput, now: number): TargetStep {
  const { move, kind, version, bundle } = state
  switch (input.type) {
    case 'heard':
      if (input.message.type === 'abort') return step(ended(state))
      if (input.message.type === 'offer' || input.message.type === 'chunk') {
        return step(state, say({ type: 'accept', ...ofMove(move) }))
      }
      if (input.message.type !== 'resume') return step(state)
      return step(
        {
          phase: 'running',
          move,
          next: 0,
          early: new Map(),
          lanes: new Map(),
          switched: new Map(),
          held: 0,
          heard_at: now,
        },
        { type: 'install', kind, version, bundle },
        say({ type: 'resumed', ...ofMove(move) }),
      )
    case 'gone':
      if (input.node !== move.from) return step(state)
      return step(ended(state), { type: 'inherit', kind, version, bundle: { ...bundle, mailbox: [] } })
    case 'due':
      if (now >= state.deadline) return step(ended(state))
      if (now < state.retry_at) return step(state)
      return step({ ...state, retry_at: now + RETRY_MS }, say({ type: 'accept', ...ofMove(move) }))
    default:
      return step(state)
  }
}

function running(state: In<'running'>, input: TargetInput, now: number): TargetStep {
  const { move } = state
  switch (input.type) {
    case 'heard':
      return heardRunning({ ...state, heard_at: now }, input.message, now)
    case 'after': {
      // A word that came twice, or of a way that ended before.
      if (state.switched.get(input.node) === input.mark || state.lanes.get(input.node)?.mark === input.mark) {
        return step(state)
      }
      if (state.lanes.size >= MAX_LANES) return step(state)
      const held = state.lanes.get(input.node)?.held ?? []
      return step({ ...state, lanes: new Map(state.lanes).set(input.node, { mark: input.mark, held }) })
    }
    case 'direct': {
      const lane = state.lanes.get(input.node)
      if (lane === undefined) return step(state, deliver(input.node, [input.parcel]))
      if (state.held >= MAX_HELD) return step(state, ...buried(input.node, [input.parcel], 'overflow'))
      const lanes = new Map(state.lanes).set(input.node, { ...lane, held: [...lane.held, input.parcel] })
      return step({ ...state, lanes, held: state.held + 1 })
    }
    case 'gone':
      // What another node sent the old way before it died still comes first.
      return input.node === move.from ? settled(state, true, now) : step(state)
    case 'due':
      return now >= state.heard_at + HOLD_MS ? settled(state, true, now) : step(state)
    default:
      return step(state)
  }
}

function heardRunning(state: In<'running'>, message: MoveMessage, now: number): TargetStep {
  const { move, next } = state
  switch (message.type) {
    case 'resume':
      return step(state, say({ type: 'resumed', ...ofMove(move) }))
    case 'forward': {
      if (message.number < next || message.number >= next + WINDOW_FORWARDS)
        return step(state, forwardedOf(move, next))
      return inOrder({ ...state, early: new Map(state.early).set(message.number, message.passed) })
    }
    case 'close': {
      // What was lost on the way comes again first.
      if (message.count !== next) return step(state, forwardedOf(move, next))
      const open = settled(state, false, now)
      return step(open.state, ...open.effects, say({ type: 'closed', ...ofMove(move) }))
    }
    default:
      return step(state)
  }
}

/** What is next, and all that waited for it. */
function inOrder(state: In<'running'>): TargetStep {
  const effects: TargetEffect[] = []
  const early = new Map(state.early)
  let now: In<'running'> = { ...state, early }
  for (;;) {
    const passed = early.get(now.next)
    if (passed === undefined) return step(now, ...effects, forwardedOf(state.move, now.next))
    early.delete(now.next)
    now = { ...now, next: now.next + 1 }
    if (passed.what === 'told') {
      effects.push(deliver(passed.node, [passed.parcel]))
      continue
    }
    now = { ...now, switched: new Map(now.switched).set(passed.node, passed.mark) }
    // A word of another life than the one that waits.
    if ((now.lanes.get(passed.node)?.mark ?? passed.mark) !== passed.mark) continue
    const open = opened(now, passed.node)
    now = open.state as In<'running'>
    effects.push(...open.effects)
  }
}

const forwardedOf = (move: Move, next: number): TargetEffect =>
  say({ type: 'forwarded', ...ofMove(move), next })
const deliver = (node: NodeId, parcels: readonly Parcel[]): TargetEffect => ({
  type: 'deliver',
  node,
  parcels,
})
const buried = (
  node: NodeId,
  parcels: readonly Parcel[],
  why: 'unreachable' | 'overflow',
): readonly TargetEffect[] => (parcels.length === 0 ? [] : [{ type: 'bury', node, parcels, why }])

function opened(state: In<'running'>, node: NodeId): TargetStep {
  const lane = state.lanes.get(node)
  if (lane === undefined) return step(state)
  const lanes = new Map(state.lanes)
  lanes.delete(node)
  const next = { ...state, lanes, held: state.held - lane.held.length }
  return lane.held.length === 0 ? step(next) : step(next, deliver(node, lane.held))
}

/** Nothing more comes the old way, or it is not handled any more. */
function settled(state: In<'running'>, refuses: boolean, now: number): TargetStep {
  const { move, next, lanes } = state
  return step(
    { phase: 'done', move, next, refuses, until: now + HELD_MS },
    ...[...lanes].filter(([, { held }]) => held.length > 0).map(([node, { held }]) => deliver(node, held)),
  )
}

function done(state: In<'done'>, input: TargetInput, now: number): TargetStep {
  const { move } = state
  switch (input.type) {
    case 'direct':
      return step(state, deliver(input.node, [input.parcel]))
    case 'due':
      return now >= state.until ? step(ended(state)) : step(state)
    case 'heard':
      if (input.message.type === 'resume') return step(state, say({ type: 'resumed', ...ofMove(move) }))
      if (input.message.type === 'forward') {
        return step(
          state,
          say(
            state.refuses
              ? refusalOf(move, 'unknown-move')
              : { type: 'forwarded', ...ofMove(move), next: state.next },
          ),
        )
      }
      if (input.message.type !== 'close') return step(state)
      return step(state, say({ type: 'closed', ...ofMove(move) }))
    default:
      return step(state)
  }
}

const ended = ({ move }: TargetState): TargetState => ({ phase: 'ended', move })
