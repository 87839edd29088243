/**
 * All a conversation needs to know of the grammar and the skills, as functions of plain data. The composition root
 * makes one from the compiled grammar; tests bring a small one of their own.
 */
import {
  type Grammar,
  type Intent,
  missingSlots,
  type Reading,
  type ReadingContext,
  read,
} from '../skills/index.ts'

export interface Understanding {
  /** What a text means, also while it is unfinished. Pure and fast: it runs on every partial. */
  read(text: string, context: ReadingContext): Reading
  /** The question that asks for a slot of an intent, e.g. "For how long?". */
  question(intent: string, slot: string): string | undefined
  /** Slots an intent needs and lacks, in the order to ask for them. */
  missing(intent: Intent): readonly string[]
  /** The question to be answered with yes before the intent is carried out. */
  confirmation(intent: string): string | undefined
  /** It can do harm: what is only a guess is put to the person first. */
  isRisky(intent: string): boolean
  /** The skill that handles an intent; undefined when nobody does. */
  skillFor(intent: string): string | undefined
  /** Honest words for an intent that was understood and that nothing can carry out. */
  unhandled(intent: Intent): string
  /** What to ask the language model about a text no template fits; undefined when it is not worth asking. */
  prompt(text: string, reading: Reading): LanguagePrompt | undefined
  /** The model's answer as an intent, checked against the grammar; undefined when it means nothing. */
  interpret(answer: string, text: string): Intent | undefined
}

export interface LanguagePrompt {
  readonly prompt: string
  readonly schema: Readonly<Record<string, unknown>>
  readonly max_tokens: number
}

/** The language model's side: what it is asked, and what of its answer is believed. */
export interface LanguageSide {
  prompt(text: string, reading: Reading): LanguagePrompt | undefined
  interpret(answer: string, text: string): Intent | undefined
}

const NO_LANGUAGE: LanguageSide = { prompt: () => undefined, interpret: () => undefined }

/** `skills` are the names of the skills that run; an intent belongs to the skill of its first part. */
export function understandingOf(
  grammar: Grammar,
  skills: readonly string[],
  language: LanguageSide = NO_LANGUAGE,
  unhandled: (intent: Intent) => string = () => UNHANDLED,
): Understanding {
  const running = new Set(skills)
  return {
    read: (text, context) => read(grammar, text, context),
    missing: (intent) => missingSlots(grammar, intent),
    question: (intent, slot) => grammar.intents.get(intent)?.slots.get(slot)?.ask,
    confirmation: (intent) => grammar.intents.get(intent)?.confirm,
    isRisky: (intent) => grammar.intents.get(intent)?.exactOnly ?? false,
    skillFor(intent) {
      const skill = intent.slice(0, intent.indexOf('.'))
      return running.has(skill) ? skill : undefined
    },
    unhandled,
    prompt: language.prompt,
    interpret: language.interpret,
  }
}

/** What is understood now: skills come, change and go while the house talks. */
export const currentUnderstanding = (now: () => Understanding): Understanding => ({
  read: (text, context) => now().read(text, context),
  question: (intent, slot) => now().question(intent, slot),
  missing: (intent) => now().missing(intent),
  confirmation: (intent) => now().confirmation(intent),
  isRisky: (intent) => now().isRisky(intent),
  skillFor: (intent) => now().skillFor(intent),
  unhandled: (intent) => now().unhandled(intent),
  prompt: (text, reading) => now().prompt(text, reading),
  interpret: (answer, text) => now().interpret(answer, text),
})

const UNHANDLED = 'I understood you, but nothing here can do that yet.'
