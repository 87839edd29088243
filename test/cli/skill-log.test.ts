import { describe, expect, it } from 'vitest'
import { exampleOf, logText } from '../../src/cli/skill-log.ts'

const record = { skill: 'pets', entry: 'handle', ms: 1.26, speech: 'The cat is out.', changes: [] }
const input = JSON.stringify({ intent: 'pets.out', slots: { pet: 'cat' } })

describe('a call in the log of a skill', () => {
  it('shows what was asked, how long it took, what was said, what was changed', () => {
    const changes = [
      { change: 'put', key: 'cat', value: '1' },
      { change: 'log', level: 'warn', message: 'far away' },
    ]
    expect(logText({ ...record, input, changes }, false)).toBe(
      'pets.out pet="cat"  1.3 ms  “The cat is out.”\n  put {"key":"cat","value":"1"}\n  warn: far away\n',
    )
  })

  it('shows why it failed, what rang, what was heard', () => {
    const error = { code: 'skill-trapped', message: 'it threw' }
    expect(logText({ ...record, input, error }, false)).toBe('pets.out pet="cat"  skill-trapped: it threw\n')
    const due = { ...record, entry: 'due', input: '{"timer":"tea"}', speech: '' }
    expect(logText(due, false)).toBe('due tea  1.3 ms\n')
    const heard = { ...record, entry: 'heard', input: '{"id":"one","of":"http"}', speech: '' }
    expect(logText(heard, false)).toBe('heard http one  1.3 ms\n')
    expect(logText({ ...due, input: 'no json' }, false)).toContain('due undefined')
  })

  it('keeps a line a line', () => {
    const long = logText({ ...record, input, speech: 'x'.repeat(500) }, true)
    expect(long.length).toBeLessThan(200)
    expect(long.endsWith('\n')).toBe(true)
  })
})

describe('a sentence to try', () => {
  it.each([
    [['the {pet} went out'], 'the cat went out'],
    [['(a|another) {pet} is [right] here'], 'a cat is here'],
    [['<set> a timer', 'tea for {duration}'], 'tea for five minutes'],
    [['<set> a timer'], ''],
  ])('is made of %s', (templates, sentence) => {
    const slots = { pet: { type: 'pet' }, duration: { type: 'duration' } }
    expect(
      exampleOf({ types: { pet: { cat: [], dog: [] } }, intents: { 'x.y': { templates, slots } } }),
    ).toBe(sentence)
  })

  it('is none for a skill without intents', () => {
    expect(exampleOf({ intents: {} })).toBe('')
  })
})
