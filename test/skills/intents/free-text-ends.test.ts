/** A sentence that is listed is complete at its end, although words that may be anything could go on from there. */
import { expect, it } from 'vitest'
import { compileGrammar, read } from '../../../src/skills/intents/index.ts'

const grammar = compileGrammar([
  {
    file: 'test.yaml',
    content: {
      types: { item: { values: ['milk', 'bread'] } },
      intents: {
        'list.add': {
          slots: { item: { type: 'item' } },
          templates: ['add {item} to the shopping list'],
        },
        'todo.add': {
          slots: { text: { type: 'text' } },
          templates: ['add {text} to my to do list', 'note that {text}'],
        },
      },
    },
  },
])

it('what is listed does not wait for free words', () => {
  expect(read(grammar, 'add milk to the shopping list')).toMatchObject({
    intent: { name: 'list.add' },
    complete: true,
    extendable: 'no',
  })
})

it('free words wait for more of them', () => {
  const reading = read(grammar, 'note that the plumber comes')
  expect(reading).toMatchObject({ intent: { name: 'todo.add' }, complete: true })
  expect(reading.extendable).not.toBe('no')
})
