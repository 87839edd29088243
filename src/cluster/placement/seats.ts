/**
 * Where a placed actor should live: a pure function of what it takes and of what nodes say of themselves, so that all nodes with
 * the same sheets name the same winner. What a place costs is counted as for engines (`placement.ts`).
 *
 * A1  A node that gets slower, farther, busier or fuller never ranks higher for it. A2  The order of the candidates means nothing.
 * A3  What cannot do it is not in the list; what is full or unsteady comes after all that is neither. A4  What is within the tier's
 * time comes before what is beyond; among that the rich tier takes the best, the others the quickest. A5  Equals are told apart
 * by a hash of node and key, so that many equal things spread over equal nodes. A6  `choose` moves nothing for a gain below the
 * hysteresis, unless where it is can no longer do it as it should.
 */
import type { NodeId } from '../../host/index.ts'
import { type Candidate, gradeOf } from './candidate.ts'
import { costOf, type Offer, offers } from './placement.ts'
import { print } from './print.ts'

export type Tier = 'fast' | 'balanced' | 'rich'

export interface Requirement {
  /** A capability (`stt`), an engine (`stt.sherpa`) or a full tag it works with; undefined: any node will do. */
  readonly tag: string | undefined
  /** Its address: tells equals apart. */
  readonly key: string
  readonly tier: Tier
  /** Where it is needed; undefined: nowhere in particular. */
  readonly place: string | undefined
}

export interface Seat {
  readonly node: NodeId
  /** What a person would wait for the first result there, ms. */
  readonly cost_ms: number
  readonly standing: Standing
}

/** From best to worst. */
export type Standing = 'within' | 'beyond' | 'unsteady' | 'full'
const STANDINGS: readonly Standing[] = ['within', 'beyond', 'unsteady', 'full']

/** Time of a whole turn by tier (ARCHITECTURE §6); one step of it may take half, the rest is for the others. */
const STEP_MS: Readonly<Record<Tier, number>> = { fast: 100, balanced: 200, rich: 500 }
/** An actor that needs no engine is as quick everywhere; then load and the way decide. */
const PLAIN: Candidate['offers'][number] = { tag: '', p95_ms: 1, room: 1, running: 0 }
/** Being elsewhere costs what a hop over Wi-Fi varies by: enough to tell equals apart, not to take a slow engine. */
const ELSEWHERE_MS = 3
/** Share by which another seat must be better before anything is moved there: a move costs a snapshot and a second of attention. */
export const HYSTERESIS = 0.25

/** Every node where it could live, best first. Only nodes that are alive are to be given. */
export function seats(wanted: Requirement, candidates: readonly Candidate[]): readonly Seat[] {
  const ranked: Ranked[] = []
  for (const candidate of candidates) {
    const { tag } = wanted
    const able = tag === undefined ? [PLAIN] : candidate.offers.filter((offer) => offers(offer.tag, tag))
    const [best] = able.map((offer) => rank(wanted, candidate, offer)).sort(order(wanted.tier))
    if (best !== undefined) ranked.push(best)
  }
  return ranked.sort(order(wanted.tier)).map(({ seat }) => seat)
}

/** The best seat, or the present one while that is good enough. Undefined: there is none. */
export function choose(
  ranked: readonly Seat[],
  present: NodeId | undefined,
  hysteresis = HYSTERESIS,
): Seat | undefined {
  const [best] = ranked
  const now = ranked.find(({ node }) => node === present)
  if (best === undefined || now === undefined || best.standing !== now.standing) return best
  return best.cost_ms < now.cost_ms * (1 - hysteresis) ? best : now
}

interface Ranked {
  readonly seat: Seat
  readonly grade: number
  readonly print: number
}

function rank(wanted: Requirement, candidate: Candidate, able: Candidate['offers'][number]): Ranked {
  const { node, load, rtt_ms, steady, place } = candidate
  const offer: Offer = { ...able, node, load, rtt_ms, steady: true }
  const elsewhere_ms = wanted.place !== undefined && place !== wanted.place ? ELSEWHERE_MS : 0
  const cost_ms = costOf(offer) + elsewhere_ms
  const standing: Standing =
    able.running >= able.room
      ? 'full'
      : !steady
        ? 'unsteady'
        : cost_ms <= STEP_MS[wanted.tier]
          ? 'within'
          : 'beyond'
  return {
    seat: { node, cost_ms, standing },
    grade: gradeOf(able.tag),
    print: print(`${node} ${wanted.key}`),
  }
}

const order =
  (tier: Tier) =>
  (a: Ranked, b: Ranked): number => {
    const byStanding = STANDINGS.indexOf(a.seat.standing) - STANDINGS.indexOf(b.seat.standing)
    if (byStanding !== 0) return byStanding
    if (tier === 'rich' && a.seat.standing === 'within' && a.grade !== b.grade) return b.grade - a.grade
    return a.seat.cost_ms - b.seat.cost_ms || a.print - b.print || (a.seat.node < b.seat.node ? -1 : 1)
  }
