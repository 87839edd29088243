/**
 * Which actors of this node should live on another one, and when each goes. Pure: the caller moves them (`migration/`) and says what came
 * of it. Each node decides about what lives with it, so that nobody has to agree.
 *
 * V1  Locality: what was asked for by one and the same other node FOLLOWED times in a row moves there.
 * V2  Balance: for a while after a node came, one that has more than its share gives some away; only those for whom the newcomer is the
 *     first of all nodes by a hash of node and address, so that what stays where it is stays, and never below its share.
 * V3  One at a time, one in EVERY_MS; those that were not asked for the longest go first, the hottest last.
 * V4  Hysteresis: what came stays SETTLED_MS at least; what could not be moved is left alone for REST_MS; V2 takes nothing that was asked
 *     for within COLD_MS, which V1 would bring back.
 * V5  Nothing moves to a node that is not in use, comes and goes, or is busy; and nothing once this node leaves: then all of it goes
 *     (`node/draining.ts`).
 */
import type { NodeId } from '../../host/index.ts'
import { print } from './print.ts'

/** Who asks three times from another room is there; who asks once has passed by. */
export const FOLLOWED = 3
/** A move takes milliseconds, and a second of attention. */
export const EVERY_MS = 1_000
/** A conversation that was moved is not moved on before somebody could have noticed. */
export const SETTLED_MS = 30_000
export const REST_MS = 60_000
/** Whoever spoke with it comes back within this, or not at all. */
export const COLD_MS = 10 * 60_000
/** A node that came has told by then what lives with it, and is likely to stay. */
export const NEWCOMER_MS = 15_000
/** And after this, what is out of balance is so for other reasons. */
export const BALANCING_MS = 10 * 60_000
/** More than the mean by so much, and by so many, is more than its share. */
const SHARE = 1.25
const FEW = 4
/** A busier one gets nothing more for the sake of balance. */
const BUSY_LOAD = 0.8
/** Those of which it is known who asked: as many as one node has conversations, twice over. */
export const MOST_TENANTS = 1_024

export type Reason = 'asked-there' | 'balance'

/** Another node that is in use: alive, linked, not about to go. */
export interface Neighbour {
  readonly node: NodeId
  readonly steady: boolean
  readonly load: number | null
}

interface Tenant {
  /** Who asked last, the latest last; FOLLOWED at most. */
  readonly asked: readonly NodeId[]
  readonly asked_at: number
  /** When it came from another node; undefined: it began here, or long ago. */
  readonly came_at: number | undefined
  /** Left alone until then. */
  readonly rests_until: number
}

export interface RelocationState {
  readonly self: NodeId
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly neighbours: ReadonlyMap<NodeId, Neighbour & { readonly since: number }>
  /** On its way. */
  readonly moving: string | undefined
  /** No move begins before. */
  readonly next_at: number
  readonly leaving: boolean
}

export type RelocationInput =
  /** Somebody asked it something, on this node or from another. */
  | { readonly type: 'asked'; readonly address: string; readonly from: NodeId }
  /** It came from another node. */
  | { readonly type: 'came'; readonly address: string }
  | { readonly type: 'house'; readonly neighbours: readonly Neighbour[] }
  /** What became of a move. */
  | { readonly type: 'moved' | 'refused'; readonly address: string }
  | { readonly type: 'leaves' }
  | { readonly type: 'due' }

/** Of all that may move: on which node each lives, as the map of placements says. */
export type Homes = ReadonlyMap<string, NodeId>

export interface Relocate {
  readonly address: string
  readonly to: NodeId
  readonly why: Reason
}

export interface RelocationStep {
  readonly state: RelocationState
  /** To be carried out, and answered by `moved` or `refused`. */
  readonly move: Relocate | undefined
  /** When to come again with `due`; undefined: whenever something else comes. */
  readonly wake_at: number | undefined
}

export const newRelocation = (self: NodeId): RelocationState => ({
  ...{ self, tenants: new Map(), neighbours: new Map() },
  ...{ moving: undefined, next_at: 0, leaving: false },
})

const STRANGER: Tenant = { asked: [], asked_at: Number.NEGATIVE_INFINITY, came_at: undefined, rests_until: 0 }

/** `now`: monotonic, ms. */
export function relocation(
  before: RelocationState,
  input: RelocationInput,
  { now, homes }: { readonly now: number; readonly homes: Homes },
): RelocationStep {
  const state = noted(before, input, now)
  if (state.leaving || state.moving !== undefined) return { state, move: undefined, wake_at: undefined }
  const found = best(state, homes, now)
  if (found === undefined) return { state, move: undefined, wake_at: laterAt(state, homes, now) }
  if (now < state.next_at) return { state, move: undefined, wake_at: state.next_at }
  const begun = { ...state, moving: found.address, next_at: now + EVERY_MS }
  return { state: begun, move: found, wake_at: undefined }
}

