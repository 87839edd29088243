/**
 * Engines shared by the household: whose engine a run uses is chosen as it begins, from what each node says it can do and from
 * what was measured on the way there. Where a run goes when its node is lost is the business of `inference/lending.ts`; what a
 * place costs, of `cluster/placement`.
 */
import type { Outcome, Ref } from '../actors/index.ts'
import { type Cluster, type Offer, rank, type WorkPort } from '../cluster/index.ts'
import { type Clock, LoqaError, type NodeId, nodeId } from '../host/index.ts'
import {
  type Capability,
  createLending,
  type InferPort,
  isEngineEvent,
  type Lender,
  type LendingOptions,
} from '../inference/index.ts'

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
  /** A run began there. */
  readonly lent: (to: string, node: NodeId, model: string, actor: Ref) => void
  readonly moved: NonNullable<LendingOptions['moved']>
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

/** The engines of all nodes as one port. */
export function shareEngines(parts: SharingParts): InferPort {
  /** Where such work went last. */
  const before = new Map<string, { readonly node: NodeId; readonly tag: string }>()
  return createLending({
    clock: parts.clock,
    moved: parts.moved,
    lenders: (to) => {
      const offered = offersOf(parts)
      const lenders = rank(to, offered, before.get(to)).map(({ node, tag }) =>
        lenderOf(parts, offered, node, tag),
      )
      // A full engine of this node says so itself, and why.
      return lenders.length > 0 ? lenders : [lenderOf(parts, offered, parts.self, to)]
    },
    lent: (to, { name, model }, actor) => {
      const node = nodeId(name)
      before.set(to, { node, tag: model })
      parts.lent(to, node, model, actor)
    },
  })
}

/** What this node and those it has a link to offer now. */
export function offersOf({ self, capabilities, load, room, cluster }: SharingParts): readonly Offer[] {
  const own = capabilities()
    .filter(({ state }) => state === 'ready')
    .map(({ tag, p95_ms, load: running }) => ({
      ...{ node: self, tag, p95_ms, room, running },
      ...{ load: load(), rtt_ms: 0, steady: true },
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
      .filter(({ ready }) => ready)
      .map(({ tag, p95_ms, room, running }) => ({
        ...{ node, tag, p95_ms, room, running },
        ...{ load: sheet.load, rtt_ms, steady: isSteady },
      }))
  })
  return [...own, ...others]
}

function lenderOf(
  { self, local, far }: SharingParts,
  offered: readonly Offer[],
  node: NodeId,
  tag: string,
): Lender {
  if (node === self) return { name: node, model: tag, port: local, patience_ms: undefined }
  const offer = offered.find((one) => one.node === node && one.tag === tag)
  return { name: node, model: tag, port: asInferPort(far(node)), patience_ms: patienceFor(offer) }
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
