/** What is looked up while reading, prepared once from the patterns and types of a grammar. */
import { DURATION_WORDS } from './durations.ts'
import { MOMENT_WORDS } from './moments.ts'
import { NUMBER_WORDS } from './numbers.ts'
import type { Pattern, Token } from './patterns.ts'
import { isSmall } from './similarity.ts'

/** A value of a list type: what the skill gets, and the words it is spoken with. */
export interface SpokenValue {
  readonly value: string
  readonly words: readonly string[]
}

export interface Conflict {
  /** As in a template: "turn on the {device}". */
  readonly form: string
  readonly intents: readonly [first: string, later: string]
}

export function byFirstWord(values: readonly SpokenValue[]): Map<string, SpokenValue[]> {
  const found = new Map<string, SpokenValue[]>()
  for (const value of values) {
    const first = value.words[0] ?? ''
    found.set(first, [...(found.get(first) ?? []), value])
  }
  return found
}

export function collectVocabulary(
  patterns: readonly Pattern[],
  types: ReadonlyMap<string, readonly SpokenValue[]>,
  phrases: readonly (readonly string[])[],
): Set<string> {
  return new Set([
    ...patterns.flatMap((pattern) =>
      pattern.tokens.flatMap((token) => (token.kind === 'word' ? token.text : [])),
    ),
    ...[...types.values()].flatMap((values) => values.flatMap((value) => value.words)),
    ...phrases.flat(),
    ...NUMBER_WORDS,
    ...DURATION_WORDS,
    ...(patterns.some(({ tokens }) => tokens.some(isMoment)) ? MOMENT_WORDS : []),
  ])
}

/** The key of a slot is its type alone: whatever is found of the type may fill it. */
export function indexPatterns(patterns: readonly Pattern[]): Map<string, number[]> {
  const index = new Map<string, number[]>()
  for (const pattern of patterns) {
    // A damaged sentence with a hole in it fits whatever is said.
    if (pattern.tokens.some(isFree)) continue
    for (const key of new Set(pattern.tokens.map(indexKey))) {
      if (isSmall(key)) continue
      const list = index.get(key)
      if (list === undefined) index.set(key, [pattern.index])
      else list.push(pattern.index)
    }
  }
  return index
}

/** Takes words nobody listed. */
export const isFree = (token: Token): boolean => token.kind === 'slot' && token.type === 'text'
const isMoment = (token: Token): boolean => token.kind === 'slot' && token.type === 'moment'

export function findConflicts(patterns: readonly Pattern[]): Conflict[] {
  const first = new Map<string, string>()
  const conflicts: Conflict[] = []
  for (const { intent, tokens, negative } of patterns) {
    if (negative) continue
    const form = tokens.map((token) => (token.kind === 'word' ? token.text : `{${token.type}}`)).join(' ')
    const other = first.get(form)
    if (other === undefined) first.set(form, intent)
    else if (other !== intent) conflicts.push({ form, intents: [other, intent] })
  }
  return conflicts
}

export function indexKey(token: Token): string {
  return token.kind === 'word' ? token.text : `{${token.type}}`
}
