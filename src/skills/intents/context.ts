/**
 * Fragments that mean something only in a conversation: the answer to a question ("For how long?" "five
 * minutes"), and a repetition with one thing changed ("and in the kitchen", "and bread").
 */
import { type Grammar, missingSlots, type SlotDefinition } from './grammar.ts'
import { type Intent, NO_INTENT, type Reading, type ReadingContext, type SlotValue } from './intent.ts'
import type { Lattice } from './lattice.ts'
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
    last === undefined ? reading : repeated(grammar, reading, last),
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

/** Words that may stand around an answer: "[make it] five minutes", "in the kitchen", "the pasta one". */
const AROUND_ANSWERS = new Set(
  'for in to on at the a an my it is and also make add one timer of about uh um please i need want'.split(
    ' ',
  ),
)

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
  const definitions = grammar.intents.get(intent.name)?.slots
  if (definitions?.get(asked) === undefined) return undefined
  const found: Record<string, SlotValue> = {}
  let place = 0
  let inside = false
  while (place < lattice.words.length && !(ends.has(place) && asked in found)) {
    const value = valueAt(lattice, definitions, asked, intent, found, place)
    if (value !== undefined) {
      found[value.slot] = merged(value.definition, found[value.slot], value.value)
      inside = value.open
      place = value.end
    } else if (AROUND_ANSWERS.has(lattice.words[place]!)) {
      inside = false
      place += 1
    } else break
  }
  const counts = { words: lattice.words.length, unknown: 0 }
  if (!(asked in found) || !ends.has(place)) {
    if (!isBegun(lattice, definitions, asked)) return undefined
    return { intent: NO_INTENT, score: 0, complete: false, extendable: 'likely', missing: [asked], ...counts }
  }
  const answered: Intent = { name: intent.name, slots: { ...intent.slots, ...found } }
  const missing = missingSlots(grammar, answered)
  const many = definitions.get(asked)?.many ?? false
  return {
    intent: answered,
    score: 1,
    complete: true,
    extendable: inside || many ? 'possible' : 'no',
    missing,
    ...counts,
  }
}

interface AnswerValue {
  readonly slot: string
  readonly definition: SlotDefinition
  readonly value: string | number
  readonly end: number
  /** The value could go on: "five minutes" … "and ten seconds". */
  readonly open: boolean
}

/** The longest value at `place`: of the slot asked for first, else of one that is empty. */
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
    const longest = spans.reduce((best, span) => (span.end > best.end ? span : best), spans[0] ?? NO_SPAN)
    if (longest !== NO_SPAN) return { slot, definition, value: longest.value, end: longest.end, open }
  }
  return undefined
}

const NO_SPAN = { end: 0, value: '', cost: 0 }

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
