/**
 * In which room something is said that nobody asks for at this moment: a timer is due, a reminder, an answer that took long. Pure.
 *
 * O1  What names a room, and comes from no conversation ("tell the office that dinner is ready"), is said there.
 * O2  What comes from a person's conversation, or was set in one and is due, is said where they were heard last (`presence.ts`), as long
 *     as that is known.
 * O3  Else where its conversation is heard, then in the room it was asked for in.
 * O4  Where none of these has a loudspeaker: where anybody was heard last, then where that person usually is, then wherever somebody can
 *     hear it.
 */
import type { Monotonic } from '../../host/index.ts'
import { type Owners, ownerOf, type Presence, roomOf } from './presence.ts'

/** From the best: a room, whoever is in its conversation, or everybody in reach. */
export type Destination = { readonly room: string } | 'conversation' | 'everybody'

export function destinations(
  {
    session,
    room,
    whose = session,
  }: {
    readonly session?: string | undefined
    readonly room?: string | undefined
    /** The conversation in which it was set. */
    readonly whose?: string | undefined
  },
  {
    presence,
    owners,
    usual,
    now,
  }: {
    readonly presence: Presence
    readonly owners: Owners
    /** Where a person usually is, the usual room first. */
    readonly usual: (person: string) => readonly string[]
    readonly now: Monotonic
  },
): readonly Destination[] {
  const person = whose === undefined ? undefined : ownerOf(owners, whose)
  const there = person === undefined ? undefined : roomOf(presence, { person }, now)
  const rooms = (named: readonly (string | undefined)[]): readonly Destination[] =>
    named.flatMap((each) => (each === undefined ? [] : [{ room: each }]))
  // Else it is for everybody.
  if (session === undefined && room === undefined) return [...rooms([there]), 'everybody']
  return [
    ...rooms([there]),
    ...(session === undefined ? [] : (['conversation'] as const)),
    ...rooms([room, roomOf(presence, 'anybody', now)]),
    ...rooms(person === undefined ? [] : usual(person)),
    'everybody',
  ]
}
