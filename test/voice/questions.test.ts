/** Questions a skill puts without having been asked: a yes or a no reaches it, silence and anything else do not; whose conversation it is goes along. */
import { describe, expect, it } from 'vitest'
import type { Effect } from '../../src/actors/index.ts'
import { monotonic, sessionId } from '../../src/host/index.ts'
import type { Intent, SkillInvoke } from '../../src/skills/index.ts'
import { newConversation, turn } from '../../src/voice/turn.ts'
import type { TurnState } from '../../src/voice/turn-state.ts'
import { turnOptions } from './stage.ts'

const ASKS: Intent = { name: 'timer.-question', slots: { id: 'tea', yes: 1 } }
const options = turnOptions()

function asked(): TurnState {
  const begun = newConversation(sessionId('s'), 'kitchen', 'anna')
  const input = { type: 'announcement', from: 1, speech: 'Shall I make tea?', asks: ASKS } as const
  return turn(begun, input, options, monotonic(1_000)).state
}
function said(text: string, after_ms = 1_000): SkillInvoke | undefined {
  const input = { type: 'text', text, replyTo: undefined } as const
  const { effects } = turn(asked(), input, options, monotonic(1_000 + after_ms))
  const ask = effects.find((effect): effect is Extract<Effect, { type: 'ask' }> => effect.type === 'ask')
  return ask?.message as SkillInvoke | undefined
}

describe('a question put unasked', () => {
  it.each([
    ['yes', 1],
    ['no', 0],
  ])('is answered by %s', (word, yes) => {
    expect(said(word)).toMatchObject({
      intent: { name: 'timer.-question', slots: { id: 'tea', yes } },
      confirmed: true,
      person: 'anna',
    })
  })

  it('is not answered when the time for it is over', () => {
    expect(said('yes', 2 * options.waits.answer_ms + 1)).toBeUndefined()
  })

  it('is not answered by something else', () => {
    expect(said('what time is it')?.intent.name).not.toBe('timer.-question')
  })
})

describe('an open question', () => {
  it('is closed by what is announced after it: a yes to that is no yes to the question', () => {
    const after = turn(
      asked(),
      { type: 'announcement', from: 2, speech: 'Would you like some music?' },
      options,
      monotonic(1_500),
    ).state
    expect(asked().conversation.expecting).toMatchObject({ kind: 'confirm' })
    expect(after.conversation.expecting).toBeUndefined()
  })
})
