/**
 * Engines shared by the household: whose engine a run uses is chosen as it begins, from what each node says it can do and from
 * what was measured on the way there. Where a run goes when its node is lost is the business of `inference/lending.ts`; what a
 * place costs, of `cluster/placement`.
 */
import type { Outcome, Ref } from '../actors/index.ts'
import { type Cluster, type Engine, type Offer, rank, type WorkPort } from '../cluster/index.ts'
import { type Clock, LoqaError, type NodeId, nodeId } from '../host/index.ts'
import {
  type Capability,
  createLending,
  type InferPort,
  isEngineEvent,
  type Lender,
  type LendingOptions,
  Recent,
} from '../inference/index.ts'

import { isSoundTag } from './hardware.ts'

export interface SharingParts {
  readonly self: NodeId
  readonly clock: Clock
  /** This node's own engines. */
  readonly local: InferPort
  readonly capabilities: () => readonly Capability[]
  /** Of this machine, as it is told to the others. */
  readonly load: () => number | null
  /** Runs one engine takes at once. */
  readonly room: number
  /** Undefined while this node is alone. */
  readonly cluster: () => Pick<Cluster, 'sheets' | 'members' | 'linkTo' | 'rttOf'> | undefined
  /** Work of this node's actors on another. */
  readonly far: (node: NodeId) => WorkPort
  /** A run is done there. */
  readonly lent: (to: string, node: NodeId, model: string, actor: Ref) => void
  readonly moved: NonNullable<LendingOptions['moved']>
  /** The first result of a run came after so long, or it was given up there. */
  readonly waited: (to: string, wait_ms: number) => void
  readonly hedge: (to: string, event: 'begun' | 'won' | 'lost') => void
}

/**
 * A lender far away that has all it needs may be silent for so many times what its engine took in 95 of 100 runs, and the way
 * there and back; at least as long as a busy Wi-Fi takes to send once more.
 */
const PATIENCE_TIMES = 4
const LEAST_PATIENCE_MS = 250
const MOST_PATIENCE_MS = 5_000
/** Engines nobody measured yet. */
const UNMEASURED_PATIENCE_MS = 1_000

const GARBLED = new LoqaError('engine-crashed', 'Another node sent what no engine says', {
  retryable: true,
}).toJSON()

/** In their name somebody stands and waits: conversations, and the voice that speaks for them (`voice/speech.ts`). */
const WAITED_FOR = ['loqa:/session/', 'loqa:/voice/'] as const
/** A machine that is busier has no idle engine. */
const IDLE_LOAD = 0.6
/** Before so many runs what was seen of an engine says too little. */
const ENOUGH_SEEN = 3
/** What a run of an engine that works on one after the other takes of it: of runs that were told, half are over by now. */
const ONE_BY_ONE_SHARE = 0.5

/** The engines of all nodes as one port, and what was seen of them. */
export interface Shared {
  readonly port: InferPort
  /** What this node and those it has a link to offer now. */
  offers(): readonly Engine[]
}

export function shareEngines(parts: SharingParts): Shared {
  /** Where such work went last. */
  const before = new Map<string, { readonly node: NodeId; readonly tag: string }>()
  /** Waits by node and tag. */
  const seen = new Map<string, Recent>()
  const now = (): number => parts.clock.monotonic()
  const offers = (underway: Underway = () => 0): readonly Engine[] => {
    const offered = offersOf(parts)
    const present = new Set(offered.map(keyOf))
    for (const key of seen.keys()) if (!present.has(key)) seen.delete(key)
    return offered.map((offer) => {
      const waits = seen.get(keyOf(offer))
      const running = Math.max(offer.running, underway(offer.node, offer.tag))
      if (waits === undefined || waits.count(now()) < ENOUGH_SEEN) return { ...offer, running }
      return { ...offer, running, seen_ms: waits.p95(now()) ?? undefined }
    })
  }
  const port = createLending({
    clock: parts.clock,
    moved: parts.moved,
    lenders: (to, underway) => {
      const offered = offers(underway)
      const lenders = rank(to, offered, before.get(to)).map((place) => lenderOf(parts, offered, place))
      // A full engine of this node says so itself, and why.
      return lenders.length > 0
        ? lenders
        : [lenderOf(parts, offered, { node: parts.self, tag: to, wait_ms: undefined })]
    },
    lent: (to, { name, model }, actor, chosen) => {
      const node = nodeId(name)
      // One that was first once is not the better place for that.
      if (chosen === 'best') before.set(to, { node, tag: model })
      parts.lent(to, node, model, actor)
    },
    waited: (to, { name, model }, wait_ms) => {
      const key = keyOf({ node: name, tag: model })
      const waits = seen.get(key) ?? new Recent()
      waits.add(wait_ms, now())
      seen.set(key, waits)
      parts.waited(to, wait_ms)
    },
    hedged: (_to, { address }) => WAITED_FOR.some((prefix) => address.startsWith(prefix)),
    hedge: (to, _second, event) => parts.hedge(to, event),
  })
  return { port, offers: () => offers() }
}

