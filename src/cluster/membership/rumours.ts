/**
 * News on its way: which members changed and how often each change was passed on. A change rides on heartbeats, least told
 * first, until it was told `retell · log2(members + 1)` times. There is at most one rumour per member, and what is told is
 * what is known when it is told, so that later news replaces earlier.
 */
import type { NodeId } from '../../host/index.ts'
import type { Rumour } from './state.ts'

type Rumours = readonly Rumour[]

const NONE: Rumours = Object.freeze([])

/** Something new about this member: told before all that was told already. */
export const rumour = (rumours: Rumours, id: NodeId): Rumours => [{ id, sent: 0 }, ...forget(rumours, id)]

export const forget = (rumours: Rumours, id: NodeId): Rumours =>
  rumours.some((one) => one.id === id) ? rumours.filter((one) => one.id !== id) : rumours

/** The first `most` to ride on one message, and what remains to be told after it. */
export function takeNews(rumours: Rumours, most: number, tellings: number): { told: Rumours; left: Rumours } {
  if (rumours.length === 0) return { told: NONE, left: rumours }
  const told = rumours.slice(0, most)
  const again = told.flatMap(({ id, sent }) => (sent + 1 < tellings ? [{ id, sent: sent + 1 }] : []))
  return { told, left: merged(rumours.slice(most), again) }
}

/** Two lists, least told first, as one. */
function merged(waiting: Rumours, again: Rumours): Rumours {
  if (waiting.length === 0) return again
  const all: Rumour[] = []
  let next = 0
  for (const one of waiting) {
    while (next < again.length && again[next]!.sent < one.sent) all.push(again[next++]!)
    all.push(one)
  }
  return all.concat(again.slice(next))
}

export const tellings = (retell: number, live: number): number => Math.ceil(retell * Math.log2(live + 2))
