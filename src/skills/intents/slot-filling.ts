/**
 * The slots of an intent whose sentence no template fits: found in the text itself, by the same parsers as a
 * template's. A language model that named the intent only proposes values; small models copy badly ("thirty" for
 * "thirty three"), while the text says what was meant.
 */
import type { Grammar, IntentDefinition, SlotDefinition } from './grammar.ts'
import type { SlotValue } from './intent.ts'
import { Lattice } from './lattice.ts'
import { normalise, UNKNOWN_WORD } from './normalise.ts'
import { homophonesOf, slipCost } from './similarity.ts'

/** The longest value of an open type: "the good olive oil". */
const MAX_OPEN_WORDS = 4

/** A value some slot's type has in words[start, end). */
interface Place {
  readonly slot: string
  readonly start: number
  readonly end: number
  readonly value: string | number
  readonly cost: number
}

/**
 * The slots of `definition` that the text fills.
 * @param proposed spoken values by slot, as the model gave them; any names and texts.
 */
export function fillSlots(
  grammar: Grammar,
  definition: IntentDefinition,
  words: readonly string[],
  proposed: ReadonlyMap<string, readonly string[]>,
): Record<string, SlotValue> {
  const places = longestPlaces(findPlaces(grammar, definition, words, proposed), proposed)
  const slots: Record<string, SlotValue> = {}
  for (const [name, slot] of definition.slots) {
    const found = places.filter((place) => place.slot === name).map((place) => place.value)
    const asSaid = proposed.get(name) ?? []
    const open = slot.many || found.length === 0 ? openValues(grammar, slot, asSaid, words, places) : []
    const value = choose(grammar, slot, [...new Set([...found, ...open])], asSaid)
    if (value !== undefined) slots[name] = value
  }
  return slots
}

function findPlaces(
  grammar: Grammar,
  definition: IntentDefinition,
  words: readonly string[],
  proposed: ReadonlyMap<string, readonly string[]>,
): Place[] {
  const lattice = new Lattice(grammar, words)
  return [...definition.slots].flatMap(([slot, { type, optional }]) => {
    // "one" is a number and much else ("the one for the nap"): only where a number is wanted.
    if (type === 'number' && optional && !proposed.has(slot)) return []
    // Words taken for numbers by their sound ("to", "for") are everywhere.
    const exactOnly = type === 'number' || type === 'duration' || type === 'moment'
    return words.flatMap((_, start) => {
      const spans = exactOnly ? lattice.exact(type, start).spans : lattice.loose(type, start)
      return spans.map(({ end, value, cost }) => ({ slot, start, end, value, cost }))
    })
  })
}

/**
 * Those that do not overlap a longer one: "garage door" hides "garage", "five minutes" hides "five". Of two slots
 * that want the same words, the one the model named gets them.
 */
function longestPlaces(places: readonly Place[], proposed: ReadonlyMap<string, unknown>): Place[] {
  const kept: Place[] = []
  const length = (place: Place): number => place.end - place.start
  const named = (place: Place): number => (proposed.has(place.slot) ? 0 : 1)
  const order = (a: Place, b: Place): number =>
    length(b) - length(a) || a.cost - b.cost || named(a) - named(b) || a.start - b.start
  for (const place of [...places].sort(order)) {
    if (kept.every((other) => place.end <= other.start || place.start >= other.end)) kept.push(place)
  }
  return kept.sort((a, b) => a.start - b.start)
}

/** All values where the slot takes many; else the only one, or the one the model proposed. */
function choose(
  grammar: Grammar,
  slot: SlotDefinition,
  values: readonly (string | number)[],
  proposed: readonly string[],
): SlotValue | undefined {
  const first = values[0]
  if (first === undefined) return undefined
  if (slot.many) return values.map(String)
  if (values.length === 1) return first
  const wanted = proposed.map((text) => listedValue(grammar, slot.type, normalise(text).words))
  return values.find((value) => wanted.includes(value))
}

/** Proposed values no list has, if the text has their words and no listed value stands on them. */
function openValues(
  grammar: Grammar,
  slot: SlotDefinition,
  proposed: readonly string[],
  words: readonly string[],
  places: readonly Place[],
): string[] {
  if (!grammar.openTypes.has(slot.type)) return []
  const free = words.filter((_, at) => places.every((place) => at < place.start || at >= place.end))
  return proposed.flatMap((text) => {
    const spoken = withoutArticle(normalise(text).words)
    const tellable = spoken.length > 0 && spoken.length <= MAX_OPEN_WORDS && !spoken.includes(UNKNOWN_WORD)
    return tellable && spoken.every((word) => isHeard(word, free)) ? [spoken.join(' ')] : []
  })
}

function listedValue(grammar: Grammar, type: string, words: readonly string[]): string | number | undefined {
  const plain = withoutArticle(words)
  return new Lattice(grammar, plain).loose(type, 0).find((span) => span.end === plain.length)?.value
}

function isHeard(word: string, heard: readonly string[]): boolean {
  return heard.some(
    (other) => other === word || homophonesOf(other).has(word) || Number.isFinite(slipCost(other, word)),
  )
}

function withoutArticle(words: readonly string[]): readonly string[] {
  return words.length > 1 && ['the', 'a', 'an', 'my', 'some'].includes(words[0] ?? '')
    ? words.slice(1)
    : words
}
