/**
 * Which conversation of the house is meant by somebody who speaks in another room than it. Pure; every node that is told the same
 * answers the same.
 */
import type { TalkRows } from './afar.ts'

export type TalkRow = TalkRows['talks'][number]

/** Of two conversations that were had this close to each other, neither is clearly the one that is followed. */
export const UNCLEAR_MS = 5_000

interface Asking {
  readonly session: string
  readonly person?: string | undefined
}

/** Others, of the same person or, as this one, of nobody; the latest first. */
const others = ({ session, person }: Asking, talks: readonly TalkRow[]): TalkRow[] =>
  talks
    .filter((talk) => talk.session !== session && talk.person === person)
    .sort((a, b) => a.heard_ms - b.heard_ms || (a.session < b.session ? -1 : 1))

/** Whose follow-up may be said here. Undefined: nobody's, or it is unclear whose. */
export function commonTalk(asking: Asking, talks: readonly TalkRow[]): TalkRow | undefined {
  const [first, second] = others(asking, talks).filter(
    ({ last, asks }) => last !== undefined || asks !== undefined,
  )
  if (first === undefined) return undefined
  const isUnclear = second !== undefined && second.heard_ms - first.heard_ms < UNCLEAR_MS
  return isUnclear ? undefined : first
}

/** Which is to come here: one that speaks, else one that was interrupted, else the one that was had last. */
export function nearestTalk(asking: Asking, talks: readonly TalkRow[]): TalkRow | undefined {
  const all = others(asking, talks)
  return all.find(({ speaking }) => speaking) ?? all.find(({ can_go_on }) => can_go_on) ?? all[0]
}
