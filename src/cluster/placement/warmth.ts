/**
 * Which engines of this node are kept in memory: a pure function of what was asked of them lately and of what the household offers.
 *
 * K1  What was asked within `keep_ms` stays: demand pins it. K2  An engine rests only while `SPARES` other steady nodes that come before
 * this one offer the very same model, so that losing one of these costs nobody a wait; and it wakes when they are fewer. K3  While those that are
 * awake cannot keep up, all rest no longer. K4  What woke stays for `keep_ms`: nothing rests and wakes in turns. K5  With the same
 * sheets all nodes have the same order: never do all let go of a model because each sees the others have it.
 */
import type { NodeId } from '../../host/index.ts'
import { costOf, type Offer } from './placement.ts'

/** One answers, and the other does when that one is lost. */
const SPARES = 2
/** A step of a turn that takes longer is heard as a pause even where the turn may take a second (`seats.ts`, the rich tier). */
const LATE_MS = 500

/** An engine of this node, in memory or not. */
export interface Kept {
  /** Unique in the node. */
  readonly name: string
  readonly tag: string
  readonly resting: boolean
  /** Since it was used last, or became ready, ms. */
  readonly idle_ms: number
}

export interface Warming {
  readonly name: string
  readonly do: 'rest' | 'wake'
  /** For the log. */
  readonly why: 'idle' | 'few others' | 'demand'
}

export interface WarmthContext {
  readonly self: NodeId
  /** What is ready, this node's own among them. */
  readonly offered: readonly Offer[]
  readonly keep_ms: number
}

export function warmings(kept: readonly Kept[], { self, offered, keep_ms }: WarmthContext): Warming[] {
  return kept.flatMap(({ name, tag, resting, idle_ms }): Warming[] => {
    const same = offered.filter((offer) => offer.tag === tag)
    const others = same.filter(({ node, steady }) => node !== self && steady)
    if (resting) {
      if (others.length < SPARES) return [{ name, do: 'wake', why: 'few others' }]
      return areLate(others) ? [{ name, do: 'wake', why: 'demand' }] : []
    }
    const own = same.find(({ node }) => node === self)
    if (own === undefined || own.running > 0 || idle_ms < keep_ms || areLate(others)) return []
    const before = others.filter((other) => comesBefore(other, own))
    return before.length < SPARES ? [] : [{ name, do: 'rest', why: 'idle' }]
  })
}

/** K3: nobody has room, or everybody is slow by now. */
const areLate = (awake: readonly Offer[]): boolean =>
  awake.every((offer) => offer.running >= offer.room || costOf(offer) > LATE_MS)

/** K5: the faster one by far, else the one whose id comes first; what all nodes were told alike. */
function comesBefore(a: Offer, b: Offer): boolean {
  const [first, second] = [speedClass(a), speedClass(b)]
  return first === second ? a.node < b.node : first < second
}

/** Doubles of a millisecond: what two self-benchmarks of one machine differ by is seldom another class. */
const speedClass = ({ p95_ms }: Offer): number =>
  p95_ms === null ? Number.POSITIVE_INFINITY : Math.round(Math.log2(1 + p95_ms))
