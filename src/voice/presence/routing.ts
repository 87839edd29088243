/**
 * In which room something is said that nobody asks for at this moment: a timer is due, a reminder, an answer that took long. Pure.
 *
 * O1  What names a room, and comes from no conversation ("tell the office that dinner is ready"), is said there.
 * O2  What comes from a person's conversation is said where they were heard last (`presence.ts`), as long as that is known.
 * O3  Else where its conversation is heard, then in the room it was asked for in.
 * O4  Where none of these has a loudspeaker: where anybody was heard last, then where that person usually is, then wherever somebody can
 *     hear it.
 */
import type { Monotonic } from '../../host/index.ts'
import { type Presence, personOf, roomOf } from './presence.ts'

/** From the best: a room, whoever is in its conversation, or everybody in reach. */
export type Destination = { readonly room: string } | 'conversation' | 'everybody'

export function destinations(
  { session, room }: { readonly session?: string | undefined; readonly room?: string | undefined },
  {
    presence,
    usual,
    now,
  }: {
    readonly presence: Presence
    /** Where a person usually is, the usual room first. */
    readonly usual: (person: string) => readonly string[]
    readonly now: Monotonic
  },
): readonly Destination[] {
  // It is for everybody.
  if (session === undefined && room === undefined) return ['everybody']
  const person = session === undefined ? undefined : personOf(presence, session)
  const there = person === undefined ? undefined : roomOf(presence, { person }, now)
  const rooms = (named: readonly (string | undefined)[]): readonly Destination[] =>
    named.flatMap((each) => (each === undefined ? [] : [{ room: each }]))
  return [
    ...rooms([there]),
    ...(session === undefined ? [] : (['conversation'] as const)),
    ...rooms([room, roomOf(presence, 'anybody', now)]),
    ...rooms(person === undefined ? [] : usual(person)),
    'everybody',
  ]
}
