/** Honest words about an intent: what was understood, when nothing here can do it. */
import { sayDuration } from './durations.ts'
import type { Grammar } from './grammar.ts'
import type { Intent, SlotValue } from './intent.ts'
import { sayNumber } from './numbers.ts'
import type { Pattern } from './patterns.ts'

/** "I understood: turn on the kitchen lights. Nothing here can do that yet." */
export function sayUnhandled(grammar: Grammar, intent: Intent): string {
  const spoken = sayIntent(grammar, intent)
  if (spoken === undefined) return 'I understood you, but nothing here can do that yet.'
  return `I understood: ${spoken}. Nothing here can do that yet.`
}

/** The intent as its own templates would say it; undefined for an intent the grammar does not have. */
// All values are said if a form has room for them; then earlier templates go first, as they are the plainest.
export function sayIntent(grammar: Grammar, intent: Intent): string | undefined {
  const [fullest] = grammar.patterns
    .filter((pattern) => pattern.intent === intent.name && !pattern.negative && isSayable(pattern, intent))
    .sort(
      (a, b) => slotCount(b) - slotCount(a) || a.template - b.template || a.tokens.length - b.tokens.length,
    )
  if (fullest === undefined) return undefined
  const words = fullest.tokens.map((token) =>
    token.kind === 'word' ? token.text : sayValue(token.type, intent.slots[token.name]!),
  )
  return words.map((word) => (word === 'i' ? 'I' : word)).join(' ')
}

/** Every slot of the form has a value and occurs once. */
function isSayable(pattern: Pattern, intent: Intent): boolean {
  const names = pattern.tokens.flatMap((token) => (token.kind === 'slot' ? [token.name] : []))
  return names.every((name) => Object.hasOwn(intent.slots, name)) && new Set(names).size === names.length
}

function slotCount(pattern: Pattern): number {
  return pattern.tokens.filter((token) => token.kind === 'slot').length
}

function sayValue(type: string, value: SlotValue): string {
  if (typeof value === 'number') return type === 'duration' ? sayDuration(value) : sayNumber(value)
  return typeof value === 'string' ? value : sayList(value)
}

/** "milk", "milk and bread", "milk, bread and eggs". */
function sayList(values: readonly string[]): string {
  const last = values.at(-1) ?? ''
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} and ${last}`
}
