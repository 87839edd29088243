/** A conversation that moves: what it remembers comes out as it went in, by the clock of the other node; what may not leave does not. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Monotonic, sessionId, type Wall } from '../../src/host/index.ts'
import { carry, type Talk, talkOf, unpacked } from '../../src/voice/carried.ts'
import { formerCarried, type UnderWay } from '../../src/voice/carried-shape.ts'
import { newConversation } from '../../src/voice/turn.ts'
import type { Conversation, Left } from '../../src/voice/turn-state.ts'

const fresh = newConversation(sessionId('walk'), 'kitchen')
const intent = {
  name: 'timer.set',
  slots: { name: 'tea', seconds: 300, items: ['a', 'b'] },
} as unknown as NonNullable<Conversation['last']>
const talk = (
  conversation: Partial<Conversation>,
  more: Partial<Talk> = {},
): Talk & { waiting: readonly unknown[] } => ({
  startedAt: 1_764_000_000_000 as Wall,
  turn: {
    ...fresh,
    ...(more.person === undefined ? {} : { person: more.person }),
    ...{ turns: 3, guesses: 1, conversation: { ...fresh.conversation, ...conversation } },
  },
  scope: 'session',
  waiting: [],
  ...more,
})

it('comes out as it went in, an open question with what is left of its time', () => {
  const until = 5_000 as Monotonic
  const state = talk(
    {
      last: intent,
      lastReply: 'For how long?',
      expecting: { kind: 'slot', intent, slot: 'duration', until },
    },
    { scope: 'persistent', person: 'p1' },
  )
  const moved = unpacked(structuredClone(carry(state, 4_000)), 900_000)
  expect(moved.turn.conversation).toEqual({
    ...state.turn.conversation,
    expecting: { kind: 'slot', intent, slot: 'duration', until: 901_000 },
  })
  const { waiting: _, ...kept } = state
  expect({ ...moved, turn: { ...moved.turn, conversation: kept.turn.conversation } }).toEqual(kept)
})

const left: Left = {
  ...{ turn: 3, sentences: ['One.', 'Two.'], ends: [16_000], from: 4_000, samples: 8_000 },
  ...{ ahead: Int16Array.of(1, -2, 3), until: 9_000 as Monotonic },
}
const unsaid: UnderWay = {
  ...{ turn: 3, transcript: 'count', intent: { name: 'count', slots: {} } },
  ...{ confirmed: false, reply: 'One. Two.', ends: [16_000], samples: 0 },
}

it('brings a reply that was broken off, one that nobody heard to its end, and where it is bound for', () => {
  const plain = talk({}, { unsaid, former: 'satellite-1', away: { room: 'attic', satellite: 'satellite-2' } })
  const state = { ...plain, turn: { ...plain.turn, left } }
  const { waiting: _, ...kept } = state
  const moved = unpacked(structuredClone(carry(state, 4_000)), 900_000)
  // Its next loudspeaker begins where the last one was.
  const there = { ...left, from: 8_000, until: 905_000 }
  expect(moved).toEqual({ ...kept, turn: { ...kept.turn, left: there } })
})

it('what is kept for when its node is lost holds no sound and no way', () => {
  const plain = talk({}, { former: 'satellite-1', away: { room: 'attic' } })
  const head = talkOf({ ...plain, turn: { ...plain.turn, left } }, unsaid, 0)
  expect(head).toMatchObject({ under_way: unsaid, left: null, away: null, former: null })
})

it('is read as version 1 had it', () => {
  const { under_way: _, left: __, away: ___, former: ____, ...former } = carry(talk({ last: intent }), 0)!
  expect(() => unpacked(former, 0)).toThrow(/cannot be read/)
  const { waiting: _____, ...kept } = talk({ last: intent })
  expect(unpacked(formerCarried(former), 0)).toEqual(kept)
})

it('does not leave in the middle of a turn, with somebody at its microphone, or when it is ephemeral', () => {
  expect(carry(talk({}), 0)).toBeDefined()
  expect(carry(talk({}, { scope: 'ephemeral' }), 0)).toBeUndefined()
  expect(carry({ ...talk({}), waiting: ['a text'] }, 0)).toBeUndefined()
  const plain = talk({})
  expect(carry({ ...plain, turn: { ...plain.turn, satellite: 'satellite-1' } }, 0)).toBeUndefined()
  const acting = { name: 'acting', turn: {} } as unknown as Talk['turn']['phase']
  expect(carry({ ...plain, turn: { ...plain.turn, phase: acting } }, 0)).toBeUndefined()
})

it('nothing but what a conversation gives is taken for one', () => {
  const good = carry(talk({ last: intent }), 0)!
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(good)), fc.anything(), (key, value) => {
      try {
        const state = unpacked({ ...good, [key]: value }, 0)
        expect(state.scope).not.toBe('ephemeral')
        expect(carry({ ...state, waiting: [] }, 0)).toEqual({ ...good, [key]: value })
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'invalid-input' })
      }
    }),
    { numRuns: 1_000, seed: 6 },
  )
  for (const other of [null, 7, 'walk', [], {}, { ...good, more: 1 }])
    expect(() => unpacked(other, 0)).toThrow(/cannot be read/)
})
