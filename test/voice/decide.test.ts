/** Promised: what the language model guessed can do no harm before the person said yes to their own words. */
import { describe, expect, it } from 'vitest'
import { monotonic, sessionId } from '../../src/host/index.ts'
import type { Intent } from '../../src/skills/index.ts'
import { decideGuess } from '../../src/voice/decide.ts'
import { newConversation } from '../../src/voice/turn.ts'
import { understandingOf } from '../../src/voice/understanding.ts'
import { houseGrammar } from './house.ts'

const { conversation } = newConversation(sessionId('s'), 'kitchen')
const guessed = (intent: Intent, text: string) =>
  decideGuess(intent, text, {
    understanding: understandingOf(houseGrammar(), ['door', 'list']),
    conversation,
    now: monotonic(1_000),
    answer_ms: 8_000,
  } as Parameters<typeof decideGuess>[2])

describe('a guess', () => {
  it('of what can do harm is put to the person', () => {
    const unlock: Intent = { name: 'door.unlock', slots: { door: 'front door' } }
    expect(guessed(unlock, 'get the front door unlocked')).toEqual({
      kind: 'say',
      intent: unlock,
      speech: 'I heard: get the front door unlocked. Shall I do that?',
      expecting: { kind: 'confirm', intent: unlock, until: 9_000 },
    })
  })

  it('that lacks something is asked for it first', () => {
    expect(guessed({ name: 'door.unlock', slots: {} }, 'unlock it')).not.toMatchObject({ kind: 'act' })
  })

  it('of anything else is carried out', () => {
    expect(guessed({ name: 'door.lock', slots: {} }, 'see to the doors')).toMatchObject({ kind: 'act' })
  })
})
