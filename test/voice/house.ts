/** The real grammar of the house and its three skills, as the conversation sees it. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { compileGrammar, type Grammar, type Intent } from '../../src/skills/index.ts'
import type { LanguageSide, Understanding } from '../../src/voice/understanding.ts'
import { understandingOf } from '../../src/voice/understanding.ts'

const FILES = [
  'config/intents/lexicon.yaml',
  'config/intents/session.yaml',
  'config/intents/house.yaml',
  'skills/timer/skill.yaml',
  'skills/clock/skill.yaml',
  'skills/list/skill.yaml',
]

let compiled: Grammar | undefined

export function houseGrammar(): Grammar {
  compiled ??= compileGrammar(FILES.map((file) => ({ file, content: parse(readFileSync(file, 'utf8')) })))
  return compiled
}

/** Asks the (scripted) language model about whatever no template fits, and believes its JSON. */
const scriptedLanguage: LanguageSide = {
  prompt: (text) => ({ prompt: text, schema: {}, max_tokens: 32 }),
  interpret(answer) {
    const intent = JSON.parse(answer) as Partial<Intent>
    return intent.name === undefined ? undefined : { name: intent.name, slots: intent.slots ?? {} }
  },
}

export const houseUnderstanding = (): Understanding =>
  understandingOf(houseGrammar(), ['timer', 'clock', 'list'], scriptedLanguage)
