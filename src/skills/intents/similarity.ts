/**
 * How alike two words are to a recogniser or a hasty typist, and how much a missing or surplus word matters.
 *
 * Costs are in words: 0 is equal, 1 is a whole wrong word. Words that turn a command into its opposite can
 * neither be dropped nor replaced: their cost is infinite.
 */
import { UNKNOWN_WORD } from './normalise.ts'

/** Noises and polite words that mean nothing anywhere in a command. */
const FILLERS = setOf('um uh uhm er erm ah oh hmm mm well please hey okay just kindly alright thanks')

/** Words speakers swallow and recognisers confuse; one may be heard for another of its row. */
const SMALL_WORDS: readonly ReadonlySet<string>[] = [
  setOf('the a an my our your this that some'),
  setOf('to in at for of on into from'),
  setOf('it me us and'),
]

/** Words of hesitation that mean something in some sentences: "would you like coffee". */
const HEDGES = setOf('like so maybe actually basically right')

/** Words that make a question of a sentence, or say who acts: short, but not to be lost. */
const TURNING_WORDS = setOf('is are am be do does did have has i you we he she they can will')

/** Words whose loss, or a slip for them, would change a command. */
const NEVER_SKIPPED = setOf(
  'on off up down not no all everything and more warmer colder louder quieter brighter darker lock unlock open close',
)

/** A sentence with one of these says something else than the sentence without it. */
const CHANGES_MEANING = setOf(
  'not never no none nothing without except but unless if when until till before after later longer more less too ' +
    'tomorrow tonight yesterday every each all only instead on off up down or cancel stop undo unlock everything ' +
    'because said says was were had should do does did have has is are am can',
)

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.split(' '))
}

/** Words that sound alike, and slips of words too short to be repaired by distance. */
const HOMOPHONES: readonly (readonly string[])[] = [
  ['to', 'two', 'too'],
  ['for', 'four', 'fore', 'fur'],
  ['one', 'won'],
  ['eight', 'ate'],
  ['six', 'sicks', 'sex'],
  ['nine', 'mine'],
  ['ten', 'tin'],
  ['on', 'own'],
  ['of', 'off'],
  ['hour', 'our'],
  ['hours', 'ours'],
  ['by', 'buy', 'bye'],
  ['write', 'right'],
  ['red', 'read'],
  ['and', 'end', 'an', 'adn'],
  ['in', 'inn'],
  ['tea', 'tee', 't'],
  ['flour', 'flower'],
  ['bread', 'bred'],
  ['meet', 'meat'],
  ['weather', 'whether'],
  ['know', 'no'],
  ['there', 'their'],
  ['add', 'ad', 'at'],
  ['night', 'knight'],
  ['mute', 'moot'],
  ['list', 'lists', 'least'],
  ['light', 'lite'],
  ['lights', 'lites', "light's"],
  ['minutes', 'minute', 'minuets'],
  ['seconds', 'second'],
  ['time', 'thyme'],
  ['mom', 'mum', 'ma'],
  ['i', 'eye'],
  ['need', 'kneed', 'knead'],
  ['what', 'watt', 'wot'],
  ['is', 'his'],
  ['degrees', 'degree'],
  ['the', 'teh', 'hte'],
]

/** Heard → meant, and never the other way: "set a time" is a timer, "what is the timer at" is not the time. */
const HEARD_FOR: readonly (readonly [heard: string, meant: string])[] = [['time', 'timer']]

/** Homophones and an ending more or less sound nearly alike; the context has already chosen the word. */
const HOMOPHONE_COST = 0.2
const SMALL_COST = 0.3
const TURNING_COST = 0.8
const FILLER_COST = 0.03
const DOUBLED_COST = 0.1

/** A word nobody understood, in front of a command. Inside or behind, it may be the word that matters. */
const UNKNOWN_BEFORE_COST = 1
const UNKNOWN_COST = Number.POSITIVE_INFINITY

/**
 * A telling word too many or too few makes another sentence: "do we need flour", "how cold is the house". Tried with
 * smaller costs on 4,000 free phrasings, most of what was then accepted was wrong; the language model does better.
 */
