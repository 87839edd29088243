import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { answerSchema, interpretAnswer, languageSide, read } from '../../../src/skills/intents/index.ts'
import { house } from './house.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

const { prompt, interpret } = languageSide(house)
const asked = (text: string) => prompt(text, read(house, text))?.prompt
const said = (intent: string, slots: unknown, text: string) =>
  interpret(JSON.stringify({ intent, slots }), text)

describe('what the model is asked', () => {
  it.each([
    ['Could you put a timer on for 5 minutes?', ' could you put a timer on for five minutes\n'],
    ["I'd like the TV off", " i'd like the television off\n"],
    ['dim it to 20%', ' dim it to twenty percent\n'],
  ])('%s', (text, expected) => expect(asked(text)).toBe(expected))

  it.each([
    '',
    '🙂',
    '<unk> the lights',
    'colourless green ideas sleep furiously',
    'set a timer '.repeat(1000),
  ])('nothing about %j', (text) => expect(asked(text)).toBeUndefined())

  it('is bound to the intents there are', () => {
    const schema = answerSchema(house) as { properties: { intent: { enum: string[] } } }
    expect(schema.properties.intent.enum).toEqual([...house.intents.keys(), 'none'])
  })
})

describe('what its answer is worth', () => {
  it.each([
    ['timer.set', { duration: 'five minutes' }, 'put a timer on for five minutes', { duration: 300 }],
    ['timer.set', { duration: '5 minutes' }, 'put a timer on for 5 minutes', { duration: 300 }],
    ['light.set', { level: 'twenty percent' }, 'lights at twenty percent', { level: 20 }],
    ['light.set', { level: 20 }, 'lights at twenty percent', { level: 20 }],
    ['light.on', { room: 'the kitchen' }, 'i would like the kitchen bright', { room: 'kitchen' }],
    ['light.on', { room: 'kitchn' }, 'i would like the kitchn bright', { room: 'kitchen' }],
    ['timer.cancel', { name: 'eggs' }, 'forget the eggs timer', { name: 'egg' }],
    [
      'list.add',
      { item: ['milk', 'dog food'] },
      'we ran out of milk and dog food',
      { item: ['milk', 'dog food'] },
    ],
    ['list.add', { item: 'milk' }, 'we ran out of milk', { item: ['milk'] }],
    ['list.add', { item: ['green olives'] }, 'we ran out of green olives', { item: ['green olives'] }],
  ])('%s %j for "%s"', (intent, slots, text, canonical) => {
    expect(said(intent, slots, text)).toEqual({ name: intent, slots: canonical })
  })

  it.each([
    ['timer.set', { duration: 'thirty minutes' }, 'buzz after thirty three minutes', { duration: 1980 }],
    ['timer.set', {}, 'my pasta needs twenty one minutes', { duration: 1260, name: 'pasta' }],
    [
      'timer.remind',
      { task: 'garden' },
      'in an hour i must water the garden',
      { duration: 3600, task: 'water the garden' },
    ],
    [
      'list.add',
      { item: ['milk', 'juice'] },
      'put sugar milk and paper towels there',
      { item: ['sugar', 'milk', 'paper towels'] },
    ],
    ['opening.open', { room: 'garage' }, 'get the garage door up', { opening: 'garage door' }],
    ['session.answer', { name: 'eggs' }, 'the one for the eggs', { name: 'egg' }],
    ['session.answer', { item: 'eggs' }, 'the one for the eggs', { item: 'eggs' }],
  ])('believes the text, not the copy: %s %j for "%s"', (intent, slots, text, canonical) => {
    expect(said(intent, slots, text)).toEqual({ name: intent, slots: canonical })
  })

  it('leaves open which of two rooms is meant, unless the model says', () => {
    const text = 'in the kitchen it should be as bright as in the office'
    expect(said('light.on', {}, text)?.slots).toEqual({})
    expect(said('light.on', { room: 'kitchen' }, text)?.slots).toEqual({ room: 'kitchen' })
  })

  it.each([
    ['a slot the intent does not have', 'light.on', { colour: 'red' }, 'make it red'],
    ['a value nobody said', 'light.on', { room: 'kitchen' }, 'make some light in here'],
    ['a room there is not', 'light.on', { room: 'attic' }, 'make some light in the attic'],
    ['a duration that is none', 'timer.set', { duration: 'a while' }, 'put a timer on for a while'],
    ['a number that is none', 'volume.set', { level: 'very loud' }, 'make it very loud'],
    ['a name of every object', 'light.on', { __proto__: 'x', constructor: 'y' }, 'x y'],
  ])('leaves out %s', (_, intent, slots, text) => {
    expect(said(intent, slots, text)).toEqual({ name: intent, slots: {} })
  })

  it.each([
    ['none', '{"intent":"none","slots":{}}'],
    ['an unknown intent', '{"intent":"house.explode","slots":{}}'],
    ['an intent of every object', '{"intent":"constructor","slots":{}}'],
    ['a cut answer', '{"intent":"timer.set","slots":{"duration":"five'],
    ['no object', '"timer.set"'],
    ['no JSON', 'timer.set'],
    ['nothing', ''],
    ['slots of the wrong shape', '{"intent":"timer.set","slots":[["five minutes"]]}'],
    ['an endless answer', `{"intent":"timer.set","slots":{}}${' '.repeat(5000)}`],
  ])('takes %s for not understood', (_, answer) => expect(interpret(answer, 'five minutes')).toBeUndefined())

  it('never throws and never invents an intent or a slot', () => {
    const json = fc.json({ maxDepth: 3 })
    const shaped = fc.record({
      intent: fc.constantFrom(...house.intents.keys(), 'none', ''),
      slots: fc.dictionary(
        fc.constantFrom('room', 'item', 'duration', 'level', 'x'),
        fc.jsonValue({ maxDepth: 2 }),
      ),
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          json,
          shaped.map((value) => JSON.stringify(value)),
        ),
        fc.string(),
        (answer, text) => {
          const intent = interpretAnswer(house, answer, text)
          if (intent === undefined) return
          const slots = house.intents.get(intent.name)!.slots
          for (const slot of Object.keys(intent.slots)) expect(slots.has(slot)).toBe(true)
        },
      ),
      { numRuns: 5000 },
    )
  })
})
