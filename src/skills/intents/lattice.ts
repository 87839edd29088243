/**
 * Where in a sentence which slot values stand: found once per type and place, used by every template that has a
 * slot there.
 */
import { DURATION_WORDS, readDurations } from './durations.ts'
import { readFreeText } from './free-text.ts'
import type { Grammar } from './grammar.ts'
import type { SpokenValue } from './lookup.ts'
import { readMoments } from './moments.ts'
import { NUMBER_WORDS, readNumbers, type Spans } from './numbers.ts'
import { confusionCost, homophonesOf } from './similarity.ts'
import { findSlips } from './slips.ts'

/** A value in words[start, end). */
export interface SlotSpan {
  readonly end: number
  readonly value: string | number
  /** 0 when the words are exactly the value's. */
  readonly cost: number
}

export interface SlotSpans {
  readonly spans: readonly SlotSpan[]
  /** The words end inside a value: "living", "five minutes and". */
  readonly open: boolean
}

/** Damage a value may have, per word of it: beyond, it is another word. */
const MAX_COST_PER_WORD = 0.6

/** Unknown words a repair is sought for. With more than these the sentence is not one of ours. */
const MAX_REPAIRED_WORDS = 8

export class Lattice {
  readonly words: readonly string[]
  private readonly grammar: Grammar
  private readonly exactSpans = new Map<string, SlotSpans>()
  private readonly looseSpans = new Map<string, readonly SlotSpan[]>()
  private readonly slips = new Map<string, ReadonlyMap<string, number>>()
  private repairedNumbers: RepairedWords | undefined

  constructor(grammar: Grammar, words: readonly string[]) {
    this.grammar = grammar
    this.words = words
  }

  /** Values whose words stand at `start` exactly. */
  exact(type: string, start: number): SlotSpans {
    const key = `${type} ${start}`
    const known = this.exactSpans.get(key)
    if (known !== undefined) return known
    const found = this.findExact(type, start)
    this.exactSpans.set(key, found)
    return found
  }

  /** The same and, after them, values that are damaged. */
  loose(type: string, start: number): readonly SlotSpan[] {
    // What anything fits repairs everything.
    if (type === 'text') return []
    const key = `${type} ${start}`
    const known = this.looseSpans.get(key)
    if (known !== undefined) return known
    const exact = this.exact(type, start).spans
    const found = [...exact, ...this.findDamaged(type, start).filter((span) => span.cost > 0)]
    this.looseSpans.set(key, found)
    return found
  }

  /** The cost of taking the word at `place` for `meant`; infinite when it is another word. */
  wordCost(place: number, meant: string): number {
    const heard = this.words[place]
    if (heard === undefined) return Number.POSITIVE_INFINITY
    if (heard === meant) return 0
    return Math.min(confusionCost(heard, meant), this.slipsOf(heard).get(meant) ?? Number.POSITIVE_INFINITY)
  }

  /** Words the unknown word `heard` may have been meant as, with the cost of each. Known words are no slips. */
  slipsOf(heard: string): ReadonlyMap<string, number> {
    if (this.grammar.vocabulary.has(heard)) return NO_SLIPS
    const known = this.slips.get(heard)
    if (known !== undefined) return known
    if (this.slips.size >= MAX_REPAIRED_WORDS) return NO_SLIPS
    const found = findSlips(this.grammar.slips, heard)
    this.slips.set(heard, found)
    return found
  }

  private findExact(type: string, start: number): SlotSpans {
    if (type === 'number') return withCost(readNumbers(this.words, start), NO_COST)
    if (type === 'duration') return withCost(readDurations(this.words, start), NO_COST)
    if (type === 'moment') return withCost(readMoments(this.words, start), NO_COST)
    if (type === 'text') return withCost(readFreeText(this.words, start), NO_COST)
    const first = this.words[start]
    const values = first === undefined ? undefined : this.grammar.valuesByWord.get(type)?.get(first)
    if (values === undefined) return NO_SPANS
    const spans: SlotSpan[] = []
    let open = false
    for (const { value, words } of values) {
      const heard = this.words.slice(start, start + words.length)
      if (!heard.every((word, index) => word === words[index])) continue
      if (heard.length === words.length) spans.push({ end: start + words.length, value, cost: 0 })
      else open = true
    }
    return { spans, open }
  }

  private findDamaged(type: string, start: number): readonly SlotSpan[] {
    if (type === 'number' || type === 'duration') {
      this.repairedNumbers ??= this.repairNumbers()
      const { words, costs } = this.repairedNumbers
      return withCost(type === 'number' ? readNumbers(words, start) : readDurations(words, start), (end) =>
        costs.slice(start, end).reduce((sum, cost) => sum + cost, 0),
      ).spans
    }
    return this.likelyValues(type, start).flatMap(({ value, words }) => {
      const end = start + words.length
      const cost = words.reduce((sum, meant, index) => sum + this.wordCost(start + index, meant), 0)
      return cost <= MAX_COST_PER_WORD * words.length ? [{ end, value, cost }] : []
    })
  }

  /** Values whose first word may be the one heard at `start`. */
  private likelyValues(type: string, start: number): SpokenValue[] {
    const heard = this.words[start]
    const byWord = this.grammar.valuesByWord.get(type)
    if (heard === undefined || byWord === undefined) return []
    const firsts = [heard, ...homophonesOf(heard), ...this.slipsOf(heard).keys()]
    return [...new Set(firsts)].flatMap((first) => byWord.get(first) ?? [])
  }

  /** "for too minuets" → "four two minutes", each with what the change costs. */
  private repairNumbers(): RepairedWords {
    const costs: number[] = []
    const words = this.words.map((word) => {
      const meant = SAID_IN_NUMBERS.has(word) ? word : this.numberWordFor(word)
      costs.push(meant === undefined || meant === word ? 0 : this.wordCost(costs.length, meant))
      return meant ?? word
    })
    return { words, costs }
  }

  private numberWordFor(word: string): string | undefined {
    const alike = [...homophonesOf(word)].find((other) => SAID_IN_NUMBERS.has(other))
    if (alike !== undefined) return alike
    if (word.length < SHORTEST_NUMBER_SLIP) return undefined
    let best: string | undefined
    let least = Number.POSITIVE_INFINITY
    for (const [meant, cost] of this.slipsOf(word)) {
      if (cost < least && SAID_IN_NUMBERS.has(meant)) {
        best = meant
        least = cost
      }
    }
    return best
  }
}

/** "fine" is not five, "nice" is not nine; "minuts" is minutes. */
const SHORTEST_NUMBER_SLIP = 6

interface RepairedWords {
  readonly words: readonly string[]
  readonly costs: readonly number[]
}

const SAID_IN_NUMBERS = new Set([...NUMBER_WORDS, ...DURATION_WORDS])
const NO_SLIPS: ReadonlyMap<string, number> = new Map()
const NO_SPANS: SlotSpans = { spans: [], open: false }
const NO_COST = () => 0

function withCost({ spans, open }: Spans<string | number>, cost: (end: number) => number): SlotSpans {
  return { spans: spans.map(({ end, value }) => ({ end, value, cost: cost(end) })), open }
}
