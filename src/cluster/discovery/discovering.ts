/**
 * Discovery as one pure machine: what was heard, told and dialled goes in, whom to dial comes out. `sightings.ts` remembers,
 * `dialling.ts` decides when; here it is decided who should be connected at all: members of the household, and whoever bears
 * its tag (let in by another member a moment ago), unless removed, of a version we do not speak, or we ourselves.
 */
import {
  assertNever,
  type ErrorShape,
  type Monotonic,
  monotonic,
  type NodeId,
  OLDEST_UNDERSTOOD_VERSION,
  PROTOCOL_VERSION,
  type Random,
  type Wall,
} from '../../host/index.ts'
import type { Life } from '../household/clones.ts'
import type { Secret } from '../household/secret.ts'
import type { Standing } from '../household/sighting.ts'
import type { Place } from '../transport/mesh.ts'
import type { Announcement } from './announcement.ts'
import { type DiallingConfig, ECHO_MS, MAX_REFUSALS, MAX_STATIC, OWN_MS } from './bounds.ts'
import {
  type Candidate,
  type DiallingInput,
  type DiallingState,
  dialling,
  keyOfPlace,
  startDialling,
} from './dialling.ts'
import type { DiscoveryEffect, DiscoveryInput } from './inputs.ts'
import { isLinkLocal, isTellable, type NetworkInterface } from './interfaces.ts'
import { isSamePlace, ranked } from './places.ts'
import * as sightings from './sightings.ts'
import { hourOf, isOurs } from './tag.ts'

/** A peer from the configuration. */
export interface StaticPeer {
  readonly place: Place
  /** Who answered there last. */
  readonly node: NodeId | undefined
  readonly failing:
    | { readonly since: Monotonic; readonly code: string; readonly attempts: number }
    | undefined
}

export interface DiscoveryState {
  readonly life: Omit<Life, 'address'>
  readonly ports: { readonly mesh: number; readonly enrolment: number }
  readonly standing: Standing | undefined
  readonly keys: readonly Secret[]
  readonly members: ReadonlySet<NodeId>
  readonly revoked: ReadonlySet<NodeId>
  readonly seen: sightings.Sightings
  readonly statics: ReadonlyMap<string, StaticPeer>
  readonly dialling: DiallingState
  readonly linked: ReadonlySet<NodeId>
  /** Why a link to it did not last; the oldest first. */
  readonly refusals: ReadonlyMap<NodeId, ErrorShape>
  /** Addresses of this machine, and when each was there last. */
  readonly own: ReadonlyMap<string, Monotonic>
  readonly own_places: readonly Place[]
  /** Our id was announced there by another start of it; `is_ours` when it bore the household's tag. */
  readonly elsewhere:
    | { readonly address: string; readonly at: Monotonic; readonly is_ours: boolean }
    | undefined
}

export type DiscoveringInput =
  | DiscoveryInput
  | { readonly type: 'announced'; readonly announcement: Announcement; readonly from: string }
  | { readonly type: 'goodbye'; readonly node: NodeId; readonly from: string }
  /** The interfaces are these now. */
  | { readonly type: 'network'; readonly interfaces: readonly NetworkInterface[] }
  | { readonly type: 'woke' }
  | { readonly type: 'tick' }

export type DiscoveringEffect =
  | DiscoveryEffect
  | { readonly type: 'wake'; readonly at: Monotonic }
  /** What we announce changed. */
  | { readonly type: 'announce' }

export interface DiscoveringContext {
  readonly now: Monotonic
  readonly wall: Wall
  readonly random: Random
  readonly config: DiallingConfig
}

export interface DiscoveringNext {
  readonly state: DiscoveryState
  readonly effects: readonly DiscoveringEffect[]
}

export function startDiscovering(
  life: Omit<Life, 'address'>,
  ports: DiscoveryState['ports'],
  peers: readonly Place[],
): DiscoveryState {
  return {
    life,
    ports,
    standing: undefined,
    keys: [],
    members: new Set(),
    revoked: new Set(),
    seen: new Map(),
    statics: new Map(
      peers
        .slice(0, MAX_STATIC)
        .map((place) => [keyOfPlace(place), { place, node: undefined, failing: undefined }]),
    ),
    dialling: startDialling(life.node),
    linked: new Set(),
    refusals: new Map(),
    own: new Map(),
    own_places: [],
    elsewhere: undefined,
  }
}

export function discovering(
  before: DiscoveryState,
  input: DiscoveringInput,
  context: DiscoveringContext,
): DiscoveringNext {
  const { state, effects, dial } = taken(before, input, context)
  // First who is to be connected at all, then what happened to them.
  const inputs: DiallingInput[] = [
    { type: 'candidates', candidates: candidates(state) },
    ...(dial === undefined ? [] : [dial]),
  ]
  const out: DiscoveringEffect[] = [...effects]
  let machine = state.dialling
  let wake: Monotonic | undefined
  for (const one of inputs) {
    const next = dialling(machine, one, context)
    machine = next.state
    for (const effect of next.effects) {
      if (effect.type === 'wake') wake = effect.at
      else out.push(effect)
    }
  }
  if (wake !== undefined) out.push({ type: 'wake', at: wake })
  return { state: withGivenUp({ ...state, dialling: machine }, state.dialling, input, context), effects: out }
}

