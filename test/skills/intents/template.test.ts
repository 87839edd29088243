import { describe, expect, it } from 'vitest'
import {
  expandRules,
  formatTemplate,
  MAX_TEMPLATE_NESTING,
  parseTemplate,
  sample,
  slotNames,
  TemplateError,
  type TemplateNode,
} from '../../../src/skills/intents/template.ts'

function failure(run: () => unknown): TemplateError {
  try {
    run()
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** All sentences a template can say, by walking every answer `pick` can give. */
function sentences(template: TemplateNode): string[] {
  const found = new Set<string>()
  const open: number[][] = [[]]
  for (let answers = open.pop(); answers !== undefined; answers = open.pop()) {
    let step = 0
    const branches: number[][] = []
    const parts = sample(template, (count) => {
      const answer = answers[step] ?? 0
      if (step >= answers.length) {
        const taken = Array.from({ length: step - answers.length }, () => 0)
        for (let other = 1; other < count; other += 1) branches.push([...answers, ...taken, other])
      }
      step += 1
      return answer
    })
    open.push(...branches)
    found.add(parts.map((part) => (part.kind === 'slot' ? `{${part.name}}` : part.text)).join(' '))
  }
  return [...found].sort()
}

describe('the template notation', () => {
  it('says every combination of choices and optional parts, and no other', () => {
    expect(sentences(parseTemplate('(turn|switch) on the [{room}] (lights|light)'))).toEqual([
      'switch on the light',
      'switch on the lights',
      'switch on the {room} light',
      'switch on the {room} lights',
      'turn on the light',
      'turn on the lights',
      'turn on the {room} light',
      'turn on the {room} lights',
    ])
  })

  it('reads an optional choice and a choice nested in a choice', () => {
    expect(sentences(parseTemplate('rain [today|(very|quite) soon]'))).toEqual([
      'rain',
      'rain quite soon',
      'rain today',
      'rain very soon',
    ])
  })

  it('keeps words with an apostrophe whole and makes them lower case', () => {
    expect(sentences(parseTemplate("What's  the time"))).toEqual(["what's the time"])
  })

  it('names the slots once each, in the order they are spoken', () => {
    expect(slotNames(parseTemplate('add {item} [and {item}] (to|on) the {list}'))).toEqual(['item', 'list'])
  })

  it('reads back what it writes', () => {
    const text = '<set> (a|an) [{name}|small] timer [for {duration}]'
    expect(formatTemplate(parseTemplate(text))).toBe(text)
  })

  it.each([
    ['', 0, 'at least one word or slot'],
    ['turn (on|off', 12, "'|' or ')'"],
    ['turn (on|)', 9, 'a word, a slot, a rule or a group'],
    ['turn (on]', 8, "'|' or ')'"],
    ['a|b', 1, 'a word, a slot, a rule or a group'],
    ['the {Room}', 5, 'a name of small letters, digits and underscores'],
    ['the {room', 9, "'}'"],
    ['<what-is> it', 5, "'>'"],
    ['what is it?', 10, 'a word, a slot, a rule or a group'],
  ])('refuses %j at position %i', (template, position, expected) => {
    expect(failure(() => parseTemplate(template))).toMatchObject({
      position,
      expected,
      code: 'template_invalid',
    })
  })

  it('bounds length and nesting', () => {
    expect(failure(() => parseTemplate('a '.repeat(151))).expected).toBe('at most 300 characters')
    const nested = (levels: number): string => `${'('.repeat(levels)}a${')'.repeat(levels)}`
    expect(parseTemplate(nested(MAX_TEMPLATE_NESTING))).toEqual({
      kind: 'word',
      text: 'a',
    })
    expect(failure(() => parseTemplate(nested(MAX_TEMPLATE_NESTING + 1))).expected).toMatch(
      /levels of nesting/,
    )
  })
})

describe('rules', () => {
  const rules = (entries: Record<string, string>): Map<string, TemplateNode> =>
    new Map(Object.entries(entries).map(([name, text]) => [name, parseTemplate(text)]))

  it('puts rules in, rules inside rules included', () => {
    const template = expandRules(
      parseTemplate('<start> timer'),
      rules({ start: '(set|make) <the>', the: '(the|my)' }),
    )
    expect(sentences(template)).toEqual(['make my timer', 'make the timer', 'set my timer', 'set the timer'])
  })

  it('names a rule that does not exist', () => {
    expect(failure(() => expandRules(parseTemplate('<on> it'), rules({}))).message).toContain('<on>')
  })

  it('names a circle of rules', () => {
    const circle = rules({ a: 'x <b>', b: 'y <a>' })
    expect(failure(() => expandRules(parseTemplate('<a>'), circle)).message).toContain('a → b → a')
  })

  it('stops rules that double each other', () => {
    const doubling = rules({
      a: '<b> <b> <b> <b> <b> <b>',
      b: '<c> <c> <c> <c> <c> <c>',
      c: '<d> <d> <d> <d> <d> <d>',
      d: '<e> <e> <e> <e> <e> <e>',
      e: 'x',
    })
    expect(failure(() => expandRules(parseTemplate('<a>'), doubling)).expected).toMatch(/after expansion/)
  })
})
