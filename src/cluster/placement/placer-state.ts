/** What the placer knows, as plain data that is never changed in place, and the words it is asked and answers in. */
import type { ErrorShape, Monotonic, NodeId } from '../../host/index.ts'
import type { Candidate } from './candidate.ts'
import { type Placements, whereIs } from './placements.ts'
import type { Requirement } from './seats.ts'

/** A kind of actor that is placed, the same on all nodes of a version. */
export interface PlacedKind {
  /** What any of them takes; the key tells them apart. */
  readonly requirement: Omit<Requirement, 'key'>
  /** Once its node is dead: started anew elsewhere, from its key alone, or forgotten until somebody wants it again. */
  readonly when_lost: 'start-anew' | 'forget'
}

/** By the first part of the address. */
export type PlacedKinds = ReadonlyMap<string, PlacedKind>

/** Looked for, by somebody on this node, until it has a place or none can be found. */
export interface Want {
  /** Nodes that refused or were silent. */
  readonly tried: readonly NodeId[]
  /** Asked to start it; undefined while it is started here. */
  readonly asked: { readonly node: NodeId; readonly until: number } | undefined
  /** How the last of them refused. */
  readonly error: ErrorShape | undefined
}

export interface PlacerState {
  readonly self: NodeId
  /** Nodes that are alive and said what they can do, this one among them. */
  readonly candidates: readonly Candidate[]
  /** Nodes that are not dead: those that are only suspected keep what they have, and get nothing new. */
  readonly present: ReadonlySet<NodeId>
  /** Living on this node. */
  readonly here: ReadonlySet<string>
  readonly starting: ReadonlySet<string>
  readonly wants: ReadonlyMap<string, Want>
  /** Whose node is gone, with the time at which the first seat has its turn. */
  readonly orphans: ReadonlyMap<string, number>
  /** Living here and claimed by a node that may be dead: when to look again. */
  readonly contested: ReadonlyMap<string, number>
  /** Where an address lived last, when it lives nowhere now: the latest MAX_BEFORE of them. */
  readonly before: ReadonlyMap<string, NodeId>
  /** Before this, no further orphan is started here. */
  readonly anew_after: number
  /** When the clock was asked for; undefined: nothing waits. */
  readonly wake_at: number | undefined
}

export type PlacerInput =
  /** Who is there, and what they say of themselves, changed. */
  | {
      readonly type: 'house'
      readonly candidates: readonly Candidate[]
      readonly present: ReadonlySet<NodeId>
    }
  /** Somebody here wants it to live, wherever. Ends with one `placed` or `unplaced`. */
  | { readonly type: 'wanted'; readonly address: string }
  /** Somebody here began it, because it is needed on this node and nowhere else. */
  | { readonly type: 'taken'; readonly address: string }
  /** As `start` or another node wanted it. */
  | { readonly type: 'started'; readonly address: string }
  | { readonly type: 'failed'; readonly address: string; readonly error: ErrorShape }
  /** It ended for good. */
  | { readonly type: 'ended'; readonly address: string }
  /** A node that was asked to start it. Silence is a refusal too, and comes by itself after ASKED_MS. */
  | { readonly type: 'answered'; readonly address: string; readonly node: NodeId }
  | { readonly type: 'refused'; readonly address: string; readonly node: NodeId; readonly error: ErrorShape }
  /** The map says something new about these. */
  | { readonly type: 'heard'; readonly addresses: readonly string[] }
  /** The map names another node, or none, for what this one had claimed. */
  | { readonly type: 'lost'; readonly address: string }
  /** Membership's verdict on the node they lived on. */
  | { readonly type: 'orphaned'; readonly addresses: readonly string[] }
  | { readonly type: 'due' }

export type PlacerEffect =
  /** Start it on this node; `started` or `failed` comes back. */
  | { readonly type: 'start'; readonly address: string }
  /** Ask that node to start it; `answered` or `refused` comes back. */
  | { readonly type: 'ask'; readonly address: string; readonly node: NodeId }
  /** Tell the other nodes that it lives here, or does not any more. */
  | { readonly type: 'claim' | 'release'; readonly address: string }
  /** The copy on this node ends; `ended` comes back. */
  | { readonly type: 'stop'; readonly address: string }
  | { readonly type: 'placed'; readonly address: string; readonly node: NodeId }
  | { readonly type: 'unplaced'; readonly address: string; readonly error: ErrorShape }
  /** Replaces the wake before; undefined: none. */
  | { readonly type: 'wake'; readonly delay_ms: number | undefined }

/** Valid for one step. */
export interface PlacerContext {
  readonly now: Monotonic
  /** The map of claims, with everything that was heard. */
  readonly map: Placements
  readonly kinds: PlacedKinds
}

export interface PlacerStep {
  readonly state: PlacerState
  readonly effects: readonly PlacerEffect[]
}

export const none = (state: PlacerState): PlacerStep => ({ state, effects: [] })

/** Does one thing after the other, each with what the one before left. */
export function each<T>(
  state: PlacerState,
  items: Iterable<T>,
  step: (state: PlacerState, item: T) => PlacerStep,
): PlacerStep {
  const effects: PlacerEffect[] = []
  let now = state
  for (const item of items) {
    const after = step(now, item)
    now = after.state
    effects.push(...after.effects)
  }
  return { state: now, effects }
}

/** Nobody but this node, before anything was heard. */
export const newPlacer = (self: NodeId): PlacerState => ({
  self,
  candidates: [],
  present: new Set([self]),
  here: new Set(),
  starting: new Set(),
  wants: new Map(),
  orphans: new Map(),
  contested: new Map(),
  before: new Map(),
  anew_after: 0,
  wake_at: undefined,
})

/** The node where it lives, as far as this one knows: the map's, unless that one is dead. */
export function livesOn(
  { self, present, here }: PlacerState,
  map: Placements,
  address: string,
): NodeId | undefined {
  const owner = whereIs(map, address)
  if (owner === self) return here.has(address) ? self : undefined
  if (owner !== undefined && present.has(owner)) return owner
  return here.has(address) ? self : undefined
}

export const kindOf = (address: string): string => address.slice('loqa:/'.length, address.lastIndexOf('/'))

export const requirementOf = (kinds: PlacedKinds, address: string): Requirement | undefined => {
  const kind = kinds.get(kindOf(address))
  return kind === undefined ? undefined : { ...kind.requirement, key: address }
}