type Underway = (node: string, tag: string) => number

const keyOf = ({ node, tag }: { readonly node: string; readonly tag: string }): string => `${node} ${tag}`

/** What this node and those it has a link to say of themselves. */
function offersOf({ self, capabilities, load, room, cluster }: SharingParts): readonly Engine[] {
  const own = capabilities()
    .filter(({ state }) => state === 'ready')
    .map(({ tag, p95_ms, lag_ms, real_time_factor, load: running }) => ({
      ...{ node: self, tag, p95_ms, real_time_factor, room, running, share: shareOf(tag, real_time_factor) },
      ...{ lag_ms, load: load(), rtt_ms: 0, steady: true },
    }))
  const household = cluster()
  if (household === undefined) return own
  const steady = new Map(
    household
      .members()
      .filter(({ standing }) => standing.status === 'alive')
      .map(({ id, repute }) => [id, repute.steady]),
  )
  const others = [...household.sheets()].flatMap(([node, { sheet }]) => {
    const isSteady = steady.get(node)
    if (isSteady === undefined || household.linkTo(node) === undefined) return []
    const rtt_ms = household.rttOf(node)
    return sheet.capabilities
      .filter(({ ready, tag }) => ready && !isSoundTag(tag))
      .map(({ tag, p95_ms, lag_ms, real_time_factor, room, running }) => ({
        ...{ node, tag, p95_ms, real_time_factor, room, running, share: shareOf(tag, real_time_factor) },
        ...{ lag_ms, load: sheet.load, rtt_ms, steady: isSteady },
      }))
  })
  return [...own, ...others]
}

/** A recogniser hears several people at once, each for the share of time it takes; the others do one thing after the other. */
const shareOf = (tag: string, real_time_factor: number | null): number | undefined =>
  tag.startsWith('stt')
    ? real_time_factor === null
      ? undefined
      : Math.min(1, real_time_factor)
    : ONE_BY_ONE_SHARE

interface Chosen {
  readonly node: NodeId
  readonly tag: string
  readonly wait_ms: number | undefined
}

function lenderOf(
  { self, local, far }: SharingParts,
  offered: readonly Offer[],
  { node, tag, wait_ms }: Chosen,
): Lender {
  const offer = offered.find((one) => one.node === node && one.tag === tag)
  const idle = offer !== undefined && offer.running === 0 && (offer.load ?? 0) <= IDLE_LOAD
  const lender = { name: node, model: tag, expected_ms: wait_ms, idle }
  if (node === self) return { ...lender, port: local, patience_ms: undefined }
  return { ...lender, port: asInferPort(far(node)), patience_ms: patienceFor(offer) }
}

function patienceFor(offer: Offer | undefined): number {
  const { p95_ms = null, rtt_ms = 0 } = offer ?? {}
  if (p95_ms === null) return UNMEASURED_PATIENCE_MS
  return Math.min(MOST_PATIENCE_MS, Math.max(LEAST_PATIENCE_MS, PATIENCE_TIMES * p95_ms + 2 * rtt_ms))
}

const asInferPort = ({ request, cancel, actorGone }: WorkPort): InferPort => ({
  request(effect, deliver, actor) {
    const judge = (outcome: Outcome): void => {
      const { id } = outcome
      if (outcome.event === 'failed' || isEngineEvent(outcome.body)) deliver(outcome)
      else {
        cancel(id, actor, 'infer')
        deliver({ type: 'outcome', id, event: 'failed', error: GARBLED })
      }
    }
    request(effect, judge, actor)
  },
  cancel: (id: string, actor: Ref) => cancel(id, actor, 'infer'),
  actorGone,
})
