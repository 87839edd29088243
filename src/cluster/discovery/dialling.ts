/**
 * When whom is dialled. Pure: `(state, input) → { state, effects }`; whoever holds the mesh dials, and says how it ended.
 *
 * Each node that should be connected is a target. A round dials its best address and, a little later or when that failed, one
 * of the others in turn. Rounds go on for ever, at growing distance.
 *
 * L1 A target that was connected within `lately_ms` is dialled at its best address at least every `short_pause_ms`, every other
 *    one at least every `long_pause_ms`, as long as fewer than `max_dials` attempts are waited for.
 * L2 At most `max_dials` attempts are waited for, and between two rounds of a target lie at least `least_gap_ms`.
 * L3 A linked target is not dialled; who is no target is not dialled.
 * L4 A slow handshake is not dialled again while it may be under way, except to whom we were connected lately, or when the
 *    network changed: there a fresh attempt is worth two links for a moment.
 * L5 Who answered with another key at an address given by hand is dialled anew when somebody becomes a member: it may be who
 *    lives there, and its key is ours a moment later.
 */
import { assertNever, type Monotonic, monotonic, type NodeId, type Random } from '../../host/index.ts'
import type { Place } from '../transport/mesh.ts'
import type { DiallingConfig } from './bounds.ts'
import { isSamePlace, written } from './places.ts'

export interface Candidate {
  /** The node id, or the written address of a static peer of which it is not known who it is. */
  readonly key: string
  readonly node: NodeId | undefined
  /** Best first; none yet for a member that was only heard of. */
  readonly places: readonly Place[]
}

export interface Target extends Candidate {
  /** When its last link ended. */
  readonly lost: Monotonic | undefined
  /** It or we would not have the other, or it has another key: knocking more often changes nothing. */
  readonly is_slow: boolean
  readonly rounds: number
  readonly round_at: Monotonic
  readonly next: Monotonic
  readonly pause_ms: number
  /** The other address of this round. */
  readonly second: { readonly place: Place; readonly at: Monotonic } | undefined
}

export interface Attempt {
  readonly key: string
  readonly place: Place
  readonly since: Monotonic
}

export interface DiallingState {
  readonly self: NodeId
  readonly targets: ReadonlyMap<string, Target>
  readonly linked: ReadonlySet<string>
  readonly attempts: ReadonlyMap<number, Attempt>
  readonly last_attempt: number
  /** Attempts from before the network changed may hang for ever: they are counted, but keep nobody waiting. */
  readonly changed: Monotonic
  /** When somebody became a member last. */
  readonly came: Monotonic
}

export type DiallingInput =
  /** Who should be connected, and where: replaces what was said before. */
  | { readonly type: 'candidates'; readonly candidates: readonly Candidate[] }
  /** It is there: it announced itself, or somebody who sees it says so. */
  | { readonly type: 'present'; readonly node: NodeId }
  | { readonly type: 'linked'; readonly node: NodeId }
  | { readonly type: 'unlinked'; readonly node: NodeId }
  /** No use in knocking often. */
  | { readonly type: 'refused'; readonly node: NodeId }
  /** `code` undefined: it worked. */
  | { readonly type: 'dialled'; readonly attempt: number; readonly code: string | undefined }
  /** Interfaces changed, or the machine slept, or other keys count now. */
  | { readonly type: 'changed' }
  | { readonly type: 'tick' }

export type DiallingEffect =
  | {
      readonly type: 'dial'
      readonly attempt: number
      readonly place: Place
      readonly expected: NodeId | undefined
    }
  /** `tick` then; replaces the one before. */
  | { readonly type: 'wake'; readonly at: Monotonic }

export interface DiallingContext {
  readonly now: Monotonic
  readonly random: Random
  readonly config: DiallingConfig
}

export interface DiallingNext {
  readonly state: DiallingState
  readonly effects: readonly DiallingEffect[]
}

export const startDialling = (self: NodeId): DiallingState => ({
  self,
  targets: new Map(),
  linked: new Set(),
  attempts: new Map(),
  last_attempt: 0,
  changed: monotonic(Number.NEGATIVE_INFINITY),
  came: monotonic(Number.NEGATIVE_INFINITY),
})

export const dialling = (
  state: DiallingState,
  input: DiallingInput,
  context: DiallingContext,
): DiallingNext => onward(taken(state, input, context), context)

