/**
 * `read`: what a text means, finished or not. It runs on every partial of the recogniser.
 *
 * M1  A sentence of a template, polite words around it aside, reads as that intent with score 1.
 * M2  An intent that is `exactOnly` is never read from anything else.
 * M3  A beginning of such a sentence is complete or extendable.
 * M4  A text that fits a negative example at least as well is not read as that intent.
 * M5  Two different commands that fit a damaged text equally well are both refused.
 * M6  Any string is answered, in time bounded by `MAX_WORDS`; the same input gives the same answer.
 */
import { applyContext, FRAGMENTS, isInPlace } from './context.ts'
import { type Binding, type ExactMatches, type Match, matchExactly } from './exact.ts'
import { type Grammar, missingSlots } from './grammar.ts'
import {
  type Extension,
  type Intent,
  NO_INTENT,
  OFFERED_SCORE,
  type Reading,
  type ReadingContext,
  type SlotValue,
} from './intent.ts'
import { Lattice } from './lattice.ts'
import { isFree } from './lookup.ts'
import { normalise } from './normalise.ts'
import { continues } from './patterns.ts'
import { findSurroundings } from './surroundings.ts'
import { matchTolerantly, type TolerantMatches } from './tolerant.ts'

/** The best reading. */
export function read(grammar: Grammar, text: string, context: ReadingContext = {}): Reading {
  return readAll(grammar, text, context)[0]!
}

/** All readings worth offering, best first; at least one, `none` if nothing fits. */
export function readAll(grammar: Grammar, text: string, context: ReadingContext = {}): Reading[] {
  const { words, truncated } = normalise(text)
  const lattice = new Lattice(grammar, words)
  const surroundings = findSurroundings(grammar, words)
  const counts = {
    words: words.length,
    unknown: words.filter((word) => !grammar.vocabulary.has(word)).length,
  }
  const exact = matchExactly(grammar.trie, lattice, surroundings)
  const begun =
    surroundings.opening ||
    exact.insideValue ||
    exact.insideText ||
    exact.frontier.some(({ node }) => continues(node))

  const inPlace = ({ pattern }: Match): boolean => isInPlace(grammar, pattern.intent, context.last)
  const matches = truncated ? [] : withoutNegatives(exact.matches.filter(inPlace).sort(bySource))
  const readings =
    matches.length > 0
      ? matches.map((match) => exactReading(grammar, match, exact, surroundings.closing, counts))
      : tolerantReadings(
          grammar,
          onlyInPlace(matchTolerantly(grammar, lattice, surroundings), inPlace),
          begun,
          truncated,
          counts,
        )
  return applyContext(grammar, lattice, surroundings, distinct(readings), context)
}

const onlyInPlace = (
  { matches, prefixes }: TolerantMatches,
  inPlace: (match: Match) => boolean,
): TolerantMatches => ({ matches: matches.filter(inPlace), prefixes: prefixes.filter(inPlace) })

type Counts = Pick<Reading, 'words' | 'unknown'>

function exactReading(
  grammar: Grammar,
  match: Match,
  exact: ExactMatches,
  closing: boolean,
  counts: Counts,
): Reading {
  const intent = intentOf(grammar, match)
  const missing = missingSlots(grammar, intent)
  return {
    intent,
    score: 1,
    complete: true,
    ...exactExtension(grammar, intent, missing, wantedBy(match, exact), closing),
    missing,
    ...counts,
  }
}

/** What takes any words has only those nobody else wants: a sentence that is listed does not wait for it to go on. */
function wantedBy({ pattern }: Match, exact: ExactMatches): ExactMatches {
  if (pattern.tokens.some(isFree)) return { ...exact, insideValue: exact.insideValue || exact.insideText }
  return { ...exact, frontier: exact.frontier.filter(({ free }) => !free) }
}

function exactExtension(
  grammar: Grammar,
  intent: Intent,
  missing: readonly string[],
  exact: ExactMatches,
  closing: boolean,
): Pick<Reading, 'extendable' | 'growth'> {
  const following = exact.frontier.filter(({ node }) => continues(node))
  if (missing.length > 0 && (following.length > 0 || exact.insideValue)) return { extendable: 'likely' }
  const meaning = meaningKey(intent)
  const changes = following.some(({ node, bindings }) => {
    if (node.settled === undefined) return true
    return meaningKey({ name: node.settled, slots: slotsOf(grammar, node.settled, bindings) }) !== meaning
  })
  if (changes) return { extendable: 'possible', growth: 'phrase' }
  if (exact.insideValue) return { extendable: 'possible', growth: 'value' }
  return closing || following.length > 0
    ? { extendable: 'no', growth: closing ? 'ending' : 'same' }
    : { extendable: 'no' }
}

/** Damage that makes a match half as good as an exact one, per word matched. */
const DAMAGE_PER_WORD = 0.8

/**
 * Damage a fragment may have ("five minutes", "and in the kitchen"). Every sentence contains one, so a fragment with
 * words around it is mostly a sentence we do not know.
 */
const MAX_FRAGMENT_DAMAGE = 0.25

/** A repaired sentence is never quite as good as an exact one. */
const BEST_REPAIRED = 0.99

/** Two commands whose damage differs by less than this cannot be told apart; below the second, nothing is in doubt. */
const DOUBT_MARGIN = 0.15
const DOUBT_FLOOR = 0.35

