/**
 * All moves of one node, in and out: who is asked what, and what is answered when nobody here knows of a move. Pure; the decisions are
 * `source.ts` and `target.ts`.
 */
import type { NodeId } from '../../host/index.ts'
import { HELD_MS, MAX_LANES, MAX_MOVES, MAX_REMEMBERED, WORD_MS } from './bounds.ts'
import type { Bundle, Parcel } from './bundle.ts'
import { type Fence, outranks } from './fence.ts'
import type { MoveMessage, Passed, Refusal } from './messages.ts'
import { beginMove, source, sourceDue } from './source.ts'
import type { Move, SourceEffect, SourceInput, SourceState } from './source-state.ts'
import {
  refusalOf,
  type TargetEffect,
  type TargetInput,
  type TargetState,
  takeOffer,
  target,
  targetDue,
} from './target.ts'
import { type Movable, understands } from './versions.ts'

export interface MoverState {
  readonly self: NodeId
  /** Away from here, by address: at most one each. */
  readonly away: ReadonlyMap<string, SourceState>
  /** To here, by address: the latest each. */
  readonly here: ReadonlyMap<string, TargetState>
  /** Epochs that were offered in vain: not offered again while anybody may remember them. */
  readonly offered: ReadonlyMap<string, { readonly epoch: number; readonly until: number }>
  /** `after` of nodes that believed a claim which did not count, and send here before the move comes: by address, then node. */
  readonly afters: ReadonlyMap<string, ReadonlyMap<NodeId, { readonly mark: number; readonly until: number }>>
}

export interface MoverContext {
  readonly now: number
  /** What the kinds of this node's version say of their state. */
  readonly kinds: ReadonlyMap<string, Movable>
  /** As the map of placements says. */
  readonly claim: (address: string) => Fence | undefined
}

export type MoverInput =
  | { readonly type: 'move'; readonly address: string; readonly kind: string; readonly to: NodeId }
  | { readonly type: 'frozen'; readonly address: string; readonly bundle: Bundle }
  | { readonly type: 'cannot'; readonly address: string }
  | { readonly type: 'cancel'; readonly address: string }
  | { readonly type: 'heard'; readonly from: NodeId; readonly message: MoveMessage }
  /** For an actor that `moves` here, from a node (this one too). */
  | { readonly type: 'told'; readonly address: string; readonly from: NodeId; readonly parcel: Parcel }
  | { readonly type: 'gone'; readonly node: NodeId }
  | { readonly type: 'claimed'; readonly address: string; readonly fence: Fence }
  | { readonly type: 'due' }

export type MoverEffect =
  | { readonly type: 'say'; readonly to: NodeId; readonly message: MoveMessage }
  | (Exclude<SourceEffect, { type: 'say' }> & { readonly address: string })
  | (Exclude<TargetEffect, { type: 'say' | 'install' }> & { readonly address: string })
  | (Extract<TargetEffect, { type: 'install' }> & { readonly address: string; readonly epoch: number })
  /** It is not even begun. */
  | { readonly type: 'refused'; readonly address: string; readonly why: 'busy' | 'unknown-kind' | 'not-here' }

export interface MoverStep {
  readonly state: MoverState
  readonly effects: readonly MoverEffect[]
}

export const noMoves = (self: NodeId): MoverState => ({
  self,
  away: new Map(),
  here: new Map(),
  offered: new Map(),
  afters: new Map(),
})

const none = (state: MoverState): MoverStep => ({ state, effects: [] })

export function mover(state: MoverState, input: MoverInput, context: MoverContext): MoverStep {
  switch (input.type) {
    case 'move':
      return begin(state, input, context)
    case 'frozen':
    case 'cannot':
    case 'cancel':
      return sourceStep(state, input.address, input, context)
    case 'heard':
      return heard(state, input.from, input.message, context)
    case 'told':
      return told(state, input, context)
    case 'gone':
      return gone(state, input.node, context)
    case 'claimed': {
      const { address, fence } = input
      const away = sourceStep(state, address, { type: 'claimed', fence }, context)
      return and(away, targetStep(away.state, address, { type: 'claimed', fence }, context))
    }
    case 'due':
      return due(state, context)
  }
}

/** Whether what is told to this address is this machine's business. */
export const moves = (state: MoverState, address: string): boolean =>
  state.away.has(address) || state.here.get(address)?.phase === 'running'

export function moverDue({ away, here }: MoverState): number | undefined {
  const times = [...[...away.values()].map(sourceDue), ...[...here.values()].map(targetDue)]
  const known = times.filter((time) => time !== undefined && time !== Number.POSITIVE_INFINITY) as number[]
  return known.length === 0 ? undefined : Math.min(...known)
}

