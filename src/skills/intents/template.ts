/**
 * The notation sentence templates are written in, as a small syntax tree.
 *
 *   [x]      x may be left out            (a|b)    one of them, nesting allowed
 *   {slot}   a typed slot                 <rule>   a rule of config/intents/lexicon.yaml
 *
 * Three steps, each pure: `parseTemplate` reads one template, `expandRules` puts the lexicon's rules in,
 * `sample` composes one sentence. Templates come from skill packages, so every step is bounded:
 * length, nesting and the size after expansion are limited, and an error names the place.
 */

/** Longest template accepted, in UTF-16 code units. The longest of our own has 75. */
export const MAX_TEMPLATE_LENGTH = 300

/** Deepest nesting of `( )` and `[ ]` in one template; a rule inside a rule counts as one level too. */
export const MAX_TEMPLATE_NESTING = 8

/** Most nodes a template may have once its rules are expanded: rules that double each other stop here. */
export const MAX_EXPANDED_NODES = 2000

/** One spoken word, in lower case: letters, digits, apostrophe and hyphen. */
export interface WordNode {
  readonly kind: 'word'
  readonly text: string
}

/** Parts spoken one after the other. May be empty only as an option of a choice. */
export interface SequenceNode {
  readonly kind: 'sequence'
  readonly parts: readonly TemplateNode[]
}

/** Exactly one of the options is spoken: `(a|b)`. */
export interface ChoiceNode {
  readonly kind: 'choice'
  readonly options: readonly TemplateNode[]
}

/** Spoken or left out: `[x]`. `[a|b]` is an optional choice. */
export interface OptionalNode {
  readonly kind: 'optional'
  readonly node: TemplateNode
}

/** A place for a value: `{room}`. Its type is the one its intent declares. */
export interface SlotNode {
  readonly kind: 'slot'
  readonly name: string
}

/** A reference to a named template of the lexicon: `<what_is>`. Gone after `expandRules`. */
export interface RuleNode {
  readonly kind: 'rule'
  readonly name: string
}

export type TemplateNode = WordNode | SequenceNode | ChoiceNode | OptionalNode | SlotNode | RuleNode

/** What one composed sentence is made of, in spoken order. */
export type SampledPart = WordNode | SlotNode

/** Draws a whole number from 0 to `count` − 1. `count` is at least 2. */
export type Pick = (count: number) => number

/** A template that cannot be read. `position` is the 0-based offset in `template`. */
export class TemplateError extends Error {
  readonly code = 'template_invalid'
  readonly retryable = false
  readonly template: string
  readonly position: number
  readonly expected: string

  constructor(template: string, position: number, expected: string, found: string) {
    super(
      `template ${JSON.stringify(shorten(template))}, position ${position}: expected ${expected}, found ${found}`,
    )
    this.name = 'TemplateError'
    this.template = template
    this.position = position
    this.expected = expected
  }
}

/**
 * Reads one template.
 * @throws TemplateError when it is empty, too long, nested too deeply or not well formed.
 */
export function parseTemplate(template: string): TemplateNode {
  if (template.length > MAX_TEMPLATE_LENGTH) {
    throw new TemplateError(
      template,
      MAX_TEMPLATE_LENGTH,
      `at most ${MAX_TEMPLATE_LENGTH} characters`,
      `${template.length}`,
    )
  }
  const reader: Reader = { template, position: 0 }
  const node = readSequence(reader, 0)
  if (reader.position < template.length) throw unexpected(reader, 'a word, a slot, a rule or a group')
  if (isEmpty(node)) throw unexpected(reader, 'at least one word or slot')
  return node
}

/**
 * Replaces every `<rule>` by what the rule says, rules inside rules included.
 * @throws TemplateError when a rule is unknown, refers to itself, or the result grows past `MAX_EXPANDED_NODES`.
 */
export function expandRules(node: TemplateNode, rules: ReadonlyMap<string, TemplateNode>): TemplateNode {
  let nodes = 0

  function expand(current: TemplateNode, open: readonly string[]): TemplateNode {
    nodes += 1
    if (nodes > MAX_EXPANDED_NODES) {
      throw new TemplateError(
        formatTemplate(node),
        0,
        `at most ${MAX_EXPANDED_NODES} nodes after expansion`,
        'more',
      )
    }
    switch (current.kind) {
      case 'word':
      case 'slot':
        return current
      case 'sequence':
        return {
          kind: 'sequence',
          parts: current.parts.map((part) => expand(part, open)),
        }
      case 'choice':
        return {
          kind: 'choice',
          options: current.options.map((option) => expand(option, open)),
        }
      case 'optional':
        return { kind: 'optional', node: expand(current.node, open) }
      case 'rule':
        return expand(lookUp(current.name, open), [...open, current.name])
    }
  }

  function lookUp(name: string, open: readonly string[]): TemplateNode {
    const rule = rules.get(name)
    const text = formatTemplate(node)
    if (rule === undefined) throw new TemplateError(text, 0, 'a rule of the lexicon', `<${name}>`)
    if (open.includes(name))
      throw new TemplateError(text, 0, 'rules without a circle', [...open, name].join(' → '))
    if (open.length >= MAX_TEMPLATE_NESTING) {
      throw new TemplateError(text, 0, `at most ${MAX_TEMPLATE_NESTING} rules inside each other`, `<${name}>`)
    }
    return rule
  }

  return expand(node, [])
}

