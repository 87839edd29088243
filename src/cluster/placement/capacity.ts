/**
 * What a node adds to what the household can do: a pure function of what all offer with it and without it.
 *
 * N1  A node never takes anything away: no sessions fewer, nothing slower. N2  What is better by no more than work stays where it is for
 * (`placement.ts`, L3) is not said to be faster. N3  What is added depends on the offers only, not on their order.
 */
import type { NodeId } from '../../host/index.ts'
import { costOf, isBetter, type Offer } from './placement.ts'

/** What a spoken turn cannot do without. A language model is asked only for what the house does not know by heart. */
const SPOKEN = ['stt', 'tts'] as const
const KINDS = [...SPOKEN, 'llm'] as const
export type OfferedKind = (typeof KINDS)[number]
/** Of an engine's time; with more, those who speak at once wait for one another. */
const USABLE = 0.7
/** What is lost in dividing must not cost a session. */
const ROUNDING = 1e-9

/** An offer with what it is counted by here: compute time over audio time. Null or absent: not measured. */
export interface Engine extends Offer {
  readonly real_time_factor?: number | null | undefined
}

export interface Faster {
  readonly kind: OfferedKind
  /** What 95 of 100 runs took at the best place before, lag while somebody spoke included, ms; null: nobody could. */
  readonly before_ms: number | null
  readonly after_ms: number
}

export interface Gain {
  /** People who may speak at the same time, over those before. */
  readonly sessions: number
  readonly faster: readonly Faster[]
}

/** How many may speak at the same time and be served as fast as one: what the scarcer of recognisers and voices has room for. */
export function sessionsOf(offered: readonly Engine[]): number {
  const [heard, answered] = SPOKEN.map((kind) =>
    offered.filter(({ tag }) => isOf(kind, tag)).reduce((sum, engine) => sum + roomOf(engine), 0),
  ) as [number, number]
  return Math.min(heard, answered)
}

/** What `node` adds to the others. `before_ms` of what it was better than is given, or is what the others would take now. */
export function gainOf(
  node: NodeId,
  offered: readonly Engine[],
  before_ms: (kind: OfferedKind) => number | null = (kind) => bestOf(kind, without(node, offered)),
): Gain {
  const own = offered.filter((offer) => offer.node === node)
  const faster = KINDS.flatMap((kind): Faster[] => {
    const after_ms = bestOf(kind, own)
    if (after_ms === null) return []
    const before = before_ms(kind)
    return before === null || isBetter(after_ms, before) ? [{ kind, before_ms: before, after_ms }] : []
  })
  return { sessions: sessionsOf(offered) - sessionsOf(without(node, offered)), faster }
}

/** What the others take, by kind, before a node is used. */
export const bestWithout = (
  node: NodeId,
  offered: readonly Engine[],
): ReadonlyMap<OfferedKind, number | null> =>
  new Map(KINDS.map((kind) => [kind, bestOf(kind, without(node, offered))]))

/** One line for people; undefined when it adds nothing. */
export function gainText({ sessions, faster }: Gain): string | undefined {
  const parts = [
    ...(sessions > 0 ? [`+${sessions} concurrent ${sessions === 1 ? 'session' : 'sessions'}`] : []),
    ...faster.map(({ kind, before_ms, after_ms }) =>
      before_ms === null
        ? `${kind}, which nobody had, p95 ${Math.round(after_ms)} ms`
        : `${kind} p95 ${Math.round(before_ms)} → ${Math.round(after_ms)} ms`,
    ),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** What 95 of 100 runs take at the best place, the way included, ms. */
function bestOf(kind: OfferedKind, offered: readonly Engine[]): number | null {
  const costs = offered
    .filter(({ tag }) => isOf(kind, tag))
    // One that comes and goes is as fast as any while it is there.
    .map((offer) => costOf({ ...offer, steady: true }))
  return costs.length === 0 ? null : Math.min(...costs)
}

const roomOf = ({ real_time_factor, room }: Engine): number =>
  real_time_factor == null || real_time_factor <= 0
    ? Math.min(1, room)
    : Math.min(room, Math.floor(USABLE / real_time_factor + ROUNDING))

const isOf = (kind: OfferedKind, tag: string): boolean => tag === kind || tag.startsWith(`${kind}.`)
const without = (node: NodeId, offered: readonly Engine[]): readonly Engine[] =>
  offered.filter((offer) => offer.node !== node)