function begin(
  state: MoverState,
  { address, kind, to }: Extract<MoverInput, { type: 'move' }>,
  { now, kinds, claim }: MoverContext,
): MoverStep {
  const refused = (why: Extract<MoverEffect, { type: 'refused' }>['why']): MoverStep => ({
    state,
    effects: [{ type: 'refused', address, why }],
  })
  const held = claim(address)
  const movable = kinds.get(kind)
  if (movable === undefined) return refused('unknown-kind')
  if (held?.node !== state.self || to === state.self) return refused('not-here')
  // Also one that was only accepted: it would take the place of the copy that is frozen here.
  const arriving = state.here.get(address)
  if ((arriving !== undefined && arriving.phase !== 'done') || state.away.has(address) || isFull(state))
    return refused('busy')
  const vain = [...state.offered].filter(([, { until }]) => until > now)
  const epoch = Math.max(held.epoch, state.offered.get(address)?.epoch ?? 0) + 1
  const offered = new Map(vain).set(address, { epoch, until: now + 2 * HELD_MS })
  const move: Move = { address, from: state.self, to, epoch }
  return fromSource({ ...state, offered }, address, beginMove(move, kind, movable.version, now))
}

/** Those that hold a bundle; what only forwards or is remembered does not. */
const count = ({ away, here }: MoverState): number =>
  [...away.values()].filter(({ phase }) => phase !== 'forwarding').length +
  [...here.values()].filter(({ phase }) => phase === 'receiving' || phase === 'accepted').length

const isFull = (state: MoverState): boolean =>
  count(state) >= MAX_MOVES || state.away.size + state.here.size >= MAX_REMEMBERED

function sourceStep(
  state: MoverState,
  address: string,
  input: SourceInput,
  context: MoverContext,
): MoverStep {
  const known = state.away.get(address)
  return known === undefined ? none(state) : fromSource(state, address, source(known, input, context.now))
}

function fromSource(
  state: MoverState,
  address: string,
  { state: next, effects }: { readonly state: SourceState; readonly effects: readonly SourceEffect[] },
): MoverStep {
  const away = new Map(state.away)
  if (next.phase === 'ended') away.delete(address)
  else away.set(address, next)
  const to = next.move.to
  return {
    state: { ...state, away },
    effects: effects.map((effect) => (effect.type === 'say' ? { ...effect, to } : { ...effect, address })),
  }
}

function targetStep(
  state: MoverState,
  address: string,
  input: TargetInput,
  context: MoverContext,
): MoverStep {
  const known = state.here.get(address)
  return known === undefined ? none(state) : fromTarget(state, address, target(known, input, context.now))
}

function fromTarget(
  state: MoverState,
  address: string,
  { state: next, effects }: { readonly state: TargetState; readonly effects: readonly TargetEffect[] },
): MoverStep {
  const here = new Map(state.here)
  if (next.phase === 'ended') here.delete(address)
  else here.set(address, next)
  const { from: to, epoch } = next.move
  return {
    state: { ...state, here },
    effects: effects.map((effect) => {
      if (effect.type === 'say') return { ...effect, to }
      return effect.type === 'install' ? { ...effect, address, epoch } : { ...effect, address }
    }),
  }
}

function heard(state: MoverState, from: NodeId, message: MoveMessage, context: MoverContext): MoverStep {
  const { address, epoch } = message
  const away = state.away.get(address)
  const here = state.here.get(address)
  const isAway = away?.move.epoch === epoch && away.move.to === from
  const isHere = here?.move.epoch === epoch && here.move.from === from
  switch (message.type) {
    case 'got':
    case 'accept':
      if (!isAway) return say(state, from, { type: 'abort', address, epoch })
      return sourceStep(state, address, { type: 'heard', message }, context)
    case 'refuse':
    case 'resumed':
    case 'forwarded':
    case 'closed':
      return isAway ? sourceStep(state, address, { type: 'heard', message }, context) : none(state)
    case 'switched': {
      // Whatever epoch it believes in: it comes this way no more.
      if (away === undefined) return none(state)
      const passed: Passed = { what: 'switched', node: from, mark: message.mark }
      return sourceStep(state, address, { type: 'arrived', passed }, context)
    }
    case 'after':
      if (here?.phase !== 'running') return remembered(state, from, message, context.now)
      return targetStep(state, address, { type: 'after', node: from, mark: message.mark }, context)
    case 'offer':
      if (isHere) return targetStep(state, address, { type: 'heard', message }, context)
      return offered(state, from, message, context)
    case 'resume':
      if (!isHere) return say(state, from, refusalOf(message, 'unknown-move'))
      return resumed(state, message, context)
    case 'forward':
      if (!isHere) return say(state, from, refusalOf(message, 'unknown-move'))
      return targetStep(state, address, { type: 'heard', message }, context)
    case 'close':
      if (!isHere) return say(state, from, { type: 'closed', address, epoch })
      return targetStep(state, address, { type: 'heard', message }, context)
    case 'chunk':
    case 'abort':
      return isHere ? targetStep(state, address, { type: 'heard', message }, context) : none(state)
  }
}

