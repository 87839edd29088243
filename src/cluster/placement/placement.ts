/**
 * Where work is done: a pure function of what every node says it can do and of what this one measured. What a run would cost is
 * counted in milliseconds a person waits, so that a fast engine far away and a slow one here compare. A recogniser that falls behind
 * while somebody speaks is waited for before the end of speech is known: that counts as what comes after it does.
 *
 * L1 The same sheets and measurements give the same order on every node, in whatever order they came.
 * L2 More latency, told or seen, more lag, more load or a longer way never improves a place.
 * L3 Work stays where it went before until another place is better by more than noise (hysteresis).
 * L4 What falls and rises too often is used only where nothing else is.
 */
import type { NodeId } from '../../host/index.ts'

/** One engine of one node, as its sheet tells it. */
export interface Offer {
  readonly node: NodeId
  /** E.g. `stt.sherpa:recogniser-starter`. */
  readonly tag: string
  /** Of the engine itself, ms; null: not measured yet. */
  readonly p95_ms: number | null
  /** Runs it takes at once, and those under way. */
  readonly room: number
  readonly running: number
  /** What one run takes of the engine, 0 to 1: at 1 the next one waits for it. Undefined: an equal part of its room. */
  readonly share?: number | undefined
  /** How far it was behind speech lately, ms; undefined: it does not say. */
  readonly lag_ms?: number | undefined
  /** What 95 of 100 such runs of this node took there lately, the way included, ms; undefined: too few to say. */
  readonly seen_ms?: number | undefined
  /** Of the machine: share of its processors in use, 1 is all of them; null: unknown, taken for idle. */
  readonly load: number | null
  /** There and back, ms; 0 for this node; undefined: not measured yet. */
  readonly rtt_ms: number | undefined
  readonly steady: boolean
}

export interface Place {
  readonly node: NodeId
  readonly tag: string
  /** What a person would wait for it, ms. */
  readonly cost_ms: number
  /** Of that what is waited once it has all it needs. */
  readonly wait_ms: number
}

/** An engine nobody measured yet is taken for a slow one: good enough where it is alone, never preferred. */
const UNMEASURED_MS = 250
/** A way nobody measured yet is taken for that of a poor Wi-Fi. */
const UNMEASURED_RTT_MS = 20
/** Another place must be better by so much of the cost and by so many milliseconds: twice what p95 and round trips vary by. */
const BETTER_SHARE = 0.2
const BETTER_MS = 5
/** Up to here a run finds a free processor. */
const ROOMY_LOAD = 0.5
/** Before anything unsteady, however fast it is when it is there. */
const UNSTEADY_MS = 10_000

/** Whether an engine offers what is asked for: a capability (`stt`), an engine (`stt.sherpa`) or a whole tag. */
export const offers = (tag: string, wanted: string): boolean =>
  tag === wanted || tag.startsWith(`${wanted}.`) || tag.startsWith(`${wanted}:`)

/** What a person would wait for work there, ms. */
export const costOf = (offer: Offer): number => waitOf(offer) + (offer.lag_ms ?? 0)

/**
 * What the work takes there from the moment it has all it needs: the engine, slower the more it has to do, and the way; never less than what it took lately, for a
 * node may be late with what its engine has done.
 */
function waitOf({ p95_ms, room, running, share, seen_ms, load, rtt_ms, steady }: Offer): number {
  const busy = 1 + running * (share ?? 1 / Math.max(1, room))
  // Half as long again when all are in use. A step of what is told (`running/load.ts`) is less than BETTER_SHARE of it.
  const crowded = 1 + Math.max(0, (load ?? 0) - ROOMY_LOAD)
  const engine = (p95_ms ?? UNMEASURED_MS) * busy * crowded
  return Math.max(engine + (rtt_ms ?? UNMEASURED_RTT_MS), seen_ms ?? 0) + (steady ? 0 : UNSTEADY_MS)
}

/**
 * The places for `wanted`, best first. An engine without room is left out: it would refuse. `before` is where such work went
 * last, `undefined` at first.
 */
export function rank(
  wanted: string,
  offered: readonly Offer[],
  before: { readonly node: NodeId; readonly tag: string } | undefined,
): readonly Place[] {
  const places = offered
    .filter(({ tag, room, running }) => offers(tag, wanted) && running < room)
    .map((offer) => ({
      ...{ node: offer.node, tag: offer.tag, cost_ms: costOf(offer), wait_ms: waitOf(offer) },
    }))
    .sort((a, b) => a.cost_ms - b.cost_ms || compare(a.node, b.node) || compare(a.tag, b.tag))
  const [best] = places
  const stay = places.find(({ node, tag }) => node === before?.node && tag === before.tag)
  if (best === undefined || stay === undefined || isBetter(best.cost_ms, stay.cost_ms)) return places
  return [stay, ...places.filter((place) => place !== stay)]
}

/** Whether a wait is shorter by more than noise. */
export const isBetter = (best_ms: number, stay_ms: number): boolean =>
  stay_ms - best_ms > Math.max(BETTER_MS, BETTER_SHARE * stay_ms)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
