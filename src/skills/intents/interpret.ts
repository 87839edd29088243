/**
 * The language model's side: what it is asked about a text no template fits, and what its answer is worth.
 *
 * Nothing it says is trusted. The intent must be one of the grammar's, and whoever carries out a risky one asks the person
 * first, since it was only guessed (`voice/decide.ts`). Slot values are what the text says (`slot-filling.ts`); what is not there is left out,
 * so that a required slot is asked for.
 */
import { z } from 'zod'
import type { Grammar } from './grammar.ts'
import type { Intent, Reading } from './intent.ts'
import { MAX_WORDS, normalise, plainText, UNKNOWN_WORD } from './normalise.ts'
import { fillSlots } from './slot-filling.ts'

/** What the intent model is run with. */
export interface LanguagePrompt {
  /** The engine puts the begin token before it; the model was trained on a space, the sentence, a line break. */
  readonly prompt: string
  /** JSON schema of the answer: `{ intent, slots }`, slot values as spoken. */
  readonly schema: Readonly<Record<string, unknown>>
  readonly max_tokens: number
}

/** The longest answer of the training set has 60 tokens. */
const MAX_ANSWER_TOKENS = 96

/** The longest answer read, in UTF-16 code units. */
const MAX_ANSWER_LENGTH = 2_000

/** With more words, and above this share of them, that no template has, a text is talk, not a command phrased freely. */
const MAX_UNKNOWN = 3
const MAX_UNKNOWN_SHARE = 0.75

export interface LanguageSide {
  prompt(text: string, reading: Reading): LanguagePrompt | undefined
  interpret(answer: string, text: string): Intent | undefined
}

export function languageSide(grammar: Grammar): LanguageSide {
  const schema = answerSchema(grammar)
  return {
    prompt: (text, reading) => languagePrompt(text, reading, schema),
    interpret: (answer, text) => interpretAnswer(grammar, answer, text),
  }
}

/** Undefined when it is not worth asking: nothing was understood, or it is far too long. */
export function languagePrompt(
  text: string,
  reading: Reading,
  schema: Readonly<Record<string, unknown>>,
): LanguagePrompt | undefined {
  const { words, truncated } = normalise(text)
  if (words.length === 0 || truncated || words.length >= MAX_WORDS) return undefined
  // The recogniser heard a word it does not have: the model has never seen it either, and would guess.
  if (words.includes(UNKNOWN_WORD)) return undefined
  if (reading.unknown > Math.max(MAX_UNKNOWN, MAX_UNKNOWN_SHARE * reading.words)) return undefined
  return { prompt: ` ${plainText(text)}\n`, schema, max_tokens: MAX_ANSWER_TOKENS }
}

/**
 * The answer's shape. Which slots go with which intent is checked afterwards: engines that turn a schema into a
 * token grammar demand every listed property, and slots may be absent.
 */
export function answerSchema(grammar: Grammar): Readonly<Record<string, unknown>> {
  const spoken = { type: 'string' }
  return {
    type: 'object',
    properties: {
      intent: { enum: [...grammar.intents.keys(), 'none'] },
      slots: { type: 'object', additionalProperties: { oneOf: [spoken, { type: 'array', items: spoken }] } },
    },
    required: ['intent', 'slots'],
  }
}

const spokenValue = z.union([z.string().max(200), z.number()]).transform(String)
const answerShape = z.object({
  intent: z.string().max(100),
  slots: z.record(z.string(), z.union([spokenValue, z.array(spokenValue).max(16)])).default({}),
})

/** The intent the answer stands for; undefined when it is `none` or damaged. One that is `exactOnly` is to be confirmed before it is carried out. */
export function interpretAnswer(grammar: Grammar, answer: string, text: string): Intent | undefined {
  const parsed = answerShape.safeParse(parseJson(answer))
  if (!parsed.success) return undefined
  const definition = grammar.intents.get(parsed.data.intent)
  if (definition === undefined) return undefined

  const proposed = new Map(Object.entries(parsed.data.slots).map(([name, value]) => [name, [value].flat()]))
  return { name: definition.name, slots: fillSlots(grammar, definition, normalise(text).words, proposed) }
}

function parseJson(answer: string): unknown {
  if (answer.length > MAX_ANSWER_LENGTH) return undefined
  try {
    return JSON.parse(answer)
  } catch {
    return undefined
  }
}
