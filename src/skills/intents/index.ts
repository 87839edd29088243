/**
 * What a sentence means: templates with typed slots, compiled into one grammar, read tolerantly and on every
 * partial of the recogniser.
 *
 * Pure: no clock, no files, no randomness. `compileGrammar` takes parsed YAML (the lexicon of the house, the
 * intents of skills) and gives an immutable `Grammar`; `read` answers any text within about a millisecond with a
 * `Reading`: the intent, how sure, whether the command is whole and whether more is likely to follow.
 *
 * Promises (M1…M6 in `match.ts`): a template's sentence reads exactly; a risky intent is never read from anything else; a
 * beginning of a command is known as one; what two commands could equally be is refused.
 *
 * What no template fits goes to a language model: `interpret.ts` writes its prompt and schema and checks its
 * answer; nothing it says is trusted.
 *
 * Read `intent.ts` first, then `match.ts`; the notation is in `template.ts`, its header and the lexicon's.
 */

export { isFragment } from './context.ts'
export { readDurations, sayDuration } from './durations.ts'
export {
  compileGrammar,
  compileWithSkills,
  type Grammar,
  type GrammarStatistics,
  type IntentDefinition,
  missingSlots,
} from './grammar.ts'
export {
  type Extension,
  type Growth,
  type Intent,
  NO_INTENT,
  OFFERED_SCORE,
  type Reading,
  type ReadingContext,
  type SlotValue,
} from './intent.ts'
export {
  answerSchema,
  interpretAnswer,
  type LanguagePrompt,
  type LanguageSide,
  languagePrompt,
  languageSide,
} from './interpret.ts'
export { inLanguage, sourceIn } from './languages.ts'
export type { Conflict } from './lookup.ts'
export { read, readAll } from './match.ts'
export { normalise } from './normalise.ts'
export { readNumbers, sayNumber } from './numbers.ts'
export { sayIntent, sayUnhandled } from './phrases.ts'
export { GrammarError, type GrammarSource } from './schema.ts'
export { parseTemplate, TemplateError } from './template.ts'