interface Taken {
  readonly state: DiscoveryState
  readonly effects: readonly DiscoveringEffect[]
  /** What it means for the dialling machine. */
  readonly dial?: DiallingInput
}

const same = (state: DiscoveryState): Taken => ({ state, effects: [] })

function taken(state: DiscoveryState, input: DiscoveringInput, context: DiscoveringContext): Taken {
  const { now } = context
  const isMember = (node: NodeId): boolean => state.members.has(node)
  switch (input.type) {
    case 'tell':
      return tell(state, input, context)
    case 'members':
      return same({ ...state, members: input.members, revoked: input.revoked })
    case 'told': {
      const useful = input.places.filter(({ host }) => isTellable(host))
      if (input.node === state.life.node || !isMember(input.node) || useful.length === 0) return same(state)
      return same({ ...state, seen: sightings.told(state.seen, input.node, useful, now) })
    }
    case 'linked':
      return linked(state, input, context)
    case 'unlinked': {
      const { node } = input
      const left = new Set(state.linked)
      left.delete(node)
      // While the link stood the place was good: what is remembered of it starts from here.
      const place = ranked(state.seen.get(node)?.places ?? []).find(
        ({ proved }) => proved !== undefined,
      )?.place
      const seen =
        place === undefined || !state.linked.has(node)
          ? state.seen
          : sightings.proved(state.seen, node, place, false, now)
      return { state: { ...state, linked: left, seen }, effects: [], dial: { type: 'unlinked', node } }
    }
    case 'dialled':
      return dialled(state, input, context)
    case 'refused': {
      const refusals = new Map(state.refusals)
      refusals.delete(input.node)
      refusals.set(input.node, input.error.toJSON())
      if (refusals.size > MAX_REFUSALS) refusals.delete(refusals.keys().next().value!)
      return { state: { ...state, refusals }, effects: [], dial: { type: 'refused', node: input.node } }
    }
    case 'announced':
      return announced(state, input, context)
    case 'goodbye':
      return same({ ...state, seen: sightings.goodbye(state.seen, input.node, input.from) })
    case 'network':
      return network(state, input.interfaces, context)
    case 'woke':
      return { state, effects: [{ type: 'announce' }], dial: { type: 'changed' } }
    case 'tick':
      return {
        state: { ...state, seen: sightings.aged(state.seen, isMember, now) },
        effects: [],
        dial: { type: 'tick' },
      }
    default:
      return assertNever(input)
  }
}

type Input<T extends DiscoveringInput['type']> = Extract<DiscoveringInput, { type: T }>

function tell(before: DiscoveryState, { standing, keys }: Input<'tell'>, context: DiscoveringContext): Taken {
  const is_rekeyed = keys.length !== before.keys.length || keys.some((key, i) => key !== before.keys[i])
  const is_news = is_rekeyed || !isSameStanding(standing, before.standing)
  if (!is_news) return same(before)
  const state = { ...before, standing, keys }
  if (!is_rekeyed) return { state, effects: [{ type: 'announce' }] }
  const hour = hourOf(context.wall)
  const seen = sightings.judged(state.seen, ({ tag, life }) => isOurs(tag, keys, life, hour))
  return { state: { ...state, seen }, effects: [{ type: 'announce' }], dial: { type: 'changed' } }
}

const isSameStanding = (a: Standing | undefined, b: Standing | undefined): boolean =>
  a?.household === b?.household && a?.movable === b?.movable

function linked(state: DiscoveryState, { node, place }: Input<'linked'>, { now }: DiscoveringContext): Taken {
  const refusals = new Map(state.refusals)
  refusals.delete(node)
  const is_static = place !== undefined && state.statics.has(keyOfPlace(place))
  const seen = place === undefined ? state.seen : sightings.proved(state.seen, node, place, is_static, now)
  return {
    state: { ...state, seen, refusals, linked: new Set(state.linked).add(node) },
    effects: [],
    dial: { type: 'linked', node },
  }
}

function dialled(
  before: DiscoveryState,
  { attempt, outcome }: Input<'dialled'>,
  { now }: DiscoveringContext,
): Taken {
  const tried = before.dialling.attempts.get(attempt)
  const code = 'error' in outcome ? outcome.error.code : undefined
  const dial: DiallingInput = { type: 'dialled', attempt, code }
  if (tried === undefined) return { state: before, effects: [], dial }
  const state = withOutcome(before, tried.key, tried.place, 'node' in outcome ? outcome.node : code!, now)
  return { state, effects: [], dial }
}