function taken(state: DiallingState, input: DiallingInput, context: DiallingContext): DiallingState {
  switch (input.type) {
    case 'candidates':
      return candidates(state, input.candidates, context)
    case 'present':
      return changed(state, input.node, (target) =>
        target.is_slow ? target : sooner(state, target, context),
      )
    case 'linked':
      return {
        ...changed(state, input.node, (target) => ({ ...target, is_slow: false, second: undefined })),
        linked: new Set(state.linked).add(input.node),
      }
    case 'unlinked': {
      const linked = new Set(state.linked)
      const was = linked.delete(input.node)
      const left = changed(state, input.node, (target) => {
        if (target.is_slow) return later(target, context)
        return soon(state, was ? { ...target, lost: context.now } : target, context)
      })
      return { ...left, linked }
    }
    case 'refused':
      return changed(state, input.node, (target) => later({ ...target, is_slow: true }, context))
    case 'dialled':
      return dialled(state, input, context)
    case 'changed': {
      const targets = new Map<string, Target>()
      for (const [key, target] of state.targets) {
        targets.set(key, renewed(state, target, context))
      }
      return { ...state, targets, changed: context.now }
    }
    case 'tick':
      return state
    default:
      return assertNever(input)
  }
}

function changed(state: DiallingState, key: string, change: (target: Target) => Target): DiallingState {
  const target = state.targets.get(key)
  if (target === undefined) return state
  return { ...state, targets: new Map(state.targets).set(key, change(target)) }
}

/** Begins again with short pauses. */
const soon = (state: DiallingState, target: Target, context: DiallingContext): Target => ({
  ...sooner(state, target, context),
  pause_ms: context.config.first_pause_ms,
})

/** At once, a little apart from others; the greater id lets the smaller one dial first. */
function sooner(state: DiallingState, target: Target, { now, random, config }: DiallingContext): Target {
  const defers = target.node !== undefined && state.self > target.node
  const at = now + (defers ? config.defer_ms : 0) + random.float() * SPREAD_MS
  const next = Math.max(at, target.round_at + config.least_gap_ms)
  return next < target.next ? { ...target, next: monotonic(next) } : target
}

/** So that a whole house that wakes does not dial in the same millisecond; short enough not to be felt. */
const SPREAD_MS = 50

const later = (target: Target, { now, config }: DiallingContext): Target => ({
  ...target,
  next: monotonic(now + config.long_pause_ms),
  pause_ms: config.long_pause_ms,
  second: undefined,
})

function candidates(
  state: DiallingState,
  list: readonly Candidate[],
  context: DiallingContext,
): DiallingState {
  const targets = new Map<string, Target>()
  const came = list.some(({ key, node }) => node !== undefined && !state.targets.has(key))
  for (const candidate of list) {
    if (candidate.node === state.self) continue
    const known = state.targets.get(candidate.key)
    // L5
    const old = came && known?.is_slow === true && isNameless(known) ? renewed(state, known, context) : known
    if (old === undefined) {
      const fresh: Target = {
        ...candidate,
        lost: undefined,
        is_slow: false,
        rounds: 0,
        round_at: monotonic(Number.NEGATIVE_INFINITY),
        next: monotonic(Number.POSITIVE_INFINITY),
        pause_ms: context.config.first_pause_ms,
        second: undefined,
      }
      targets.set(candidate.key, soon(state, fresh, context))
      continue
    }
    const isNew = candidate.places.some((place) => !old.places.some((one) => isSamePlace(one, place)))
    const target = { ...old, ...candidate }
    targets.set(candidate.key, isNew && !old.is_slow ? soon(state, target, context) : target)
  }
  return { ...state, targets, came: came ? context.now : state.came }
}

const isNameless = ({ node }: Candidate): boolean => node === undefined

const renewed = (state: DiallingState, target: Target, context: DiallingContext): Target =>
  soon(state, { ...target, is_slow: false }, context)

function dialled(
  state: DiallingState,
  { attempt, code }: Extract<DiallingInput, { type: 'dialled' }>,
  context: DiallingContext,
): DiallingState {
  const ended = state.attempts.get(attempt)
  if (ended === undefined) return state
  const attempts = new Map(state.attempts)
  attempts.delete(attempt)
  return changed({ ...state, attempts }, ended.key, (target) => {
    // It answered: whoever dialled has the link in hand and judges it.
    if (code === undefined)
      return { ...target, second: undefined, next: monotonic(Math.max(target.next, context.now + SETTLE_MS)) }
    const turns = isNameless(target) && context.now - state.came < TURNING_MS
    if (code === 'wrong-key' && !turns) return later({ ...target, is_slow: true }, context)
    const { second } = target
    const isBest = !isSamePlace(ended.place, second?.place ?? ended.place)
    return isBest && second !== undefined ? { ...target, second: { ...second, at: context.now } } : target
  })
}