const TELLING_WORD_COST = Number.POSITIVE_INFINITY

const SOUNDS_LIKE = pairs(HOMOPHONES)

function pairs(groups: readonly (readonly string[])[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>(HEARD_FOR.map(([heard, meant]) => [heard, new Set([meant])]))
  for (const group of groups) {
    for (const word of group) {
      const others = found.get(word) ?? new Set()
      for (const other of group) if (other !== word) others.add(other)
      found.set(word, others)
    }
  }
  return found
}

/** The words `word` may be heard for. */
export function homophonesOf(word: string): ReadonlySet<string> {
  return SOUNDS_LIKE.get(word) ?? NOTHING
}

const NOTHING: ReadonlySet<string> = new Set()

/** Words too common to tell sentences apart. */
export function isSmall(word: string): boolean {
  return SMALL_WORDS.some((row) => row.has(word)) || TURNING_WORDS.has(word)
}

/** What leaving out a heard word costs, `before` the command or later. */
export interface DropCost {
  readonly before: number
  readonly later: number
}

/** `before` is the word in front of it. `known`: the grammar has it. */
export function dropCost(word: string, before: string | undefined, known: boolean): DropCost {
  const listed = known || isSmall(word) || FILLERS.has(word) || HEDGES.has(word) || CHANGES_MEANING.has(word)
  if (word === UNKNOWN_WORD || (!listed && word !== before)) {
    return { before: UNKNOWN_BEFORE_COST, later: UNKNOWN_COST }
  }
  const cost = knownDropCost(word, before)
  return { before: cost, later: cost }
}

function knownDropCost(word: string, before: string | undefined): number {
  if (word === before) return DOUBLED_COST
  if (CHANGES_MEANING.has(word)) return Number.POSITIVE_INFINITY
  if (FILLERS.has(word)) return FILLER_COST
  if (HEDGES.has(word)) return SMALL_COST
  if (TURNING_WORDS.has(word)) return TURNING_COST
  return isSmall(word) ? SMALL_COST : TELLING_WORD_COST
}

/** The cost of a word of the template nobody heard. */
export function skipCost(word: string): number {
  if (NEVER_SKIPPED.has(word)) return Number.POSITIVE_INFINITY
  return isSmall(word) && !TURNING_WORDS.has(word) ? SMALL_COST : TELLING_WORD_COST
}

/** The cost of hearing `heard`, a word of its own, where the template has `meant`. */
export function confusionCost(heard: string, meant: string): number {
  if (heard === meant) return 0
  if (SOUNDS_LIKE.get(heard)?.has(meant)) return HOMOPHONE_COST
  if (NEVER_SKIPPED.has(heard) || NEVER_SKIPPED.has(meant)) return Number.POSITIVE_INFINITY
  return SMALL_WORDS.some((row) => row.has(heard) && row.has(meant)) ? SMALL_COST : Number.POSITIVE_INFINITY
}

/**
 * The cost of a slip of the tongue or the keyboard that turned `meant` into `heard`; infinite when they are too
 * different. Short words are never guessed: three letters have too many neighbours. Words nearly always keep
 * their first letter.
 */
export function slipCost(heard: string, meant: string): number {
  const allowed = allowedEdits(Math.max(heard.length, meant.length))
  if (allowed === 0 || NEVER_SKIPPED.has(meant)) return Number.POSITIVE_INFINITY
  const edits = editDistance(heard, meant, allowed)
  if (edits > allowed) return Number.POSITIVE_INFINITY
  return 0.1 + 0.2 * edits + (heard[0] === meant[0] ? 0 : 0.4)
}

/** Edits between two words that still count as a slip; `length` is that of the longer one. */
export function allowedEdits(length: number): number {
  if (length < 4) return 0
  return length < 8 ? 1 : 2
}

/**
 * Damerau–Levenshtein distance (optimal string alignment: insert, delete, replace, swap two neighbours).
 * Stops early and returns `limit + 1` when the distance exceeds `limit`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1)
      }
      row.push(best)
      least = Math.min(least, best)
    }
    if (least > limit) return limit + 1
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length]!, limit + 1)
}
