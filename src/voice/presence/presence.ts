/**
 * Where in the house somebody is, as far as they were heard. Pure; nodes that were told the same say the same.
 *
 * E1  A person is where they spoke last. Of microphones that heard the same words the loudest counts.
 * E2  After PRESENT_MS nobody is known to be anywhere.
 * E3  A conversation that is nobody's is where it was heard last itself: who else speaks in the house is perhaps somebody else.
 * E4  It is bounded, and in memory only.
 */
import type { Monotonic } from '../../host/index.ts'

/** One utterance, as it is remembered. */
export interface Hint {
  readonly session: string
  readonly room: string
  /** Id of the person whose conversation it is, when somebody said so. */
  readonly person?: string | undefined
  /** Of the voice at the microphone, dB below full scale. */
  readonly level_db: number
  readonly at: Monotonic
}

/** The latest first; of each conversation one per room. */
export type Presence = readonly Hint[]

/** Who has not spoken for so long has perhaps gone to another room, or out. */
export const PRESENT_MS = 10 * 60_000
/** Two microphones that hear the same words decide on their end within this; nobody walks from room to room and speaks in less. */
export const SAME_WORDS_MS = 1_500
/** Conversations of a large house within PRESENT_MS. */
export const MOST_HINTS = 128

export const NOBODY: Presence = []

export const hear = (presence: Presence, hint: Hint): Presence =>
  [
    hint,
    ...presence.filter(
      ({ session, room, at }) =>
        (session !== hint.session || room !== hint.room) && hint.at - at <= PRESENT_MS,
    ),
  ]
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_HINTS)

/** Whose conversations are, as far as they were heard: known for longer than where they are, for a timer is due in hours. */
export type Owners = readonly { readonly session: string; readonly person: string }[]

/** Conversations of a household in a day. */
export const MOST_OWNERS = 256

export const owned = (owners: Owners, { session, person }: Pick<Hint, 'session' | 'person'>): Owners =>
  person === undefined
    ? owners
    : [{ session, person }, ...owners.filter((one) => one.session !== session)].slice(0, MOST_OWNERS)

export const ownerOf = (owners: Owners, session: string): string | undefined =>
  owners.find((one) => one.session === session)?.person

/** In which room somebody was heard last: a person, whoever is in one conversation, or anybody. */
export function roomOf(
  presence: Presence,
  whose: { readonly person: string } | { readonly session: string } | 'anybody',
  now: Monotonic,
): string | undefined {
  const heard = presence.filter(
    (hint) =>
      now - hint.at <= PRESENT_MS &&
      (whose === 'anybody' ||
        ('person' in whose ? hint.person === whose.person : hint.session === whose.session)),
  )
  const [latest] = heard
  if (latest === undefined) return undefined
  const same = heard.filter(({ at }) => latest.at - at <= SAME_WORDS_MS)
  return same.sort((a, b) => b.level_db - a.level_db || (a.room < b.room ? -1 : 1))[0]!.room
}
