/** What a house with one skill understands: its own words and that skill's. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { PACKAGE } from '../../src/host/index.ts'
import {
  compileGrammar,
  type Grammar,
  type GrammarSource,
  languageSide,
  type Skill,
  sayUnhandled,
  sourceIn,
} from '../../src/skills/index.ts'
import { type Understanding, understandingOf } from '../../src/voice/understanding.ts'

const HOUSE_FILES = ['lexicon.yaml', 'session.yaml', 'house.yaml'] as const

/** Errors: `GrammarError` with file, intent and template. */
export const grammarWith = ({ folder, source }: Skill, language = 'en'): Grammar =>
  compileGrammar([...houseWords(), { file: `${folder}/skill.yaml`, content: sourceIn(source, language) }])

let house: readonly GrammarSource[] | undefined

function houseWords(): readonly GrammarSource[] {
  house ??= HOUSE_FILES.map((name) => {
    const file = `${PACKAGE}config/intents/${name}`
    return { file, content: parse(readFileSync(file, 'utf8')) as unknown }
  })
  return house
}

/** `skill` carries out its own intents, and those of the house that name no skill (`handles`). */
export function understandingWith(
  grammar: Grammar,
  skill: string,
  handles: readonly string[] = [],
): Understanding {
  const own = understandingOf(grammar, [skill], languageSide(grammar), (intent) =>
    sayUnhandled(grammar, intent),
  )
  return {
    ...own,
    skillFor: (intent) => own.skillFor(intent) ?? (handles.includes(intent) ? skill : undefined),
  }
}
