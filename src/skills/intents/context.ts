/**
 * Fragments that mean something only in a conversation: the answer to a question ("For how long?" "five
 * minutes"), and a repetition with one thing changed ("and in the kitchen", "and bread").
 */

import { unitOf } from './durations.ts'
import { type Grammar, isType, missingSlots, type SlotDefinition } from './grammar.ts'
import { type Intent, NO_INTENT, type Reading, type ReadingContext, type SlotValue } from './intent.ts'
import type { Lattice, SlotSpan } from './lattice.ts'
import type { Surroundings } from './surroundings.ts'

/** Rewrites `readings` (best first) by what was said before. */
export function applyContext(
  grammar: Grammar,
  lattice: Lattice,
  surroundings: Surroundings,
  readings: readonly Reading[],
  { expecting, last }: ReadingContext,
): Reading[] {
  const continued = readings.map((reading) =>
    last === undefined ? reading : followed(grammar, repeated(grammar, reading, last), last),
  )
  if (expecting === undefined || interrupts(continued[0])) return continued
  const answer = readAnswer(grammar, lattice, surroundings, expecting.intent, expecting.slot)
  if (answer === undefined) return continued
  // A whole sentence that is no answer is a new command, even if an answer could begin like it.
  const command = continued[0]
  const isCommand = command !== undefined && command.score > 0 && !FRAGMENTS.has(command.intent.name)
  return answer.score === 0 && isCommand ? continued : [answer, ...continued]
}

/** "cancel", "no", "what can I say": never an answer, whatever was asked. */
function interrupts(reading: Reading | undefined): boolean {
  return (
    reading?.score === 1 && reading.intent.name.startsWith('session.') && !FRAGMENTS.has(reading.intent.name)
  )
}

/** Intents of words that are no sentence. */
export const FRAGMENTS: ReadonlySet<string> = new Set(['session.answer', 'session.also'])

/** Whether an intent is one fragment of others only. */
export const isFragment = (intent: string): boolean => FRAGMENTS.has(intent)

/** Whether that can be meant after what was said last. */
export function isInPlace(grammar: Grammar, intent: string, last: Intent | undefined): boolean {
  const follows = grammar.intents.get(intent)?.follows
  return follows === undefined || (last !== undefined && last.name in follows)
}

/** "make it ten": what was not said again is as it was, and ten of something is ten of what it was. */
function followed(grammar: Grammar, reading: Reading, last: Intent): Reading {
  const definition = grammar.intents.get(reading.intent.name)
  const from = definition?.follows?.[last.name]
  if (definition === undefined || from === undefined) return reading
  const kept = Object.entries(from).flatMap(([slot, theirs]) => {
    const value = last.slots[theirs]
    return value === undefined ? [] : [[slot, value] as const]
  })
  const slots = { ...Object.fromEntries(kept), ...reading.intent.slots }
  const intent = { name: definition.name, slots: inUnit(definition.slots, slots, last) }
  return { ...reading, intent, missing: missingSlots(grammar, intent) }
}

function inUnit(
  definitions: ReadonlyMap<string, SlotDefinition>,
  slots: Readonly<Record<string, SlotValue>>,
  last: Intent,
): Readonly<Record<string, SlotValue>> {
  const typed = (type: string): string[] =>
    [...definitions].filter(([, definition]) => definition.type === type).map(([slot]) => slot)
  const number = typed('number').find((slot) => typeof slots[slot] === 'number')
  const duration = typed('duration').find((slot) => !(slot in slots))
  const before = Object.values(last.slots).find((value) => typeof value === 'number')
  if (number === undefined || duration === undefined || typeof before !== 'number') return slots
  const { [number]: count, ...rest } = slots
  return { ...rest, [duration]: Number(count) * unitOf(before) }
}

/** Words that may stand around an answer: "[make it] five minutes", "in the kitchen", "the pasta one". */
const AROUND_ANSWERS = new Set(
  'for in to on at the a an my it is and also make add one timer of about uh um please i need want'.split(
    ' ',
  ),
)

/** An answer that ends with one of these is not at its end: "milk and". */
const JOINING_WORDS = new Set('for in to on at and of'.split(' '))

/** An answer some word of which had to be repaired: "five minuets". */
const DAMAGED_SCORE = 0.9

/** "for", "five", "living": an answer that has only begun. */
function isBegun(lattice: Lattice, definitions: ReadonlyMap<string, SlotDefinition>, asked: string): boolean {
  const type = definitions.get(asked)?.type
  const place = lattice.words.findIndex((word) => !AROUND_ANSWERS.has(word))
  if (type === undefined || lattice.words.length === 0) return false
  return place < 0 || lattice.exact(type, place).open
}

/**
 * The whole text as values of the slot asked for, then of slots still empty ("call mom in ten minutes").
 * Undefined when it is something else.
 */
