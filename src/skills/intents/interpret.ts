/**
 * The language model's side: what it is asked about a text no template fits, and what its answer is worth.
 *
 * Nothing it says is trusted. The intent must be one of the grammar's; a slot must be one of the intent's, its value
 * must be spoken in the text and is read by the same parsers as a template's. What fails is left out, so that a
 * required slot is asked for; a risky intent is taken only if the person will be asked to confirm it.
 */
import { z } from 'zod'
import { readDurations } from './durations.ts'
import type { Grammar, SlotDefinition } from './grammar.ts'
import type { Intent, Reading, SlotValue } from './intent.ts'
import { MAX_WORDS, normalise, plainText, UNKNOWN_WORD } from './normalise.ts'
import { readNumbers, type Span } from './numbers.ts'
import { homophonesOf, slipCost } from './similarity.ts'

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

/** Above this share of words no template has, a text is talk, not a command phrased freely. */
const MAX_UNKNOWN_SHARE = 0.75

/** The longest value of an open type: "the good olive oil". */
const MAX_OPEN_WORDS = 4

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
  if (reading.unknown > MAX_UNKNOWN_SHARE * reading.words) return undefined
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

/** The intent the answer stands for; undefined when it is `none`, damaged, or not to be trusted. */
export function interpretAnswer(grammar: Grammar, answer: string, text: string): Intent | undefined {
  const parsed = answerShape.safeParse(parseJson(answer))
  if (!parsed.success) return undefined
  const definition = grammar.intents.get(parsed.data.intent)
  if (definition === undefined) return undefined
  if (definition.exactOnly && definition.confirm === undefined) return undefined

  const heard = normalise(text).words
  const slots: Record<string, SlotValue> = {}
  for (const [name, slot] of definition.slots) {
    if (!Object.hasOwn(parsed.data.slots, name)) continue
    const value = slotValue(grammar, slot, [parsed.data.slots[name] ?? []].flat(), heard)
    if (value !== undefined) slots[name] = value
  }
  return { name: definition.name, slots }
}

function parseJson(answer: string): unknown {
  if (answer.length > MAX_ANSWER_LENGTH) return undefined
  try {
    return JSON.parse(answer)
  } catch {
    return undefined
  }
}

/** What of `spoken` is in the text and of the slot's type; several values only where the slot takes many. */
function slotValue(
  grammar: Grammar,
  slot: SlotDefinition,
  spoken: readonly string[],
  heard: readonly string[],
): SlotValue | undefined {
  const values = spoken.flatMap((text) => {
    const words = normalise(text).words
    const value = words.every((word) => isHeard(word, heard))
      ? canonical(grammar, slot.type, words)
      : undefined
    return value === undefined ? [] : [value]
  })
  const first = values[0]
  if (first === undefined) return undefined
  return slot.many ? [...new Set(values.map(String))] : first
}

function isHeard(word: string, heard: readonly string[]): boolean {
  return heard.some(
    (other) => other === word || homophonesOf(other).has(word) || Number.isFinite(slipCost(other, word)),
  )
}

/** The value these words are, whole: "five minutes" → 300, "twenty percent" → 20, "kitchn" → kitchen. */
function canonical(grammar: Grammar, type: string, words: readonly string[]): string | number | undefined {
  if (type === 'number') return wholeSpan(readNumbers(words, 0).spans, withoutUnit(words))
  if (type === 'duration') return wholeSpan(readDurations(words, 0).spans, words.length)
  const plain = withoutArticle(words)
  const text = plain.join(' ')
  const values = grammar.types.get(type) ?? []
  const exact = values.find((value) => [text, words.join(' ')].includes(value.words.join(' ')))
  if (exact !== undefined) return exact.value
  return nearest(values, plain) ?? (grammar.openTypes.has(type) ? openValue(plain) : undefined)
}

function wholeSpan(spans: readonly Span<number>[], end: number): number | undefined {
  return spans.find((span) => span.end === end)?.value
}

/** The number of words without "percent" or "degrees" behind them. */
function withoutUnit(words: readonly string[]): number {
  const last = words.at(-1)
  return last === 'percent' || last === 'degrees' ? words.length - 1 : words.length
}

function withoutArticle(words: readonly string[]): readonly string[] {
  return words.length > 1 && ['the', 'a', 'an', 'my', 'some'].includes(words[0] ?? '')
    ? words.slice(1)
    : words
}

/** The listed value that differs only by slips. */
function nearest(values: Iterable<{ value: string; words: readonly string[] }>, words: readonly string[]) {
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of values) {
    if (candidate.words.length !== words.length) continue
    const cost = candidate.words.reduce(
      (sum, meant, index) => sum + (words[index] === meant ? 0 : slipCost(words[index] ?? '', meant)),
      0,
    )
    if (cost < least) {
      best = candidate.value
      least = cost
    }
  }
  return best
}

function openValue(words: readonly string[]): string | undefined {
  const tellable = words.length > 0 && words.length <= MAX_OPEN_WORDS && !words.includes(UNKNOWN_WORD)
  return tellable ? words.join(' ') : undefined
}
