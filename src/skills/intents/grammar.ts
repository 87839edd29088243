/**
 * Compiles the lexicon and all intents into one immutable grammar. The same sources in the same order give the
 * same grammar, and the order decides between sentences that fit equally well.
 */
import type { Intent } from './intent.ts'
import {
  byFirstWord,
  type Conflict,
  collectVocabulary,
  findConflicts,
  indexPatterns,
  type SpokenValue,
} from './lookup.ts'
import { normalise } from './normalise.ts'
import { buildTrie, layOut, type Pattern, type Token, type TrieNode } from './patterns.ts'
import { checkSource, GrammarError, type GrammarSource, type IntentSource, type Source } from './schema.ts'
import { buildSlipIndex, type SlipIndex } from './slips.ts'
import { expandRules, parseTemplate, type TemplateNode } from './template.ts'

/** All sentence forms together. Ours has about 1,000; a form takes about 1 kB. */
export const MAX_PATTERNS = 20_000

export interface SlotDefinition {
  readonly type: string
  readonly optional: boolean
  readonly many: boolean
  readonly ask: string | undefined
}

export interface IntentDefinition {
  readonly name: string
  readonly slots: ReadonlyMap<string, SlotDefinition>
  /** The question to put before acting. */
  readonly confirm: string | undefined
  /** Taken from exact sentences only. */
  readonly exactOnly: boolean
  /** Understood only after one of these: its slots, and those of the other they are filled from. Absent: at any time. */
  readonly follows?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Grammar {
  readonly intents: ReadonlyMap<string, IntentDefinition>
  /** The types with listed values; `number`, `duration`, `moment` and `text` are built in. */
  readonly types: ReadonlyMap<string, readonly SpokenValue[]>
  /** Types that may hold other values than the listed ones, when a language model finds them in the text. */
  readonly openTypes: ReadonlySet<string>
  /** The listed values by their first word. */
  readonly valuesByWord: ReadonlyMap<string, ReadonlyMap<string, readonly SpokenValue[]>>
  readonly patterns: readonly Pattern[]
  readonly trie: TrieNode
  readonly before: readonly (readonly string[])[]
  readonly after: readonly (readonly string[])[]
  /** Every word some sentence has. */
  readonly vocabulary: ReadonlySet<string>
  readonly slips: SlipIndex
  /** The patterns each telling word or `{type}` occurs in. */
  readonly index: ReadonlyMap<string, readonly number[]>
  /** Sentence forms two intents have; the one defined first is understood. */
  readonly conflicts: readonly Conflict[]
  readonly statistics: GrammarStatistics
}

export interface GrammarStatistics {
  readonly intents: number
  readonly templates: number
  readonly patterns: number
  readonly vocabulary: number
}

/** @throws GrammarError naming file, intent, template and position. */
export function compileGrammar(sources: readonly GrammarSource[]): Grammar {
  const checked = sources.map(checkSource)
  const types = collectTypes(checked)
  const rules = collectRules(checked)
  const intents = new Map<string, IntentDefinition>()
  const patterns: Pattern[] = []
  let templates = 0

  for (const source of checked) {
    for (const [name, intent] of Object.entries(source.intents)) {
      if (intents.has(name)) throw new GrammarError(source.file, `intent ${name} is defined twice`)
      const definition = defineIntent(source.file, name, intent, types)
      intents.set(name, definition)
      templates += intent.templates.length
      for (const negative of [false, true]) {
        const written = negative ? intent.negative : intent.templates
        for (const [template, text] of written.entries()) {
          for (const tokens of compileTemplate(source.file, definition, text, rules, types)) {
            patterns.push({ index: patterns.length, intent: name, template, tokens, negative })
          }
        }
      }
      if (patterns.length > MAX_PATTERNS) {
        throw new GrammarError(source.file, `${name}: more than ${MAX_PATTERNS} sentence forms in all`)
      }
    }
  }

  const before = checked.flatMap((source) => source.before.map((phrase) => normalise(phrase).words))
  const after = checked.flatMap((source) => source.after.map((phrase) => normalise(phrase).words))
  const vocabulary = collectVocabulary(patterns, types, [...before, ...after])
  return {
    intents,
    types,
    openTypes: new Set(checked.flatMap((source) => source.open)),
    valuesByWord: new Map([...types].map(([name, values]) => [name, byFirstWord(values)])),
    patterns,
    trie: buildTrie(patterns),
    before,
    after,
    vocabulary,
    slips: buildSlipIndex(vocabulary),
    index: indexPatterns(patterns),
    conflicts: findConflicts(patterns),
    statistics: { intents: intents.size, templates, patterns: patterns.length, vocabulary: vocabulary.size },
  }
}

/**
 * Compiles the house with as many skills as fit: one that cannot be compiled is left out and reported, and keeps no
 * other from being understood.
 * @throws GrammarError when the house itself cannot be compiled.
 */
export function compileWithSkills(
  house: readonly GrammarSource[],
  skills: readonly GrammarSource[],
): { grammar: Grammar; refused: readonly GrammarError[] } {
  const refused: GrammarError[] = []
  let fitting = skills
  for (;;) {
    try {
      return { grammar: compileGrammar([...house, ...fitting]), refused }
    } catch (error) {
      if (!(error instanceof GrammarError)) throw error
      const others = fitting.filter((source) => source.file !== error.file)
      if (others.length === fitting.length) throw error
      refused.push(error)
      fitting = others
    }
  }
}

const BUILT_IN_TYPES = new Set(['number', 'duration', 'moment', 'text'])

/** Whether slots may be of this type. */
export function isType(grammar: Pick<Grammar, 'types'>, name: string): boolean {
  return BUILT_IN_TYPES.has(name) || grammar.types.has(name)
}

function collectTypes(sources: readonly Source[]): Map<string, SpokenValue[]> {
  const types = new Map<string, SpokenValue[]>()
  for (const source of sources) {
    for (const [name, values] of Object.entries(source.types)) {
      if (types.has(name) || BUILT_IN_TYPES.has(name)) {
        throw new GrammarError(source.file, `type ${name} is defined twice`)
      }
      types.set(name, spokenValues(source.file, name, values))
    }
  }
  return types
}

function spokenValues(file: string, type: string, values: Readonly<Record<string, readonly string[]>>) {
  const spoken = new Map<string, SpokenValue>()
  for (const [value, synonyms] of Object.entries(values)) {
    for (const form of [value, ...synonyms]) {
      const words = normalise(form).words
      const key = words.join(' ')
      const taken = spoken.get(key)
      if (words.length === 0) throw new GrammarError(file, `type ${type}: "${form}" has no words`)
      if (taken !== undefined && taken.value !== value) {
        throw new GrammarError(file, `type ${type}: "${form}" stands for both ${taken.value} and ${value}`)
      }
      spoken.set(key, { value, words })
    }
  }
  return [...spoken.values()]
}

function collectRules(sources: readonly Source[]): Map<string, TemplateNode> {
  const rules = new Map<string, TemplateNode>()
  for (const source of sources) {
    for (const [name, template] of Object.entries(source.rules)) {
      if (rules.has(name)) throw new GrammarError(source.file, `rule ${name} is defined twice`)
      rules.set(
        name,
        inFile(source.file, `rule ${name}`, () => parseTemplate(template)),
      )
    }
  }
  return rules
}

function defineIntent(
  file: string,
  name: string,
  intent: IntentSource,
  types: ReadonlyMap<string, unknown>,
): IntentDefinition {
  const slots = new Map<string, SlotDefinition>()
  for (const [slot, { type, optional, many, ask }] of Object.entries(intent.slots)) {
    if (!types.has(type) && !BUILT_IN_TYPES.has(type)) {
      throw new GrammarError(file, `${name}: slot ${slot} has the unknown type ${type}`)
    }
    slots.set(slot, { type, optional, many, ask })
  }
  const risky = intent.risk === 'high' || intent.risk === 'critical'
  const exactOnly = risky || intent.confirm !== undefined
  const { follows } = intent
  return { name, slots, confirm: intent.confirm, exactOnly, ...(follows === undefined ? {} : { follows }) }
}

/** A slot the intent does not declare has the type of its own name. */
function compileTemplate(
  file: string,
  intent: IntentDefinition,
  template: string,
  rules: ReadonlyMap<string, TemplateNode>,
  types: ReadonlyMap<string, unknown>,
): Token[][] {
  const place = `${intent.name}, template "${template}"`
  const typeOf = (slot: string): string => {
    const type = intent.slots.get(slot)?.type ?? slot
    if (types.has(type) || BUILT_IN_TYPES.has(type)) return type
    throw new GrammarError(file, `${place}: the slot {${slot}} is not declared`)
  }
  return inFile(file, place, () => layOut(expandRules(parseTemplate(template), rules), typeOf))
}

function inFile<T>(file: string, place: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof GrammarError) throw error
    throw new GrammarError(file, `${place}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** The slots the intent cannot do without and does not have, in the order of its definition. */
export function missingSlots(grammar: Grammar, intent: Intent): string[] {
  const definitions = grammar.intents.get(intent.name)?.slots ?? []
  return [...definitions]
    .filter(([name, slot]) => !slot.optional && !(name in intent.slots))
    .map(([name]) => name)
}