/** L5: a member that was just let in closes its links and opens its doors anew; on a small, busy machine that takes a second or two. */
const TURNING_MS = 5_000
/** Between a dial that worked and `linked`, `refused` or `unlinked`: certificates are shown and judged. */
const SETTLE_MS = 1_500

/** Starts what is due, the most deserving first, and says when to be woken. */
function onward(before: DiallingState, context: DiallingContext): DiallingNext {
  let state = withoutStale(before, context)
  const effects: DiallingEffect[] = []
  const due = [...state.targets.values()]
    .filter((target) => isIdle(state, target))
    .filter(({ next, second }) => next <= context.now || (second !== undefined && second.at <= context.now))
    .sort((a, b) => Number(wasLately(b, context)) - Number(wasLately(a, context)) || a.next - b.next)
  let is_full = false
  for (const { key } of due) {
    const target = state.targets.get(key)!
    const second = target.second !== undefined && target.second.at <= context.now ? target.second : undefined
    const places = [...(second === undefined ? [] : [second.place])]
    let next: Target = second === undefined ? target : { ...target, second: undefined }
    if (target.next <= context.now) {
      const busy = underWay(state, target, context)
      if (busy === undefined) {
        places.unshift(target.places[0]!)
        next = round(target, context)
      } else next = { ...next, next: busy }
    }
    is_full = state.attempts.size + places.length > context.config.max_dials
    if (is_full) break
    for (const place of places) {
      const attempt = state.last_attempt + 1
      const attempts = new Map(state.attempts).set(attempt, { key, place, since: context.now })
      state = { ...state, attempts, last_attempt: attempt }
      effects.push({ type: 'dial', attempt, place, expected: target.node })
    }
    state = { ...state, targets: new Map(state.targets).set(key, next) }
  }
  const wake = nextWake(state, is_full, context)
  return { state, effects: wake === undefined ? effects : [...effects, { type: 'wake', at: wake }] }
}

const wasLately = ({ lost }: Target, { now, config }: DiallingContext): boolean =>
  lost !== undefined && now - lost <= config.lately_ms

/** When the best address may be dialled again, if an attempt there is too young to be given company. */
function underWay(state: DiallingState, target: Target, context: DiallingContext): Monotonic | undefined {
  const { now, config } = context
  const patience = wasLately(target, context) ? config.short_pause_ms : config.give_up_ms
  const [best] = target.places
  const youngest = [...state.attempts.values()]
    .filter(({ key, place }) => key === target.key && isSamePlace(place, best!))
    .filter(({ since }) => since >= state.changed)
    .reduce((latest, { since }) => Math.max(latest, since), Number.NEGATIVE_INFINITY)
  return youngest + patience > now ? monotonic(youngest + patience) : undefined
}

/** One more round: the pause until the next doubles, at most to what this target deserves. */
function round(target: Target, context: DiallingContext): Target {
  const { now, random, config } = context
  const most = wasLately(target, context) && !target.is_slow ? config.short_pause_ms : config.long_pause_ms
  const pause = Math.min(target.pause_ms, most)
  const others = target.places.slice(1)
  const other = others[target.rounds % Math.max(1, others.length)]
  return {
    ...target,
    rounds: target.rounds + 1,
    round_at: now,
    next: monotonic(now + Math.max(config.least_gap_ms, pause * (0.75 + 0.25 * random.float()))),
    pause_ms: Math.min(pause * 2, most),
    second: other === undefined ? undefined : { place: other, at: monotonic(now + config.stagger_ms) },
  }
}

function withoutStale(state: DiallingState, { now, config }: DiallingContext): DiallingState {
  const attempts = new Map(state.attempts)
  for (const [attempt, { since }] of attempts) if (now - since >= config.give_up_ms) attempts.delete(attempt)
  return attempts.size === state.attempts.size ? state : { ...state, attempts }
}

function nextWake(
  state: DiallingState,
  is_full: boolean,
  { now, config }: DiallingContext,
): Monotonic | undefined {
  let wake = Number.POSITIVE_INFINITY
  for (const target of state.targets.values()) {
    if (isIdle(state, target)) wake = Math.min(wake, target.next, target.second?.at ?? wake)
  }
  // Nothing starts before an attempt ends, which is an input, or is given up.
  if (is_full) {
    const oldest = Math.min(...[...state.attempts.values()].map(({ since }) => since))
    wake = Math.max(wake, oldest + config.give_up_ms)
  }
  return Number.isFinite(wake) ? monotonic(Math.max(wake, now)) : undefined
}

const isIdle = ({ linked }: DiallingState, { key, node, places }: Target): boolean =>
  places.length > 0 && !linked.has(node ?? key)

/** Key of a static peer nobody has answered at yet. */
export const keyOfPlace = (place: Place): string => written(place)