/**
 * Composes one sentence: options are drawn with `pick`, an optional part with `pick(2)` (1 = spoken).
 * The parts are the words and the slots still to be filled. Rules must have been expanded.
 */
export function sample(node: TemplateNode, pick: Pick): SampledPart[] {
  switch (node.kind) {
    case 'word':
    case 'slot':
      return [node]
    case 'sequence':
      return node.parts.flatMap((part) => sample(part, pick))
    case 'choice': {
      const chosen = node.options[node.options.length > 1 ? pick(node.options.length) : 0]
      return chosen === undefined ? [] : sample(chosen, pick)
    }
    case 'optional':
      return pick(2) === 1 ? sample(node.node, pick) : []
    case 'rule':
      throw new TemplateError(`<${node.name}>`, 0, 'rules to be expanded before sampling', `<${node.name}>`)
  }
}

/** The names of all slots that occur, each once, in order of first occurrence. */
export function slotNames(node: TemplateNode): string[] {
  return [
    ...new Set(children(node).flatMap((part) => (part.kind === 'slot' ? [part.name] : slotNames(part)))),
  ]
}

/** Writes a tree in the notation again, in its shortest form: `parseTemplate` reads it back to an equal tree. */
export function formatTemplate(node: TemplateNode): string {
  switch (node.kind) {
    case 'word':
      return node.text
    case 'slot':
      return `{${node.name}}`
    case 'rule':
      return `<${node.name}>`
    case 'sequence':
      return node.parts.map(formatTemplate).join(' ')
    case 'choice':
      return `(${node.options.map(formatTemplate).join('|')})`
    case 'optional':
      return node.node.kind === 'choice'
        ? `[${node.node.options.map(formatTemplate).join('|')}]`
        : `[${formatTemplate(node.node)}]`
  }
}

interface Reader {
  readonly template: string
  position: number
}

const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/uy
const NAME = /[a-z][a-z0-9_]*/y

/** Reads parts until the end, a `|` or a closing bracket, which are left for the caller. */
function readSequence(reader: Reader, depth: number): TemplateNode {
  const parts: TemplateNode[] = []
  for (;;) {
    skipSpaces(reader)
    const next = reader.template[reader.position]
    if (next === undefined || next === '|' || next === ')' || next === ']') break
    parts.push(readPart(reader, next, depth))
  }
  const only = parts[0]
  return parts.length === 1 && only !== undefined ? only : { kind: 'sequence', parts }
}

function readPart(reader: Reader, next: string, depth: number): TemplateNode {
  switch (next) {
    case '(':
      return readGroup(reader, ')', depth)
    case '[':
      return { kind: 'optional', node: readGroup(reader, ']', depth) }
    case '{':
      return { kind: 'slot', name: readName(reader, '}') }
    case '<':
      return { kind: 'rule', name: readName(reader, '>') }
    default: {
      const text = match(reader, WORD)
      if (text === undefined) throw unexpected(reader, 'a word, a slot, a rule or a group')
      return { kind: 'word', text: text.toLowerCase().replaceAll('’', "'") }
    }
  }
}

/** Reads `a|b|c` and the closing bracket. One option alone is returned as it is. */
function readGroup(reader: Reader, close: ')' | ']', depth: number): TemplateNode {
  if (depth >= MAX_TEMPLATE_NESTING)
    throw unexpected(reader, `at most ${MAX_TEMPLATE_NESTING} levels of nesting`)
  reader.position += 1
  const options: TemplateNode[] = []
  for (;;) {
    const option = readSequence(reader, depth + 1)
    if (isEmpty(option)) throw unexpected(reader, 'a word, a slot, a rule or a group')
    options.push(option)
    const next = reader.template[reader.position]
    if (next !== '|' && next !== close) throw unexpected(reader, `'|' or '${close}'`)
    reader.position += 1
    if (next === close) break
  }
  const only = options[0]
  return options.length === 1 && only !== undefined ? only : { kind: 'choice', options }
}

/** Reads the name inside `{ }` or `< >`: a small letter, then small letters, digits and underscores. */
function readName(reader: Reader, close: '}' | '>'): string {
  reader.position += 1
  const name = match(reader, NAME)
  if (name === undefined) throw unexpected(reader, 'a name of small letters, digits and underscores')
  if (reader.template[reader.position] !== close) throw unexpected(reader, `'${close}'`)
  reader.position += 1
  return name
}

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.position
  const text = pattern.exec(reader.template)?.[0]
  if (text !== undefined) reader.position += text.length
  return text
}

function skipSpaces(reader: Reader): void {
  while (reader.template[reader.position] === ' ') reader.position += 1
}

function isEmpty(node: TemplateNode): boolean {
  return node.kind === 'sequence' && node.parts.length === 0
}

function children(node: TemplateNode): readonly TemplateNode[] {
  switch (node.kind) {
    case 'sequence':
      return node.parts
    case 'choice':
      return node.options
    case 'optional':
      return [node.node]
    case 'slot':
      return [node]
    case 'word':
    case 'rule':
      return []
  }
}

function unexpected(reader: Reader, expected: string): TemplateError {
  const found = reader.template[reader.position]
  return new TemplateError(
    reader.template,
    reader.position,
    expected,
    found === undefined ? 'the end' : `'${found}'`,
  )
}

function shorten(template: string): string {
  return template.length <= 80 ? template : `${template.slice(0, 79)}…`
}
