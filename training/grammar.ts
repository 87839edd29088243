/**
 * The intents of the house and of the bundled skills, read from their YAML, ready to compose sentences from.
 * The very files the assistant runs with: a phrase added to one of them is learned at the next training.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { expandRules, parseTemplate, sample, type TemplateNode } from '../src/skills/intents/template.ts'
import type { Seeded } from './seeded.ts'
import { drawDuration, drawNumber, NUMBER_WORDS } from './spoken.ts'

export interface SlotDeclaration {
  readonly type: string
  readonly many: boolean
}

export interface IntentGrammar {
  readonly intent: string
  readonly slots: ReadonlyMap<string, SlotDeclaration>
  readonly templates: readonly TemplateNode[]
  /** It changes what was just asked for ("make it ten") and means nothing alone. */
  readonly follows: boolean
}

export interface Grammar {
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Spoken forms of every list type, synonyms included. */
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly rules: ReadonlyMap<string, TemplateNode>
  readonly intents: readonly IntentGrammar[]
}

/** A composed command: what is said and what it means. Slot values are spoken text. */
export interface Sentence {
  readonly text: string
  readonly intent: string
  readonly slots: Readonly<Record<string, string | readonly string[]>>
}

interface IntentYaml {
  slots?: Record<string, { type: string; many?: boolean }>
  templates: string[]
  follows?: object
}

interface LexiconYaml {
  before: string[]
  after: string[]
  types: Record<string, Record<string, string[]>>
  rules: Record<string, string>
}

/**
 * The skills whose sentences the models in `models/` were trained on. What a later one understands, it understands by its templates alone:
 * a skill goes in here when its phrasings are in `phrasings/` and the models are made anew.
 */
export const TRAINED_SKILLS = ['clock', 'list', 'timer'] as const

/** The parsed files that declare intents, the lexicon first, as `compileGrammar` of src/skills/intents takes them. */
export function readGrammarSources(root: string): { file: string; content: unknown }[] {
  const skills = TRAINED_SKILLS.map((name) => `skills/${name}/skill.yaml`)
  const files = ['lexicon', 'session', 'house'].map((name) => `config/intents/${name}.yaml`)
  return [...files, ...skills].map((file) => ({
    file,
    content: parse(readFileSync(join(root, file), 'utf8')),
  }))
}

/** Reads the grammar of the repository at `root`. */
export function readGrammar(root: string): Grammar {
  const read = (path: string): unknown => parse(readFileSync(join(root, path), 'utf8'))
  const lexicon = read('config/intents/lexicon.yaml') as LexiconYaml
  const skills = TRAINED_SKILLS.map((name) => `skills/${name}/skill.yaml`)
  const sources = ['config/intents/session.yaml', 'config/intents/house.yaml', ...skills]
  const rules = new Map(Object.entries(lexicon.rules).map(([name, text]) => [name, parseTemplate(text)]))
  const values = new Map(Object.entries(lexicon.types).map(([name, list]) => [name, spokenForms(list)]))
  const intents = sources.flatMap((path) => {
    const { intents: declared } = read(path) as { intents?: Record<string, IntentYaml> }
    return Object.entries(declared ?? {}).map(([intent, yaml]) => readIntent(intent, yaml, rules))
  })
  return { before: lexicon.before, after: lexicon.after, values, rules, intents }
}

function spokenForms(list: Record<string, string[]>): string[] {
  return Object.entries(list).flatMap(([value, synonyms]) => [value, ...synonyms])
}

function readIntent(
  intent: string,
  yaml: IntentYaml,
  rules: ReadonlyMap<string, TemplateNode>,
): IntentGrammar {
  const slots = Object.entries(yaml.slots ?? {}).map(
    ([name, slot]) => [name, { type: slot.type, many: slot.many ?? false }] as const,
  )
  const templates = yaml.templates.map((template) => expandRules(parseTemplate(template), rules))
  return { intent, slots: new Map(slots), templates, follows: yaml.follows !== undefined }
}