function noted(state: RelocationState, input: RelocationInput, now: number): RelocationState {
  const tenantOf = (address: string): Tenant => state.tenants.get(address) ?? STRANGER
  switch (input.type) {
    case 'asked': {
      const { address, from } = input
      const known = tenantOf(address)
      const asked = [...known.asked, from].slice(-FOLLOWED)
      return withTenant(state, address, { ...known, asked, asked_at: now })
    }
    case 'came':
      return withTenant(state, input.address, { ...STRANGER, asked_at: now, came_at: now })
    case 'house': {
      const neighbours = input.neighbours.map((one) => {
        const since = state.neighbours.get(one.node)?.since ?? now
        return [one.node, { ...one, since }] as const
      })
      return { ...state, neighbours: new Map(neighbours) }
    }
    case 'moved':
      return { ...without(state, input.address), moving: undefined }
    case 'refused': {
      const rests: Tenant = { ...tenantOf(input.address), rests_until: now + REST_MS }
      return { ...withTenant(state, input.address, rests), moving: undefined }
    }
    case 'leaves':
      return { ...state, leaving: true }
    case 'due':
      return state
  }
}

/** What goes first: the coldest of those that should. */
function best(state: RelocationState, homes: Homes, now: number): Relocate | undefined {
  const wanted = [...followers(state, homes, now), ...surplus(state, homes, now)]
  const heat = ({ address }: Relocate): number => (state.tenants.get(address) ?? STRANGER).asked_at
  return wanted.sort((a, b) => heat(a) - heat(b) || (a.address < b.address ? -1 : 1))[0]
}

/** V1, V4: when it may go; undefined: it is where it should be. */
function followsAt(state: RelocationState, { asked, came_at = 0, rests_until }: Tenant) {
  const [to] = asked
  if (to === undefined || to === state.self || asked.length < FOLLOWED) return undefined
  if (asked.some((from) => from !== to) || state.neighbours.get(to)?.steady !== true) return undefined
  return { to, at: Math.max(came_at === 0 ? 0 : came_at + SETTLED_MS, rests_until) }
}

function followers(state: RelocationState, homes: Homes, now: number): readonly Relocate[] {
  return [...state.tenants].flatMap(([address, tenant]): Relocate[] => {
    const follows = homes.get(address) === state.self ? followsAt(state, tenant) : undefined
    if (follows === undefined || follows.at > now) return []
    return [{ address, to: follows.to, why: 'asked-there' }]
  })
}

/** V2, V4, V5. */
function surplus(state: RelocationState, homes: Homes, now: number): readonly Relocate[] {
  const { self, neighbours, tenants } = state
  const newcomers = [...neighbours.values()].filter(
    ({ since, steady, load }) =>
      steady && (load ?? 0) < BUSY_LOAD && now - since >= NEWCOMER_MS && now - since < BALANCING_MS,
  )
  if (newcomers.length === 0) return []
  const nodes = [self, ...neighbours.keys()]
  const has = new Map(nodes.map((node) => [node, 0]))
  for (const node of homes.values()) if (has.has(node)) has.set(node, has.get(node)! + 1)
  const mean = [...has.values()].reduce((sum, count) => sum + count, 0) / nodes.length
  if (has.get(self)! <= mean * SHARE + FEW) return []
  const open = new Set(newcomers.filter(({ node }) => has.get(node)! < mean).map(({ node }) => node))
  return [...homes].flatMap(([address, home]): Relocate[] => {
    if (home !== self) return []
    const { asked_at, came_at, rests_until } = tenants.get(address) ?? STRANGER
    const isCold = now - asked_at >= COLD_MS && (came_at === undefined || now - came_at >= SETTLED_MS)
    if (!isCold || rests_until > now) return []
    const first = firstOf(address, nodes)
    return open.has(first) ? [{ address, to: first, why: 'balance' }] : []
  })
}

/** The same for all who know the same nodes; of many addresses each node is the first of an equal part. */
const firstOf = (address: string, nodes: readonly NodeId[]): NodeId => {
  const rank = (node: NodeId): number => print(`${node} ${address}`)
  return nodes.reduce((a, b) => (rank(b) > rank(a) || (rank(a) === rank(b) && b < a) ? b : a))
}

/** When something that is not to move yet may be. */
function laterAt(state: RelocationState, homes: Homes, now: number): number | undefined {
  const times = [
    ...[...state.tenants].flatMap(([address, tenant]) => {
      const follows = homes.get(address) === state.self ? followsAt(state, tenant) : undefined
      return follows === undefined ? [] : [follows.at]
    }),
    ...[...state.neighbours.values()].map(({ since }) => since + NEWCOMER_MS),
  ].filter((at) => at > now)
  // What is only cold later is looked at when the house changes again, or something is asked.
  return times.length === 0 ? undefined : Math.min(...times)
}

function withTenant(state: RelocationState, address: string, tenant: Tenant): RelocationState {
  const tenants = new Map(state.tenants)
  tenants.delete(address)
  tenants.set(address, tenant)
  const [oldest] = tenants.keys()
  if (tenants.size > MOST_TENANTS) tenants.delete(oldest!)
  return { ...state, tenants }
}

function without(state: RelocationState, address: string): RelocationState {
  const tenants = new Map(state.tenants)
  tenants.delete(address)
  return { ...state, tenants }
}
