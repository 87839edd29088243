/** Whose conversation is meant by who speaks in another room: the latest of the same person, and nobody's when it is unclear. */
import { describe, expect, it } from 'vitest'
import { commonTalk, nearestTalk, type TalkRow, UNCLEAR_MS } from '../../src/voice/neighbours.ts'

const last = { name: 'timer.set', slots: { duration: 300 } }
const talk = (session: string, heard_ms: number, more: Partial<TalkRow> = {}): TalkRow => ({
  ...{ session, room: 'kitchen', heard_ms, speaking: false, can_go_on: false, last },
  ...more,
})
const here = { session: 'here' }

describe('a follow-up', () => {
  it('follows what was said last, never itself', () => {
    const rows = [talk('old', 40_000), talk('new', 2_000), talk('here', 0)]
    expect(commonTalk(here, rows)?.session).toBe('new')
    expect(commonTalk(here, rows.toReversed())?.session).toBe('new')
    expect(commonTalk(here, [talk('here', 0)])).toBeUndefined()
  })

  it('follows nothing when two conversations were had at the same time', () => {
    expect(commonTalk(here, [talk('a', 1_000), talk('b', 1_000 + UNCLEAR_MS - 1)])).toBeUndefined()
    expect(commonTalk(here, [talk('a', 1_000), talk('b', 1_000 + UNCLEAR_MS)])?.session).toBe('a')
    const { last: _, ...silent } = talk('b', 0)
    expect(commonTalk(here, [talk('a', 1_000), silent])?.session).toBe('a')
  })

  it("is not taken into another person's conversation", () => {
    const rows = [talk('hers', 0, { person: 'anna' })]
    expect(commonTalk(here, rows)).toBeUndefined()
    expect(commonTalk({ ...here, person: 'ben' }, rows)).toBeUndefined()
    expect(commonTalk({ ...here, person: 'anna' }, rows)?.session).toBe('hers')
  })
})

it('what speaks comes along first, then what was interrupted, then what was said last', () => {
  const rows = [talk('said', 10), talk('broken', 9_000, { can_go_on: true })]
  expect(nearestTalk(here, rows)?.session).toBe('broken')
  expect(nearestTalk(here, [...rows, talk('speaks', 0, { speaking: true })])?.session).toBe('speaks')
  expect(nearestTalk(here, rows.slice(0, 1))?.session).toBe('said')
  expect(nearestTalk(here, [])).toBeUndefined()
})
