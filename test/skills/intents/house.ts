/** The grammar the node ships with, for tests: the lexicon, the house and the three skills. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { compileGrammar, type Grammar, type GrammarSource } from '../../../src/skills/intents/index.ts'

const FILES = [
  'config/intents/lexicon.yaml',
  'config/intents/session.yaml',
  'config/intents/house.yaml',
  'skills/timer/skill.yaml',
  'skills/clock/skill.yaml',
  'skills/list/skill.yaml',
]

export function houseSources(): GrammarSource[] {
  return FILES.map((file) => ({
    file,
    content: parse(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')),
  }))
}

export const house: Grammar = compileGrammar(houseSources())