/** Values no list has, drawn now and then for the types people fill freely: an intent model must copy them. */
export interface Strangers {
  readonly words: readonly string[]
  /** Chance that a freely filled value is a stranger, 0 … 1. */
  readonly chance: number
}

const FREELY_FILLED = new Set(['item', 'task', 'timer_name', 'room'])

/** Draws one sentence of `template`, its slots filled with spoken values. */
export function compose(
  grammar: Grammar,
  intent: IntentGrammar,
  template: TemplateNode,
  random: Seeded,
  strangers: Strangers = { words: [], chance: 0 },
): Sentence {
  const slots: Record<string, string | readonly string[]> = {}
  const words = sample(template, (count) => random.below(count)).map((part) => {
    if (part.kind === 'word') return part.text
    return fill(grammar, intent, part.name, slots, random, strangers)
  })
  return attributive({ text: words.join(' '), intent: intent.intent, slots }, random)
}

/** People say "a five minute timer" rather than "a five minutes timer". */
function attributive(sentence: Sentence, random: Seeded): Sentence {
  const duration = sentence.slots.duration
  if (typeof duration !== 'string' || !sentence.text.includes(`${duration} timer`) || random.chance(0.2))
    return sentence
  const singular = duration.replace(/s$/, '')
  const text = sentence.text.replace(`${duration} timer`, `${singular} timer`)
  return { ...sentence, text, slots: { ...sentence.slots, duration: singular } }
}

function fill(
  grammar: Grammar,
  intent: IntentGrammar,
  slot: string,
  slots: Record<string, string | readonly string[]>,
  random: Seeded,
  strangers: Strangers,
): string {
  const declared = intent.slots.get(slot)
  const type = declared?.type ?? slot
  const strange = FREELY_FILLED.has(type) && random.chance(strangers.chance)
  const value = strange ? stranger(type, strangers, random) : drawValue(grammar, type, slot, random)
  const before = slots[slot]
  // A slot spoken twice ("add milk and eggs") holds a list, and so does one declared as many.
  if (before !== undefined) slots[slot] = [before, value].flat()
  else slots[slot] = declared?.many === true ? [value] : value
  return value
}

function stranger(type: string, strangers: Strangers, random: Seeded): string {
  const word = (): string => random.one(strangers.words)
  if (type === 'task') return `${word()} the ${word()}`
  return random.chance(0.25) ? `${word()} ${word()}` : word()
}

function drawValue(grammar: Grammar, type: string, slot: string, random: Seeded): string {
  if (type === 'number') return drawNumber(random, slot)
  if (type === 'duration') return drawDuration(random)
  const values = grammar.values.get(type)
  if (values === undefined) throw new Error(`no type named ${type}`)
  return random.one(values)
}

/** Puts what may surround a command around it: "hey", "can you please", "thanks". */
export function surround(grammar: Grammar, text: string, random: Seeded): string {
  const before = random.chance(0.3) ? `${random.one(grammar.before)} ` : ''
  const greeting = before !== '' && random.chance(0.15) ? `${random.one(['hey', 'okay'])} ` : ''
  const after = random.chance(0.18) ? ` ${random.one(grammar.after)}` : ''
  return `${greeting}${before}${text}${after}`.replace(/^(\w+) \1 /, '$1 ')
}

/** Every word a command may contain, sorted. */
export function vocabularyOf(grammar: Grammar): string[] {
  const words = new Set<string>(NUMBER_WORDS)
  for (const phrase of [...grammar.before, ...grammar.after, ...[...grammar.values.values()].flat()]) {
    for (const word of phrase.split(' ')) words.add(word)
  }
  for (const intent of grammar.intents) for (const template of intent.templates) addWords(template, words)
  return [...words].sort()
}

function addWords(node: TemplateNode, words: Set<string>): void {
  switch (node.kind) {
    case 'word':
      words.add(node.text)
      return
    case 'sequence':
      for (const part of node.parts) addWords(part, words)
      return
    case 'choice':
      for (const option of node.options) addWords(option, words)
      return
    case 'optional':
      addWords(node.node, words)
      return
    case 'slot':
    case 'rule':
  }
}