function readAnswer(
  grammar: Grammar,
  lattice: Lattice,
  { ends }: Surroundings,
  intent: Intent,
  asked: string,
): Reading | undefined {
  const definitions = slotsToFill(grammar, intent, asked)
  if (definitions === undefined) return undefined
  const found: Record<string, SlotValue> = {}
  let place = 0
  let inside = false
  let damaged = false
  while (place < lattice.words.length && !(ends.has(place) && Object.keys(found).length > 0)) {
    const value = valueAt(lattice, definitions, asked, intent, found, place)
    if (value !== undefined) {
      found[value.slot] = merged(value.definition, found[value.slot], value.value)
      inside = value.open
      damaged ||= value.damaged
      place = value.end
    } else if (AROUND_ANSWERS.has(lattice.words[place]!)) {
      inside = false
      place += 1
    } else break
  }
  const counts = { words: lattice.words.length, unknown: 0 }
  const unfinished = JOINING_WORDS.has(lattice.words[place - 1] ?? '') && place === lattice.words.length
  if (Object.keys(found).length === 0 || !ends.has(place) || unfinished) {
    if (!unfinished && !isBegun(lattice, definitions, asked)) return undefined
    return { intent: NO_INTENT, score: 0, complete: false, extendable: 'likely', missing: [asked], ...counts }
  }
  const answered: Intent = { name: intent.name, slots: { ...intent.slots, ...found } }
  const missing = missingSlots(grammar, answered)
  const many = definitions.get(asked)?.many ?? false
  return {
    intent: answered,
    score: damaged ? DAMAGED_SCORE : 1,
    complete: true,
    extendable: inside || many || missing.length > 0 ? 'possible' : 'no',
    missing,
    ...counts,
  }
}

/** The intent's slots, and the one asked for if it is no slot but a type: a skill may ask "which room?". */
function slotsToFill(
  grammar: Grammar,
  intent: Intent,
  asked: string,
): ReadonlyMap<string, SlotDefinition> | undefined {
  const definitions = grammar.intents.get(intent.name)?.slots
  if (definitions === undefined || definitions.has(asked)) return definitions
  if (!isType(grammar, asked)) return undefined
  return new Map([...definitions, [asked, { type: asked, optional: true, many: false, ask: undefined }]])
}

interface AnswerValue {
  readonly slot: string
  readonly definition: SlotDefinition
  readonly value: string | number
  readonly end: number
  /** The value could go on: "five minutes" … "and ten seconds". */
  readonly open: boolean
  readonly damaged: boolean
}

/** The longest value at `place`: of the slot asked for first, else of one that is empty, else a repaired one. */
function valueAt(
  lattice: Lattice,
  definitions: ReadonlyMap<string, SlotDefinition>,
  asked: string,
  intent: Intent,
  found: Readonly<Record<string, SlotValue>>,
  place: number,
): AnswerValue | undefined {
  for (const slot of [asked, ...definitions.keys()]) {
    const definition = definitions.get(slot)!
    const empty = !(slot in found) && (slot === asked || !(slot in intent.slots))
    if (!empty && !definition.many) continue
    const { spans, open } = lattice.exact(definition.type, place)
    const longest = longestOf(spans)
    if (longest !== undefined)
      return { slot, definition, value: longest.value, end: longest.end, open, damaged: false }
  }
  // "to" and "for" sound like numbers and stand in most answers.
  const definition = definitions.get(asked)!
  if (definition.type === 'number' || asked in found) return undefined
  const repaired = longestOf(lattice.loose(definition.type, place))
  if (repaired === undefined) return undefined
  return { slot: asked, definition, value: repaired.value, end: repaired.end, open: false, damaged: true }
}

function longestOf(spans: readonly SlotSpan[]): SlotSpan | undefined {
  return spans.reduce<SlotSpan | undefined>(
    (best, span) => (best === undefined || span.end > best.end ? span : best),
    undefined,
  )
}

function merged(
  definition: SlotDefinition,
  before: SlotValue | undefined,
  value: string | number,
): SlotValue {
  if (!definition.many) return value
  return [...new Set([...(Array.isArray(before) ? before : []), String(value)])]
}

/** "and in the kitchen": the last intent with the value that was named, if it has a slot of that type. */
function repeated(grammar: Grammar, reading: Reading, last: Intent): Reading {
  if (reading.intent.name !== 'session.also') return reading
  const named = grammar.intents.get('session.also')?.slots
  const slots: Record<string, SlotValue> = { ...last.slots }
  for (const [name, value] of Object.entries(reading.intent.slots)) {
    const type = named?.get(name)?.type
    const target = [...(grammar.intents.get(last.name)?.slots ?? [])].find(([, slot]) => slot.type === type)
    if (target === undefined) return reading
    slots[target[0]] = target[1].many ? [value].flat().map(String) : value
  }
  return {
    ...reading,
    intent: { name: last.name, slots },
    missing: missingSlots(grammar, { name: last.name, slots }),
  }
}
