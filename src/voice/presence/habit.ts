/**
 * In which rooms a person usually speaks: a number for each room, one more for each utterance, half of it gone in HALF_LIFE_MS. Pure.
 *
 * U1  What was learned long ago counts less than what was learned lately, and is forgotten in the end.
 * U2  Of what several nodes learned the sum counts, in whatever order it came; each writes its own only.
 * U3  A few utterances are no habit.
 * U4  It is kept of those alone who agreed that their conversations are kept (`persistent`), and goes when they withdraw that.
 */
import { z } from 'zod'

export const HABITS = 'habits'

/** A new job, a new baby, a new chair: after a month the old habit is a quarter of what it was. */
export const HALF_LIFE_MS = 14 * 24 * 3_600_000
/** Utterances, less what was forgotten of them: fewer say nothing. */
export const LEAST_TIMES = 3
/** Rooms of a house in which one person speaks. */
export const MOST_ROOMS = 16
/** What is left of one utterance after two months. */
const FORGOTTEN = 0.05

export const habitSchema = z.strictObject({
  version: z.literal(1),
  rooms: z
    .record(z.string().min(1).max(64), z.number().min(0).max(1e9))
    .refine((rooms) => Object.keys(rooms).length <= MOST_ROOMS),
  /** The time to which the numbers are reckoned, ms since 1970. */
  at: z.number().min(0).max(8.64e15),
})
export type Habit = Readonly<z.infer<typeof habitSchema>>

export const habitKey = (person: string, node: string): string => `${person}@${node}`

/** Undefined: no node wrote that. */
export function habitFrom(
  key: string,
  value: unknown,
): { readonly person: string; readonly node: string; readonly habit: Habit } | undefined {
  const cut = key.lastIndexOf('@')
  const read = habitSchema.safeParse(value)
  if (cut <= 0 || !read.success) return undefined
  return { person: key.slice(0, cut), node: key.slice(cut + 1), habit: read.data }
}

/** One more utterance in that room. `now`: ms since 1970; a clock that was set back makes nothing grow. */
export function learned(habit: Habit | undefined, room: string, now: number): Habit {
  const rooms = new Map(habit === undefined ? [] : timesAt(habit, now))
  const times = (rooms.get(room) ?? 0) + 1
  rooms.delete(room)
  // The room itself is never what has no place.
  const others = [...rooms]
    .filter(([, each]) => each >= FORGOTTEN)
    .sort(order)
    .slice(0, MOST_ROOMS - 1)
  return { version: 1, rooms: Object.fromEntries([[room, times], ...others]), at: now }
}

/** The rooms in which they usually speak, the usual one first. */
export function usualRooms(habits: readonly Habit[], now: number): readonly string[] {
  const sum = new Map<string, number>()
  for (const habit of habits)
    for (const [room, times] of timesAt(habit, now)) sum.set(room, (sum.get(room) ?? 0) + times)
  return [...sum]
    .filter(([, times]) => times >= LEAST_TIMES)
    .sort(order)
    .map(([room]) => room)
}

const timesAt = ({ rooms, at }: Habit, now: number): readonly (readonly [string, number])[] => {
  const left = 0.5 ** (Math.max(0, now - at) / HALF_LIFE_MS)
  return Object.entries(rooms).map(([room, times]) => [room, times * left] as const)
}

const order = (a: readonly [string, number], b: readonly [string, number]): number =>
  b[1] - a[1] || (a[0] < b[0] ? -1 : 1)