/** `result` is who answered, or the code of what went wrong. */
function withOutcome(
  state: DiscoveryState,
  key: string,
  place: Place,
  result: NodeId | string,
  now: Monotonic,
): DiscoveryState {
  const peer = state.statics.get(key)
  if (isNodeId(result)) {
    const seen = sightings.proved(state.seen, result, place, peer !== undefined, now)
    if (peer === undefined) return { ...state, seen }
    const answered: StaticPeer = { place, node: result, failing: undefined }
    return { ...state, seen, statics: new Map(state.statics).set(key, answered) }
  }
  if (peer === undefined) {
    return { ...state, seen: sightings.failed(state.seen, key as NodeId, place, result, now) }
  }
  const failing = peer.failing ?? { since: now, code: result, attempts: 0 }
  const next = { ...peer, failing: { ...failing, code: result, attempts: failing.attempts + 1 } }
  return { ...state, statics: new Map(state.statics).set(key, next) }
}

const isNodeId = (result: string): result is NodeId => result.startsWith('12D3KooW')

/** Attempts the dialling machine stopped waiting for failed, as far as anybody can tell. */
function withGivenUp(
  state: DiscoveryState,
  before: DiallingState,
  input: DiscoveringInput,
  { now }: DiscoveringContext,
): DiscoveryState {
  let next = state
  for (const [attempt, { key, place }] of before.attempts) {
    if (state.dialling.attempts.has(attempt)) continue
    if (input.type === 'dialled' && input.attempt === attempt) continue
    next = withOutcome(next, key, place, 'timed-out', now)
  }
  return next
}

function announced(
  state: DiscoveryState,
  { announcement, from }: Input<'announced'>,
  context: DiscoveringContext,
): Taken {
  const { life, tag, standing } = announcement
  const is_ours = isOurs(tag, state.keys, life, hourOf(context.wall))
  if (life.node === state.life.node) {
    if (life.boot === state.life.boot) return same(state)
    const elsewhere = { address: from, at: context.now, is_ours }
    return {
      state: { ...state, elsewhere },
      effects: is_ours ? [{ type: 'cloned', life: { ...life, address: from } }] : [],
    }
  }
  const isMember = (node: NodeId): boolean => state.members.has(node)
  const before = state.seen.get(life.node)
  // The same is heard on every interface, and by IPv4 and IPv6.
  const is_echo =
    before?.announcement !== undefined &&
    context.now - before.last < ECHO_MS &&
    isSameStanding(before.announcement.standing, standing)
  const seen = sightings.heard(state.seen, { announcement, from, is_ours }, isMember, context.now)
  return {
    state: { ...state, seen },
    effects: is_ours || is_echo ? [] : [{ type: 'met', node: life.node, standing }],
    dial: { type: 'present', node: life.node },
  }
}

function network(
  state: DiscoveryState,
  interfaces: readonly NetworkInterface[],
  { now }: DiscoveringContext,
): Taken {
  const own = new Map([...state.own].filter(([, at]) => now - at <= OWN_MS))
  for (const { address } of interfaces) own.set(address, now)
  const own_places = interfaces
    .filter(({ address, internal }) => !internal && isTellable(address))
    .map(({ address }): Place => ({ host: address, port: state.ports.mesh }))
  const next = { ...state, own, own_places }
  return { state: next, effects: [{ type: 'moved', places: own_places }], dial: { type: 'changed' } }
}

export function isCompatible({ speaks, understands }: Announcement): boolean {
  return speaks >= OLDEST_UNDERSTOOD_VERSION && understands <= PROTOCOL_VERSION
}

/** Whether a link to it is wanted. */
export const isWanted = (state: DiscoveryState, node: NodeId): boolean => {
  const seen = state.seen.get(node)
  if (node === state.life.node || state.revoked.has(node)) return false
  if (seen?.announcement !== undefined && !isCompatible(seen.announcement)) return false
  return state.members.has(node) || seen?.is_ours === true
}

/** Our own address, also one we had a moment ago. */
export function isOwnPlace({ own, ports }: DiscoveryState, { host, port }: Place): boolean {
  if (port !== ports.mesh) return false
  const [address] = host.split('%')
  return host === 'localhost' || host.startsWith('127.') || host === '::1' || own.has(address!)
}

function candidates(state: DiscoveryState): Candidate[] {
  const nodes = new Set([...state.members, ...state.seen.keys()])
  const known = [...nodes]
    .filter((node) => isWanted(state, node))
    .map((node): Candidate => {
      const places = ranked(state.seen.get(node)?.places ?? []).map(({ place }) => place)
      const others = places.filter((place) => !isOwnPlace(state, place))
      // libp2p takes no link from a link-local address: they are tried when there is nothing else.
      const wide = others.filter(({ host }) => !isLinkLocal(host))
      return { key: node, node, places: wide.length > 0 ? wide : others }
    })
  const statics = [...state.statics]
    .filter(([, { place, node }]) => {
      if (isOwnPlace(state, place) || node === state.life.node) return false
      // Once it is known who is there, that node is dialled, there as well as elsewhere.
      if (node === undefined) return true
      const isKept = state.seen.get(node)?.places.some((one) => isSamePlace(one.place, place)) === true
      return !(state.linked.has(node) || (isKept && isWanted(state, node)))
    })
    .map(([key, { place }]): Candidate => ({ key, node: undefined, places: [place] }))
  return [...known, ...statics]
}

export const soonest = (state: DiscoveryState, key: string): Monotonic =>
  state.dialling.targets.get(key)?.next ?? monotonic(Number.POSITIVE_INFINITY)
