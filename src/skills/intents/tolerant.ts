/**
 * Finds the sentence forms a damaged text most likely was: a few candidates by the telling words they share with
 * it, each aligned with the text at the least cost (weighted edit distance over words and slot values).
 */
import type { Binding, Match } from './exact.ts'
import type { Grammar } from './grammar.ts'
import type { Lattice } from './lattice.ts'
import type { Pattern } from './patterns.ts'
import { type DropCost, dropCost, homophonesOf, isSmall, skipCost } from './similarity.ts'
import type { Surroundings } from './surroundings.ts'

/** Forms aligned with one text. The right one was among the first 5 in all damaged sentences we tried. */
const MAX_CANDIDATES = 24

/** Forms looked at to find the candidates: bounds the time when hundreds of skills use the same words. */
const MAX_LOOKED_UP = 3_000

/** Alignments costing more than this many wrong words are given up. */
const MAX_DAMAGE = 2

export interface TolerantMatches {
  readonly matches: readonly Match[]
  /** Forms that begin with the whole text and go on. */
  readonly prefixes: readonly Match[]
}

export function matchTolerantly(
  grammar: Grammar,
  lattice: Lattice,
  surroundings: Surroundings,
): TolerantMatches {
  const matches: Match[] = []
  const prefixes: Match[] = []
  const drops = dropCosts(grammar, lattice.words)
  for (const pattern of candidates(grammar, lattice)) {
    const alignment = new Alignment(pattern, lattice, drops)
    alignment.fill(surroundings.starts)
    const whole = alignment.best(surroundings.ends)
    if (whole !== undefined) matches.push(whole)
    const prefix = alignment.bestPrefix()
    if (prefix !== undefined) prefixes.push(prefix)
  }
  return { matches, prefixes }
}

function dropCosts(grammar: Grammar, words: readonly string[]): DropCost[] {
  return words.map((word, place) => dropCost(word, words[place - 1], grammar.vocabulary.has(word)))
}

/**
 * The forms sharing most with the text. A word few forms have tells more than one many have, so rare words are looked
 * up first; when the bound is reached only the commonest are left, which tell little.
 */
function candidates(grammar: Grammar, lattice: Lattice): Pattern[] {
  const shared = new Map<number, number>()
  const found = [...tellingKeys(grammar, lattice)].flatMap((key) => {
    const forms = grammar.index.get(key)
    return forms === undefined ? [] : [forms]
  })
  let left = MAX_LOOKED_UP
  for (const forms of found.sort((a, b) => a.length - b.length)) {
    const weight = 1 + 3 / (3 + Math.log2(forms.length))
    for (const form of forms.slice(0, left)) shared.set(form, (shared.get(form) ?? 0) + weight)
    left = Math.max(0, left - forms.length)
  }
  return [...shared]
    .map(([form, weight]) => ({ pattern: grammar.patterns[form]!, weight }))
    .map(({ pattern, weight }) => ({ pattern, rank: weight - 0.25 * pattern.tokens.length }))
    .sort((a, b) => b.rank - a.rank || a.pattern.index - b.pattern.index)
    .slice(0, MAX_CANDIDATES)
    .map(({ pattern }) => pattern)
}

function tellingKeys(grammar: Grammar, lattice: Lattice): Set<string> {
  const keys = new Set<string>()
  for (const word of lattice.words) {
    for (const meant of [word, ...homophonesOf(word), ...lattice.slipsOf(word).keys()]) {
      if (!isSmall(meant)) keys.add(meant)
    }
  }
  for (const type of [...grammar.types.keys(), 'number', 'duration']) {
    if (lattice.words.some((_, place) => lattice.loose(type, place).length > 0)) keys.add(`{${type}}`)
  }
  return keys
}

const UNREACHED = -1
const BEGINNING = -2

/** The table of least costs: cell (i, j) = the first i words are accounted for by the first j tokens. */
class Alignment {
  private readonly pattern: Pattern
  private readonly lattice: Lattice
  private readonly drops: readonly DropCost[]
  private readonly rows: number
  private readonly columns: number
  private readonly costs: Float64Array
  private readonly from: Int32Array
  private readonly values: (string | number | undefined)[]
  /** The cheapest way to use up all words inside a slot's value, as the cell the slot begins at. */
  private openCell = UNREACHED