function remembered(
  state: MoverState,
  node: NodeId,
  { address, mark }: Extract<MoveMessage, { type: 'after' }>,
  now: number,
): MoverStep {
  const afters = new Map(
    [...state.afters].filter(([, words]) => [...words.values()].some(({ until }) => until > now)),
  )
  const words = new Map(afters.get(address))
  words.delete(node)
  words.set(node, { mark, until: now + WORD_MS })
  if (words.size > MAX_LANES || (afters.size >= MAX_REMEMBERED && !afters.has(address))) return none(state)
  return none({ ...state, afters: afters.set(address, words) })
}

/** Who said a moment ago that it sent elsewhere before, waits for that too. */
function resumed(
  state: MoverState,
  message: Extract<MoveMessage, { type: 'resume' }>,
  context: MoverContext,
): MoverStep {
  const { address } = message
  const before = state.here.get(address)?.phase
  let all = targetStep(state, address, { type: 'heard', message }, context)
  if (before === 'running' || all.state.here.get(address)?.phase !== 'running') return all
  for (const [node, { mark, until }] of state.afters.get(address) ?? []) {
    if (until <= context.now) continue
    all = and(all, targetStep(all.state, address, { type: 'after', node, mark }, context))
  }
  const afters = new Map(all.state.afters)
  afters.delete(address)
  return { ...all, state: { ...all.state, afters } }
}

function offered(
  state: MoverState,
  from: NodeId,
  offer: Extract<MoveMessage, { type: 'offer' }>,
  { now, kinds, claim }: MoverContext,
): MoverStep {
  const { address, epoch } = offer
  const move: Move = { address, from, to: state.self, epoch }
  const why = whyNot()
  if (why !== undefined) return say(state, from, refusalOf(offer, why))
  return fromTarget(state, address, takeOffer(move, offer, now))

  function whyNot(): Refusal | undefined {
    const movable = kinds.get(offer.kind)
    if (movable === undefined) return 'unknown-kind'
    if (!understands(movable, offer.version)) return 'version'
    const known = claim(address)
    if (known !== undefined && !outranks({ epoch, node: state.self }, known)) return 'stale'
    const before = state.here.get(address)
    if (before !== undefined && before.move.epoch >= epoch) return 'stale'
    if (state.away.has(address) || before?.phase === 'running') return 'busy'
    return isFull(state) ? 'busy' : undefined
  }
}

const say = (state: MoverState, to: NodeId, message: MoveMessage): MoverStep => ({
  state,
  effects: [{ type: 'say', to, message }],
})

function told(
  state: MoverState,
  { address, from, parcel }: Extract<MoverInput, { type: 'told' }>,
  context: MoverContext,
): MoverStep {
  if (state.away.has(address)) {
    return sourceStep(
      state,
      address,
      { type: 'arrived', passed: { what: 'told', node: from, parcel } },
      context,
    )
  }
  if (state.here.get(address)?.phase === 'running') {
    return targetStep(state, address, { type: 'direct', node: from, parcel }, context)
  }
  // Its move was over while this waited to be heard.
  return { state, effects: [{ type: 'deliver', address, node: from, parcels: [parcel] }] }
}

function gone(state: MoverState, node: NodeId, context: MoverContext): MoverStep {
  let all = none(state)
  for (const [address, { move }] of state.away) {
    if (move.to === node) all = and(all, sourceStep(all.state, address, { type: 'gone' }, context))
  }
  for (const address of state.here.keys()) {
    all = and(all, targetStep(all.state, address, { type: 'gone', node }, context))
  }
  return all
}

function due(state: MoverState, context: MoverContext): MoverStep {
  let all = none(state)
  for (const [address, move] of state.away) {
    if ((sourceDue(move) ?? Number.POSITIVE_INFINITY) > context.now) continue
    all = and(all, sourceStep(all.state, address, { type: 'due' }, context))
  }
  for (const [address, move] of state.here) {
    if ((targetDue(move) ?? Number.POSITIVE_INFINITY) > context.now) continue
    all = and(all, targetStep(all.state, address, { type: 'due' }, context))
  }
  return all
}

const and = (before: MoverStep, after: MoverStep): MoverStep => ({
  state: after.state,
  effects: [...before.effects, ...after.effects],
})