function tolerantReadings(
  grammar: Grammar,
  tolerant: TolerantMatches,
  begun: boolean,
  truncated: boolean,
  counts: Counts,
): Reading[] {
  const prefixDamage = begun ? 0 : leastDamage(tolerant.prefixes)
  const nothing: Reading = {
    intent: NO_INTENT,
    score: 0,
    complete: false,
    extendable: prefixDamage < Number.POSITIVE_INFINITY && !truncated ? 'likely' : 'no',
    missing: [],
    ...counts,
  }
  const matches = truncated ? [] : withoutNegatives([...tolerant.matches].sort(byFit))
  const best = matches[0]
  if (best === undefined || scoreOf(best) < OFFERED_SCORE) return [nothing]
  if (grammar.intents.get(best.pattern.intent)?.exactOnly) return [nothing]
  if (inDoubt(grammar, best, matches)) return [nothing]

  return matches
    .filter(
      (match) => scoreOf(match) >= OFFERED_SCORE && !grammar.intents.get(match.pattern.intent)?.exactOnly,
    )
    .map((match) => {
      const intent = intentOf(grammar, match)
      const missing = missingSlots(grammar, intent)
      const complete = match.damage <= prefixDamage
      const extendable = tolerantExtension(match, missing, begun, tolerant.prefixes)
      return { intent, score: scoreOf(match), complete, extendable, missing, ...counts }
    })
}

function tolerantExtension(
  match: Match,
  missing: readonly string[],
  begun: boolean,
  prefixes: readonly Match[],
): Extension {
  const following = prefixes.filter(
    (prefix) => prefix.damage <= match.damage && scoreOf(prefix) >= OFFERED_SCORE,
  )
  if (begun || following.some((prefix) => prefix.damage < match.damage)) return 'likely'
  if (following.length === 0) return 'no'
  if (missing.length > 0) return 'likely'
  const harmless = following.every(
    (prefix) =>
      prefix.pattern.intent === match.pattern.intent &&
      slotCount(prefix) === slotCount(match) &&
      slotCount(match) === prefix.bindings.length,
  )
  return harmless ? 'no' : 'possible'
}

function slotCount(match: Match): number {
  return match.pattern.tokens.filter((token) => token.kind === 'slot').length
}

function leastDamage(matches: readonly Match[]): number {
  const offered = matches.filter((match) => scoreOf(match) >= OFFERED_SCORE)
  return Math.min(Number.POSITIVE_INFINITY, ...offered.map((match) => match.damage))
}

function scoreOf({ pattern, damage, matched }: Match): number {
  if (damage === 0) return 1
  if (damage > MAX_FRAGMENT_DAMAGE && FRAGMENTS.has(pattern.intent)) return 0
  return matched === 0 ? 0 : Math.max(0, Math.min(BEST_REPAIRED, 1 - damage / (DAMAGE_PER_WORD * matched)))
}

/** Least damage first, then most words accounted for, then the order of the sources. */
function byFit(a: Match, b: Match): number {
  return a.damage - b.damage || b.matched - a.matched || a.pattern.index - b.pattern.index
}

/**
 * Of intents that share a sentence the one defined first has it: a skill cannot take words from the house. What takes any words has
 * only those nobody else wants.
 */
function bySource(a: Match, b: Match): number {
  return (
    Number(a.pattern.tokens.some(isFree)) - Number(b.pattern.tokens.some(isFree)) ||
    a.pattern.index - b.pattern.index
  )
}

/** M5. */
function inDoubt(grammar: Grammar, best: Match, matches: readonly Match[]): boolean {
  if (best.damage < DOUBT_FLOOR) return false
  const meaning = meaningKey(intentOf(grammar, best))
  return matches.some(
    (other) =>
      other.damage < best.damage + DOUBT_MARGIN &&
      other.matched >= best.matched &&
      meaningKey(intentOf(grammar, other)) !== meaning,
  )
}

/** M4. */
function withoutNegatives(matches: readonly Match[]): Match[] {
  const negatives = matches.filter((match) => match.pattern.negative)
  return matches.filter(
    (match) =>
      !match.pattern.negative &&
      !negatives.some(
        (negative) => negative.pattern.intent === match.pattern.intent && negative.damage <= match.damage,
      ),
  )
}

function distinct(readings: readonly Reading[]): Reading[] {
  const found = new Map<string, Reading>()
  for (const reading of readings) {
    const key = meaningKey(reading.intent)
    if (!found.has(key)) found.set(key, reading)
  }
  return [...found.values()]
}

function meaningKey(intent: Intent): string {
  return JSON.stringify([intent.name, Object.entries(intent.slots).sort()])
}

function intentOf(grammar: Grammar, match: Match): Intent {
  return { name: match.pattern.intent, slots: slotsOf(grammar, match.pattern.intent, match.bindings) }
}

/** Several values of one slot become a list; a slot that takes many is always a list. */
function slotsOf(grammar: Grammar, intent: string, bindings: readonly Binding[]): Record<string, SlotValue> {
  const definitions = grammar.intents.get(intent)?.slots
  const slots: Record<string, SlotValue> = {}
  for (const { slot, value } of bindings) {
    const before = slots[slot]
    if (before !== undefined) slots[slot] = [...new Set([before, String(value)].flat().map(String))]
    else slots[slot] = definitions?.get(slot)?.many ? [String(value)] : value
  }
  return slots
}