  constructor(pattern: Pattern, lattice: Lattice, drops: readonly DropCost[]) {
    this.pattern = pattern
    this.lattice = lattice
    this.drops = drops
    this.rows = lattice.words.length + 1
    this.columns = pattern.tokens.length + 1
    this.costs = new Float64Array(this.rows * this.columns).fill(Number.POSITIVE_INFINITY)
    this.from = new Int32Array(this.rows * this.columns).fill(UNREACHED)
    this.values = []
  }

  fill(starts: ReadonlySet<number>): void {
    for (const start of starts) this.reach(start * this.columns, BEGINNING, 0)
    for (let place = 0; place < this.rows; place += 1) {
      for (let column = 0; column < this.columns; column += 1) this.leave(place, column)
    }
  }

  /** Extends the alignment that ends in this cell by one word, one token or both. */
  private leave(place: number, column: number): void {
    const cell = place * this.columns + column
    const cost = this.costs[cell]!
    if (cost > MAX_DAMAGE) return
    if (place + 1 < this.rows) this.reach(cell + this.columns, cell, cost + this.dropCost(place, column))
    const token = this.pattern.tokens[column]
    if (token === undefined) return
    if (token.kind === 'word') {
      this.reach(cell + 1, cell, cost + skipCost(token.text))
      if (place + 1 < this.rows) {
        this.reach(cell + this.columns + 1, cell, cost + this.lattice.wordCost(place, token.text))
      }
      return
    }
    if (place + 1 === this.rows) return
    for (const span of this.lattice.loose(token.type, place)) {
      this.reach(span.end * this.columns + column + 1, cell, cost + span.cost, span.value)
    }
    const open = this.lattice.exact(token.type, place).open
    if (open && (this.openCell === UNREACHED || cost < this.costs[this.openCell]!)) this.openCell = cell
  }

  /** In front of a form that begins with a value an unknown word may be the verb: "finish my ten minute timer". */
  private dropCost(place: number, column: number): number {
    const cost = this.drops[place]!
    return column === 0 && this.pattern.tokens[0]?.kind === 'word' ? cost.before : cost.later
  }

  private reach(cell: number, from: number, cost: number, value?: string | number): void {
    if (cost >= this.costs[cell]!) return
    this.costs[cell] = cost
    this.from[cell] = from
    this.values[cell] = value
  }

  /** The best alignment of the whole form. */
  best(ends: ReadonlySet<number>): Match | undefined {
    let best = UNREACHED
    for (const end of ends) best = this.cheaper(best, end * this.columns + this.columns - 1)
    return best === UNREACHED ? undefined : this.traceBack(best, 0)
  }

  /** The best alignment of all words with a beginning of the form. */
  bestPrefix(): Match | undefined {
    const lastRow = (this.rows - 1) * this.columns
    let best = UNREACHED
    for (let column = 1; column < this.columns - 1; column += 1) best = this.cheaper(best, lastRow + column)
    if (this.openCell !== UNREACHED && this.cheaper(best, this.openCell) === this.openCell) {
      const inside = this.rows - 1 - Math.floor(this.openCell / this.columns)
      return this.traceBack(this.openCell, inside)
    }
    return best === UNREACHED ? undefined : this.traceBack(best, 0)
  }

  private cheaper(best: number, cell: number): number {
    const cost = this.costs[cell]!
    if (cost > MAX_DAMAGE) return best
    return best === UNREACHED || cost < this.costs[best]! ? cell : best
  }

  private traceBack(cell: number, matchedBeyond: number): Match {
    const bindings: Binding[] = []
    let matched = matchedBeyond
    for (let to = cell, from = this.from[to]!; from >= 0; to = from, from = this.from[to]!) {
      const words = Math.floor(to / this.columns) - Math.floor(from / this.columns)
      const tokens = (to % this.columns) - (from % this.columns)
      if (tokens === 1) matched += words
      const token = this.pattern.tokens[from % this.columns]
      const value = this.values[to]
      if (tokens === 1 && token?.kind === 'slot' && value !== undefined)
        bindings.push({ slot: token.name, value })
    }
    return { pattern: this.pattern, bindings: bindings.reverse(), damage: this.costs[cell]!, matched }
  }
}
