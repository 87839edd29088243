/**
 * Walks the trie of all sentence forms along the words: what they are exactly, and what could follow them.
 */
import type { Lattice } from './lattice.ts'
import type { Pattern, TrieNode } from './patterns.ts'
import type { Surroundings } from './surroundings.ts'

/** One slot filled, in spoken order. */
export interface Binding {
  readonly slot: string
  readonly value: string | number
}

/** A sentence form that fits the words. */
export interface Match {
  readonly pattern: Pattern
  readonly bindings: readonly Binding[]
  /** Sum of all repairs, in words; 0 when exact. */
  readonly damage: number
  /** Words of the text the form accounts for. */
  readonly matched: number
}

/** A node all words led to, with the slots filled on the way. */
export interface Frontier {
  readonly node: TrieNode
  readonly bindings: readonly Binding[]
  /** Some of the words are only there because anything may be (a slot of type `text`). */
  readonly free: boolean
}

export interface ExactMatches {
  readonly matches: readonly Match[]
  /** Where all words are used up: what follows these nodes could follow the words. */
  readonly frontier: readonly Frontier[]
  /** The words end inside a slot's value that is listed or counted. */
  readonly insideValue: boolean
  /** They end inside words that may be anything. */
  readonly insideText: boolean
}

/** Bound on steps: the trie is narrow, so a real sentence takes about 30; a hostile grammar is cut short. */
const MAX_STEPS = 5_000

export function matchExactly(root: TrieNode, lattice: Lattice, { starts, ends }: Surroundings): ExactMatches {
  const { words } = lattice
  const matches: Match[] = []
  const frontier: Frontier[] = []
  let insideValue = false
  let insideText = false
  let steps = 0

  function walk(
    node: TrieNode,
    start: number,
    place: number,
    bindings: readonly Binding[],
    free: boolean,
  ): void {
    steps += 1
    if (steps > MAX_STEPS) return
    if (ends.has(place)) {
      for (const pattern of node.ends) matches.push({ pattern, bindings, damage: 0, matched: place - start })
    }
    const word = words[place]
    if (word === undefined) {
      frontier.push({ node, bindings, free })
      return
    }
    const next = node.words.get(word)
    if (next !== undefined) walk(next, start, place + 1, bindings, free)
    for (const slot of node.slots) {
      const { spans, open } = lattice.exact(slot.type, place)
      const isText = slot.type === 'text'
      if (isText || free) insideText ||= open
      else insideValue ||= open
      for (const { end, value } of spans)
        walk(slot.node, start, end, [...bindings, { slot: slot.name, value }], free || isText)
    }
  }

  for (const start of starts) walk(root, start, start, [], false)
  return { matches, frontier, insideValue, insideText }
}
