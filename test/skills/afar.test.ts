import { describe, expect, it } from 'vitest'
import { isInvokeFromAfar } from '../../src/skills/index.ts'

const invoke = {
  ...{ type: 'skill.invoke', session: 's', room: 'kitchen', confirmed: false },
  intent: { name: 'timer.set', slots: { duration: 60, item: ['a', 'b'], name: 'tea' } },
}

describe('what another node may say to a skill', () => {
  it('is to carry out an intent', () => {
    expect(isInvokeFromAfar(invoke)).toBe(true)
  })

  it.each([
    ['a timer', { type: 'timer.due', timer: 't' }],
    ['the household', { type: 'house', nodes: [], caught_up: true }],
    [
      'what the store tells',
      { type: 'outcome', id: 'state', event: 'chunk', body: { whole: true, changes: [] } },
    ],
    ['an intent of no name', { ...invoke, intent: { slots: {} } }],
    ['slots that are no values', { ...invoke, intent: { name: 'a.b', slots: { deep: { er: 1 } } } }],
    [
      'a thousand slots',
      {
        ...invoke,
        intent: {
          name: 'a.b',
          slots: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`s${i}`, 1])),
        },
      },
    ],
    ['a long text', { ...invoke, intent: { name: 'a.b', slots: { text: 'x'.repeat(100_000) } } }],
    ['more than it asks for', { ...invoke, extra: 1 }],
  ])('is not %s', (_, message) => {
    expect(isInvokeFromAfar(message)).toBe(false)
  })
})
