import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { compileGrammar, compileWithSkills, GrammarError, read } from '../../../src/skills/intents/index.ts'
import { house, houseSources } from './house.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

const lexicon = {
  file: 'lexicon.yaml',
  content: { types: { room: { kitchen: [], hall: ['hallway'] } }, rules: { on: '(turn on|switch on)' } },
}

/** A grammar of the lexicon above and one file with these intents. */
const compile = (intents: unknown) =>
  compileGrammar([lexicon, { file: 'skill.yaml', content: { name: 'x', intents } }])

function problem(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof GrammarError) return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('compiling', () => {
  it('gives the same grammar for the same sources', () => {
    const again = compileGrammar(houseSources())
    expect(again.statistics).toEqual(house.statistics)
    expect(again.patterns).toEqual(house.patterns)
  })

  it('counts what it compiled', () => {
    expect(house.statistics.intents).toBeGreaterThan(50)
    expect(house.statistics.patterns).toBeGreaterThan(house.statistics.templates)
    expect(house.statistics.vocabulary).toBeGreaterThanOrEqual(150)
  })

  it('gives a slot without declaration the type of its name, and a synonym its value', () => {
    const grammar = compile({ 'light.on': { templates: ['<on> the {room} light'] } })
    expect(read(grammar, 'switch on the hallway light').intent.slots).toEqual({ room: 'hall' })
  })

  it('takes what asks for confirmation, or is risky, from exact sentences only', () => {
    const grammar = compile({
      'gate.open': { risk: 'high', templates: ['open the big gate'] },
      'gate.close': { templates: ['close the big gate'] },
      'list.burn': { confirm: 'Really?', templates: ['burn the whole list'] },
    })
    expect(read(grammar, 'open the big gate').intent.name).toBe('gate.open')
    expect(read(grammar, 'open big gate').intent.name).toBe('none')
    expect(read(grammar, 'close big gate').intent.name).toBe('gate.close')
    expect(read(grammar, 'burn whole list').intent.name).toBe('none')
  })

  it('refuses a damaged text that two intents fit equally well', () => {
    const grammar = compile({
      'a.b': { templates: ['paint the nice garden fence'] },
      'c.d': { templates: ['paint the nice garden wall'] },
    })
    expect(read(grammar, 'paint the nice garden').intent.name).toBe('none')
    expect(read(grammar, 'paint nice garden wall').intent.name).toBe('c.d')
  })
})

describe('several sources', () => {
  const skill = (file: string, templates: string[]) => ({
    file,
    content: { intents: { [`${file.replace('.yaml', '')}.go`]: { templates } } },
  })

  it('share no sentence in the house as it ships', () => {
    expect(house.conflicts).toEqual([])
  })

  it('are understood by their order where they share one, and say so', () => {
    const grammar = compileGrammar([
      lexicon,
      skill('first.yaml', ['<on> the {room} fan']),
      skill('second.yaml', ['turn on the kitchen fan', 'turn on the {room} fan']),
    ])
    expect(read(grammar, 'turn on the kitchen fan').intent.name).toBe('first.go')
    expect(grammar.conflicts).toEqual([
      { form: 'turn on the {room} fan', intents: ['first.go', 'second.go'] },
    ])
  })

  it('of skills are left out when they cannot be compiled, and keep nothing else from being understood', () => {
    const { grammar, refused } = compileWithSkills(
      [lexicon],
      [
        skill('good.yaml', ['do good']),
        skill('bad.yaml', ['do (bad']),
        skill('odd.yaml', ['<nothing>']),
        skill('late.yaml', ['come late']),
      ],
    )
    expect(refused.map((error) => error.file)).toEqual(['bad.yaml', 'odd.yaml'])
    expect(read(grammar, 'do good').intent.name).toBe('good.go')
    expect(read(grammar, 'come late').intent.name).toBe('late.go')
  })

  it('of the house must be compilable', () => {
    expect(() => compileWithSkills([skill('bad.yaml', ['do (bad'])], [])).toThrow(GrammarError)
  })

  it('of any shape are compiled or refused by name', () => {
    const shaped = fc.record(
      {
        types: fc.dictionary(
          fc.string({ maxLength: 4 }),
          fc.dictionary(fc.string({ maxLength: 6 }), fc.array(fc.string({ maxLength: 6 }))),
        ),
        rules: fc.dictionary(
          fc.constantFrom('a', 'b', 'c'),
          fc.constantFrom('<a> x', '<b>', '(x|y) <c>', '[z', 'z'),
        ),
        intents: fc.dictionary(
          fc.constantFrom('a.b', 'a.c', 'x'),
          fc.record({
            templates: fc.array(
              fc.string({
                unit: fc.constantFrom('a', 'b', ' ', '(', ')', '[', ']', '|', '<', '>', '{', '}', 'room'),
              }),
            ),
          }),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(shaped, fc.anything()), (content) => {
        try {
          compileGrammar([lexicon, { file: 'any.yaml', content }])
        } catch (error) {
          expect(error).toBeInstanceOf(GrammarError)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a source that cannot be compiled is named, with the place', () => {
  it.each<[string, unknown, RegExp]>([
    ['unknown key', { 'a.b': { templates: ['x'], tempaltes: [] } }, /skill\.yaml: intents › a\.b/],
    ['no templates', { 'a.b': { templates: [] } }, /skill\.yaml: intents › a\.b › templates/],
    ['bad name', { lights: { templates: ['x'] } }, /skill\.yaml: intents › lights/],
    ['unknown rule', { 'a.b': { templates: ['<off> it'] } }, /skill\.yaml: a\.b, template "<off> it".*<off>/],
    ['unclosed group', { 'a.b': { templates: ['turn (on'] } }, /a\.b, template "turn \(on".*position 8/],
    ['undeclared slot', { 'a.b': { templates: ['paint it {colour}'] } }, /a\.b.*\{colour\} is not declared/],
    [
      'unknown type',
      { 'a.b': { slots: { c: { type: 'colour' } }, templates: ['x'] } },
      /slot c has the unknown type colour/,
    ],
    [
      'too many forms',
      { 'a.b': { templates: ['(a|b|c|d) (a|b|c|d) (a|b|c|d) (a|b|c|d) (a|b|c|d) x'] } },
      /sentence forms/,
    ],
    ['not an object', 'lights', /skill\.yaml: intents/],
  ])('%s', (_, intents, message) => expect(problem(() => compile(intents))).toMatch(message))

  it('a thing defined twice', () => {
    const twice = { file: 'b.yaml', content: { intents: { 'a.b': { templates: ['x'] } } } }
    expect(problem(() => compileGrammar([twice, { ...twice, file: 'c.yaml' }]))).toBe(
      'c.yaml: intent a.b is defined twice',
    )
    expect(problem(() => compileGrammar([lexicon, lexicon]))).toBe('lexicon.yaml: type room is defined twice')
  })

  it('a spoken form that stands for two values', () => {
    const content = { types: { room: { hall: ['corridor'], passage: ['corridor'] } } }
    expect(problem(() => compileGrammar([{ file: 'l.yaml', content }]))).toMatch(
      /"corridor" stands for both hall and passage/,
    )
  })

  it.each([[null], [[]], [42], ['text'], [undefined]])('a file that holds %j', (content) => {
    expect(problem(() => compileGrammar([{ file: 'odd.yaml', content }]))).toMatch(/^odd\.yaml: /)
  })
})
