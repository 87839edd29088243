import { describe, expect, it } from 'vitest'
import { read, sayIntent, sayUnhandled } from '../../../src/skills/intents/index.ts'
import { house } from './house.ts'

describe('an intent in words', () => {
  it.each([
    ['kitchen lights on', 'turn on the kitchen lights'],
    ['lights off', 'turn off the lights'],
    ['timer for 90 minutes', 'set a timer for one hour and thirty minutes'],
    ['buy milk and bread', 'add milk and bread to the list'],
    ['is it going to rain tomorrow', 'what is the weather'],
    ['volume 25', 'set the volume to twenty five'],
    ["i'm home", 'I am home'],
  ])('%s → %s', (text, words) => expect(sayIntent(house, read(house, text).intent)).toBe(words))

  it('reads back as the same intent', () => {
    for (const pattern of house.patterns) {
      if (pattern.negative || pattern.tokens.some((token) => token.kind === 'slot')) continue
      const intent = { name: pattern.intent, slots: {} }
      expect(read(house, sayIntent(house, intent)!).intent, pattern.intent).toEqual(intent)
    }
  })

  it('is said honestly when nothing can do it', () => {
    expect(sayUnhandled(house, { name: 'light.on', slots: { room: 'kitchen' } })).toBe(
      'I understood: turn on the kitchen lights. Nothing here can do that yet.',
    )
    expect(sayUnhandled(house, { name: 'gone.away', slots: {} })).toBe(
      'I understood you, but nothing here can do that yet.',
    )
  })
})
