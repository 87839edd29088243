/**
 * Where something is best done. A pure function of what it takes, what nodes say of themselves, and where it is asked for; so all
 * nodes that have the same sheets name the same winner, whatever the order in which they came.
 *
 * L1  A node that gets slower, farther, busier or fuller never ranks higher for it. L2  The order of the sheets means nothing. L3  What
 * cannot do it, or is not alive, is not in the list; what is full or unsteady comes after all that is neither. L4  Offers within
 * the tier's time come before those beyond it; among them the rich tier takes the best, the others the quickest. L5  Equals are
 * told apart by a hash of node and key, so that many equal things spread over equal nodes. L6  `choose` moves nothing for a gain
 * below the hysteresis, unless where it is can no longer do it as it should.
 */
import type { NodeId } from '../../host/index.ts'
import { print } from './print.ts'
import type { Offer, Sheet } from './sheet.ts'

export type Tier = 'fast' | 'balanced' | 'rich'

export interface Requirement {
  /** A capability (`stt`), an engine (`stt.sherpa`) or a full tag; undefined: any node will do. */
  readonly tag: string | undefined
  /** What is placed, e.g. its address: tells equals apart. */
  readonly key: string
}

export interface PlacementContext {
  readonly tier: Tier
  /** Where it is asked for; undefined: nowhere in particular. */
  readonly room: string | undefined
  /** Measured round trip from where it is asked for; 0 for the node itself, undefined: not alive. When all nodes must agree, from what was gossiped. */
  readonly rtt_ms: (node: NodeId) => number | undefined
  /** Whether membership has seen it fall often lately. */
  readonly steady: (node: NodeId) => boolean
}

export interface Place {
  readonly node: NodeId
  /** The offer that would do it. */
  readonly tag: string | undefined
  /** What is expected until the first result, ms. */
  readonly expected_ms: number
  readonly standing: Standing
}

/** From best to worst. */
export type Standing = 'within' | 'beyond' | 'unsteady' | 'full'
const STANDINGS: readonly Standing[] = ['within', 'beyond', 'unsteady', 'full']

/** Time of a whole turn by tier (ARCHITECTURE §6); one step of it may take half, the rest is for the others. */
const STEP_MS: Readonly<Record<Tier, number>> = { fast: 100, balanced: 200, rich: 500 }
/** What an engine that was not measured is taken for: slower than one that just misses its tier, so that it is tried when idle only. */
const UNMEASURED_MS = 300
/** Starting an actor that needs no engine. */
const PLAIN_MS = 1
/** Being in another room costs what a hop over Wi-Fi varies by: enough to tell equals apart, not to take a slow engine. */
const OTHER_ROOM_MS = 3
/** At full load everything takes twice as long: its processors are shared. */
const FULL_LOAD = 1

/** All that could do it, best first. */
export function place(
  requirement: Requirement,
  sheets: readonly Sheet[],
  context: PlacementContext,
): readonly Place[] {
  const ranked: Ranked[] = []
  for (const sheet of sheets) {
    const rtt_ms = context.rtt_ms(sheet.node)
    if (rtt_ms === undefined) continue
    const offers =
      requirement.tag === undefined ? [PLAIN] : sheet.offers.filter(({ tag }) => fits(tag, requirement.tag!))
    const best = offers
      .map((offer) => rank(requirement, sheet, offer, rtt_ms, context))
      .sort((a, b) => compare(a, b, context.tier))[0]
    if (best !== undefined) ranked.push(best)
  }
  return ranked.sort((a, b) => compare(a, b, context.tier)).map(({ place: found }) => found)
}

/** Share by which another place must be better before anything is moved there. */
export const HYSTERESIS = 0.25

/** The best place, or the present one while that is good enough. Undefined: there is none. */
export function choose(
  places: readonly Place[],
  present: NodeId | undefined,
  hysteresis = HYSTERESIS,
): Place | undefined {
  const best = places[0]
  const now = places.find(({ node }) => node === present)
  if (best === undefined || now === undefined || best.standing !== now.standing) return best
  return best.expected_ms < now.expected_ms * (1 - hysteresis) ? best : now
}

interface Ranked {
  readonly place: Place
  readonly grade: number
  readonly print: number
}

const PLAIN: Offer = { tag: '', p95_ms: PLAIN_MS, queue: 0, capacity: 1, grade: 0 }

function rank(
  { key }: Requirement,
  { node, room, load }: Sheet,
  offer: Offer,
  rtt_ms: number,
  context: PlacementContext,
): Ranked {
  const work_ms =
    (offer.p95_ms ?? UNMEASURED_MS) * (1 + offer.queue / offer.capacity) * (1 + FULL_LOAD * load)
  const away_ms = context.room !== undefined && room !== context.room ? OTHER_ROOM_MS : 0
  const expected_ms = rtt_ms + work_ms + away_ms
  const standing: Standing =
    offer.queue >= offer.capacity
      ? 'full'
      : !context.steady(node)
        ? 'unsteady'
        : expected_ms <= STEP_MS[context.tier]
          ? 'within'
          : 'beyond'
  return {
    place: { node, tag: offer === PLAIN ? undefined : offer.tag, expected_ms, standing },
    grade: offer.grade,
    print: print(`${node} ${key}`),
  }
}

function compare(a: Ranked, b: Ranked, tier: Tier): number {
  const byStanding = STANDINGS.indexOf(a.place.standing) - STANDINGS.indexOf(b.place.standing)
  if (byStanding !== 0) return byStanding
  if (tier === 'rich' && a.place.standing === 'within' && a.grade !== b.grade) return b.grade - a.grade
  if (a.place.expected_ms !== b.place.expected_ms) return a.place.expected_ms - b.place.expected_ms
  if (a.print !== b.print) return a.print - b.print
  return byName(a.place.node, b.place.node) || byName(a.place.tag ?? '', b.place.tag ?? '')
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** `stt` is met by `stt.sherpa:rt`, `stt.sherpa` too, `stt.sher` is not. */
export const fits = (tag: string, wanted: string): boolean =>
  tag === wanted || tag.startsWith(`${wanted}.`) || tag.startsWith(`${wanted}:`)
