/** Where somebody is, where they usually are, and in which room they are told something: E1 to E4, U1 to U3, O1 to O4. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Monotonic } from '../../../src/host/index.ts'
import {
  HALF_LIFE_MS,
  type Habit,
  habitFrom,
  habitKey,
  LEAST_TIMES,
  learned,
  MOST_ROOMS,
  usualRooms,
} from '../../../src/voice/presence/habit.ts'
import {
  type Hint,
  hear,
  MOST_HINTS,
  NOBODY,
  owned,
  PRESENT_MS,
  type Presence,
  roomOf,
  SAME_WORDS_MS,
} from '../../../src/voice/presence/presence.ts'
import { destinations } from '../../../src/voice/presence/routing.ts'
import { isPresenceTold, levelOf } from '../../../src/voice/presence/telling.ts'

const at = (ms: number): Monotonic => ms as Monotonic
const ANNA = 'anna'
const hint = (room: string, ms: number, more: Partial<Hint> = {}): Hint => ({
  ...{ session: `s-${room}`, room, level_db: -30, at: at(ms) },
  ...more,
})
const heard = (...hints: Hint[]): Presence => hints.reduce(hear, NOBODY)

describe('where somebody is', () => {
  it('is where they spoke last (E1), whatever came in which order', () => {
    const hints = [hint('kitchen', 0, { person: ANNA }), hint('office', 60_000, { person: ANNA })]
    expect(roomOf(heard(...hints), { person: ANNA }, at(61_000))).toBe('office')
    expect(roomOf(heard(...hints.reverse()), { person: ANNA }, at(61_000))).toBe('office')
  })

  it('is where the loudest microphone is that heard the same words (E1)', () => {
    const far = hint('hall', SAME_WORDS_MS, { level_db: -48 })
    const near = hint('kitchen', 0, { level_db: -22 })
    expect(roomOf(heard(near, far), 'anybody', at(2_000))).toBe('kitchen')
    const later = hint('hall', SAME_WORDS_MS + 1, { level_db: -48 })
    expect(roomOf(heard(near, later), 'anybody', at(2_000))).toBe('hall')
  })

  it('is not known after a while (E2)', () => {
    const presence = heard(hint('kitchen', 0, { person: ANNA }))
    expect(roomOf(presence, { person: ANNA }, at(PRESENT_MS))).toBe('kitchen')
    expect(roomOf(presence, { person: ANNA }, at(PRESENT_MS + 1))).toBeUndefined()
  })

  it('says nothing of a person by what somebody else said (E3)', () => {
    const presence = heard(hint('kitchen', 0, { person: ANNA }), hint('office', 5_000))
    expect(roomOf(presence, { person: ANNA }, at(6_000))).toBe('kitchen')
    expect(roomOf(presence, { session: 's-kitchen' }, at(6_000))).toBe('kitchen')
    expect(roomOf(presence, 'anybody', at(6_000))).toBe('office')
  })

  it('is bounded, and keeps the latest (E4)', () => {
    let presence = NOBODY
    for (let i = 0; i < 3 * MOST_HINTS; i += 1) presence = hear(presence, hint(`room ${i}`, i * 10))
    expect(presence).toHaveLength(MOST_HINTS)
    expect(presence[0]!.room).toBe(`room ${3 * MOST_HINTS - 1}`)
    for (let i = 0; i < 50; i += 1) presence = hear(presence, hint('kitchen', 10_000 + i))
    expect(presence.filter(({ room }) => room === 'kitchen')).toHaveLength(1)
  })

  it('is told by what nodes may tell, and nothing else', () => {
    const told = { type: 'presence.told', session: 's1', room: 'kitchen', level_db: -30 }
    expect(isPresenceTold(told)).toBe(true)
    for (const bad of [
      { ...told, room: '' },
      { ...told, level_db: 3 },
      { ...told, more: 1 },
      { ...told, session: 'a b' },
      { ...told, person: 'x'.repeat(129) },
    ])
      expect(isPresenceTold(bad)).toBe(false)
  })

  it('anything else from outside is refused, and breaks nothing', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (value, key) => {
        expect(isPresenceTold(value)).toBe(false)
        const found = habitFrom(key, value)
        expect(found === undefined || found.habit.version === 1).toBe(true)
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  it('is told with the level of the voice, not of the pause behind it', () => {
    const tone = (height: number) =>
      Int16Array.from({ length: 320 }, (_, i) => (i % 2 === 0 ? height : -height))
    const loud = Array.from({ length: 40 }, () => tone(8_192))
    const quiet = Array.from({ length: 30 }, () => tone(30))
    expect(levelOf([...loud, ...quiet])).toBeCloseTo(-12, 0)
    expect(levelOf(quiet)).toBeLessThan(-55)
    expect(levelOf([])).toBe(-90)
  })
})

describe('where somebody usually is', () => {
  const habit = (rooms: readonly string[], from = 0): Habit =>
    rooms.reduce<Habit | undefined>((known, room, i) => learned(known, room, from + i), undefined)!

  it('is learned from many utterances, not from a few (U3)', () => {
    expect(usualRooms([habit(Array(LEAST_TIMES - 1).fill('office'))], 10)).toEqual([])
    const times = [...Array(9).fill('office'), ...Array(5).fill('kitchen'), 'hall']
    expect(usualRooms([habit(times)], 20)).toEqual(['office', 'kitchen'])
  })

  it('follows a new habit, and forgets the old one (U1)', () => {
    let known = habit(Array(20).fill('office'))
    for (let day = 1; day <= 28; day += 1) known = learned(known, 'kitchen', (day * HALF_LIFE_MS) / 14)
    expect(usualRooms([known], 2 * HALF_LIFE_MS)[0]).toBe('kitchen')
    expect(usualRooms([known], 20 * HALF_LIFE_MS)).toEqual([])
  })

  it('is the sum of what the nodes learned, in any order (U2)', () => {
    const parts = [habit(['office', 'office']), habit(['office', 'hall']), habit(['hall'])]
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: 3 }), (some) => {
        expect(usualRooms(some, 5)).toEqual(usualRooms(parts, 5))
      }),
      { seed: 7, numRuns: 20 },
    )
    // Two and one, less the half second in which it was forgotten.
    expect(usualRooms([...parts, habit(['office'], 6)], 6)).toEqual(['office'])
  })

  it('is a small record that anybody can check', () => {
    let known: Habit | undefined
    for (let i = 0; i < 100; i += 1) known = learned(known, `room ${i}`, i)
    expect(Object.keys(known!.rooms)).toHaveLength(MOST_ROOMS)
    expect(known!.rooms).toHaveProperty(['room 99'])
    expect(habitFrom(habitKey(ANNA, 'a'), known)).toEqual({ person: ANNA, node: 'a', habit: known })
    for (const bad of [
      { ...known, more: 1 },
      { ...known, at: -1 },
      null,
      'x',
      { ...known, rooms: { a: -1 } },
    ])
      expect(habitFrom(habitKey(ANNA, 'a'), bad)).toBeUndefined()
    expect(habitFrom('anna', known)).toBeUndefined()
  })

  it('does not grow by a clock that was set back', () => {
    const known = learned(habit(Array(5).fill('office'), HALF_LIFE_MS), 'office', 0)
    expect(known.rooms.office).toBeLessThanOrEqual(6)
  })
})

describe('in which room something is said', () => {
  const presence = heard(
    hint('kitchen', 0, { session: 'dinner', person: ANNA }),
    hint('living room', 30_000, { session: 'other', person: ANNA }),
    hint('hall', 60_000, { session: 'guest' }),
  )
  const owners = owned(owned([], { session: 'dinner', person: ANNA }), {
    session: 'guest',
    person: undefined,
  })
  const told = (what: { session?: string; room?: string; whose?: string }, ms = 90_000) =>
    destinations(what, { presence, owners, now: at(ms), usual: () => ['office'] })

  it('is the room that was named (O1)', () => {
    expect(told({ room: 'office' })[0]).toEqual({ room: 'office' })
  })

  it('is everywhere for what is for everybody', () => {
    expect(told({})).toEqual(['everybody'])
    // Unless it is somebody's, and they are known to be somewhere.
    expect(told({ whose: 'dinner' })).toEqual([{ room: 'living room' }, 'everybody'])
    expect(told({ whose: 'dinner' }, PRESENT_MS * 3)).toEqual(['everybody'])
  })

  it('is where the person of the conversation was heard last (O2), then where they asked for it (O3)', () => {
    expect(told({ session: 'dinner', room: 'kitchen' })).toEqual([
      { room: 'living room' },
      'conversation',
      { room: 'kitchen' },
      { room: 'hall' },
      { room: 'office' },
      'everybody',
    ])
  })

  it("is the room of a conversation that is nobody's, whoever else speaks (O3)", () => {
    expect(told({ session: 'unknown', room: 'kitchen' }).slice(0, 2)).toEqual([
      'conversation',
      { room: 'kitchen' },
    ])
  })

  it('is where that person usually is when nobody was heard for a while (O4)', () => {
    expect(told({ session: 'dinner', room: 'kitchen' }, PRESENT_MS * 3)).toEqual([
      'conversation',
      { room: 'kitchen' },
      { room: 'office' },
      'everybody',
    ])
  })
})
