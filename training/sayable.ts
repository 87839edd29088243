/**
 * All that can be said to the house, as one automaton over words: every template of the grammar with every value in its
 * slots, and what may stand around a command. Built as Thompson's NFA, made deterministic by subsets, then minimal: no
 * sentence is listed, so a hundred thousand of them take a few thousand states.
 */
import { parseTemplate, type TemplateNode } from '../src/skills/intents/template.ts'
import type { Grammar, IntentGrammar } from './grammar.ts'
import { spokenNumber } from './spoken.ts'

/** State 0 is the start. */
export interface Automaton {
  readonly next: readonly ReadonlyMap<string, number>[]
  /** States in which a sentence may end. */
  readonly ends: ReadonlySet<number>
}

const spoken = (from: number, to: number, step = 1): string =>
  Array.from({ length: (to - from) / step + 1 }, (_, i) => spokenNumber(from + i * step)).join('|')

/** What the templates below mean by {number}, 0 … 100, and {several}, 2 … 100. */
const COUNTS: Readonly<Record<string, readonly TemplateNode[]>> = {
  number: [parseTemplate(`(${spoken(0, 19)})`), ...tensAndMore()],
  several: [parseTemplate(`(${spoken(2, 19)})`), ...tensAndMore()],
}

function tensAndMore(): TemplateNode[] {
  return [`(${spoken(20, 90, 10)}) [${spoken(1, 9)}]`, spokenNumber(100)].map(parseTemplate)
}

const ONE = '(a second|a minute|an hour|one second|one minute|one hour)'
const MANY = '{several} (seconds|minutes|hours)'

/** How durations are said. */
const DURATIONS = [
  `(${ONE}|${MANY}|half an hour|half a minute|a quarter of an hour)`,
  '(an hour|a minute) and a half',
  '{number} and a half (minutes|hours)',
  `(an hour|one hour|{several} hours) and (one minute|{several} minutes)`,
  `(a minute|one minute|{several} minutes) and (one second|{several} seconds)`,
].map(parseTemplate)

/** Before a noun the unit may stand in the singular: "a five minute timer". */
const ATTRIBUTIVE = [
  ...DURATIONS,
  ...[
    '{several} (second|minute|hour)',
    '{number} and a half (minute|hour)',
    '(an hour|one hour|{several} hours) and {several} minute',
    '(a minute|one minute|{several} minutes) and {several} second',
  ].map(parseTemplate),
]

interface Fragment {
  readonly from: number
  readonly to: number
}

/** The ways to say a slot's values, given the word that follows it. */
type Values = (slot: string, before: string | undefined) => readonly TemplateNode[]

/** A nondeterministic automaton under construction: arcs with a word, or with nothing to say. */
class Builder {
  readonly arcs: { word: string | undefined; to: number }[][] = []

  state(): number {
    return this.arcs.push([]) - 1
  }

  connect(from: number, to: number, word?: string): void {
    this.arcs[from]?.push({ word, to })
  }

  /** The ways to say `node`, which stands before the word `before`. */
  fragment(node: TemplateNode, values: Values, before?: string): Fragment {
    switch (node.kind) {
      case 'word': {
        const [from, to] = [this.state(), this.state()]
        this.connect(from, to, node.text)
        return { from, to }
      }
      case 'sequence': {
        const from = this.state()
        let to = from
        for (const [i, part] of node.parts.entries()) {
          const following = node.parts[i + 1]
          const piece = this.fragment(part, values, following?.kind === 'word' ? following.text : undefined)
          this.connect(to, piece.from)
          to = piece.to
        }
        return { from, to }
      }
      case 'choice':
        return this.choice(node.options, values)
      case 'optional': {
        const piece = this.fragment(node.node, values)
        this.connect(piece.from, piece.to)
        return piece
      }
      case 'slot':
        return this.choice(values(node.name, before), values)
      case 'rule':
        throw new Error(`the rule ${node.name} was not expanded`)
    }
  }

  choice(options: readonly TemplateNode[], values: Values): Fragment {
    const [from, to] = [this.state(), this.state()]
    for (const option of options) {
      const piece = this.fragment(option, values)
      this.connect(from, piece.from)
      this.connect(piece.to, to)
    }
    return { from, to }
  }
}

/** The ways to say the values of the slots of `intent`. */
function valuesOf(grammar: Grammar, intent: IntentGrammar): Values {
  return (slot, before) => {
    const type = intent.slots.get(slot)?.type ?? slot
    const counts = COUNTS[type]
    if (counts !== undefined) return counts
    if (type === 'duration') return before === 'timer' ? ATTRIBUTIVE : DURATIONS
    const values = grammar.values.get(type)
    if (values === undefined) throw new Error(`no type named ${type}`)
    return values.map((value) => parseTemplate(value))
  }
}

/** Every sentence of `grammar`, alone or with a greeting, a polite beginning and a polite end. */
export function sayable(grammar: Grammar): Automaton {
  const builder = new Builder()
  const maybe = (phrases: readonly string[]): Fragment =>
    builder.fragment(
      { kind: 'optional', node: { kind: 'choice', options: phrases.map(parseTemplate) } },
      () => [],
    )
  const [greeting, before, after] = [maybe(['hey', 'okay']), maybe(grammar.before), maybe(grammar.after)]
  builder.connect(greeting.to, before.from)
  for (const intent of grammar.intents) {
    const core = builder.choice(intent.templates, valuesOf(grammar, intent))
    builder.connect(before.to, core.from)
    builder.connect(core.to, after.from)
  }
  return minimal(deterministic(builder.arcs, greeting.from, after.to))
}

type Nondeterministic = readonly (readonly { word: string | undefined; to: number }[])[]

/** Subset construction (Rabin and Scott, 1959). */
function deterministic(arcs: Nondeterministic, start: number, end: number): Automaton {
  const closure = (states: Iterable<number>): number[] => {
    const seen = new Set(states)
    for (const state of seen)
      for (const arc of arcs[state] ?? []) if (arc.word === undefined) seen.add(arc.to)
    return [...seen].sort((a, b) => a - b)
  }
  const number = new Map<string, number>()
  const subsets: number[][] = []
  const next: Map<string, number>[] = []
  const ends = new Set<number>()
  const numberOf = (subset: number[]): number => {
    const key = subset.join(' ')
    const known = number.get(key)
    if (known !== undefined) return known
    number.set(key, subsets.length)
    if (subset.includes(end)) ends.add(subsets.length)
    next.push(new Map())
    return subsets.push(subset) - 1
  }
  numberOf(closure([start]))
  for (let at = 0; at < subsets.length; at += 1) {
    const after = new Map<string, Set<number>>()
    for (const state of subsets[at] ?? []) {
      for (const { word, to } of arcs[state] ?? []) {
        if (word === undefined) continue
        const together = after.get(word) ?? new Set()
        after.set(word, together.add(to))
      }
    }
    for (const [word, states] of after) next[at]?.set(word, numberOf(closure(states)))
  }
  return { next, ends }
}

/** Merges states with the same future. Sentences end, so the automaton has no cycles and one pass from the ends does. */
function minimal({ next, ends }: Automaton): Automaton {
  const merged = new Map<string, number>()
  const kept: { next: Map<string, number>; ends: boolean }[] = []
  const place = new Map<number, number>()
  const visit = (state: number): number => {
    const known = place.get(state)
    if (known !== undefined) return known
    const arcs = [...(next[state] ?? [])].map(([word, to]) => [word, visit(to)] as const)
    arcs.sort(([a], [b]) => (a < b ? -1 : 1))
    const key = `${ends.has(state)} ${arcs.map(([word, to]) => `${word} ${to}`).join(' ')}`
    let found = merged.get(key)
    if (found === undefined) {
      found = kept.push({ next: new Map(arcs), ends: ends.has(state) }) - 1
      merged.set(key, found)
    }
    place.set(state, found)
    return found
  }
  const start = visit(0)
  // The start comes first.
  const order = (state: number): number => (state === start ? 0 : state < start ? state + 1 : state)
  const states = kept.map((_, i) => kept[i === 0 ? start : i <= start ? i - 1 : i]!)
  return {
    next: states.map((state) => new Map([...state.next].map(([word, to]) => [word, order(to)]))),
    ends: new Set(states.flatMap((state, i) => (state.ends ? [i] : []))),
  }
}

/** The states `words` lead through, the start first; undefined if the automaton does not accept them. */
export function walk({ next, ends }: Automaton, words: readonly string[]): number[] | undefined {
  const states = [0]
  for (const word of words) {
    const to = next[states.at(-1) ?? 0]?.get(word)
    if (to === undefined) return undefined
    states.push(to)
  }
  return ends.has(states.at(-1) ?? 0) ? states : undefined
}

/**
 * How probable each word is in each state, and the end (the empty word): counted over `sentences` the automaton accepts, every
 * arc once more so that none is impossible.
 */
export function weigh(
  automaton: Automaton,
  sentences: Iterable<readonly string[]>,
): readonly ReadonlyMap<string, number>[] {
  const counts = automaton.next.map(
    (next, i) => new Map([...next.keys(), ...(automaton.ends.has(i) ? [''] : [])].map((word) => [word, 1])),
  )
  for (const words of sentences) {
    const states = walk(automaton, words)
    for (const [i, state] of (states ?? []).entries()) {
      const word = words[i] ?? ''
      counts[state]?.set(word, (counts[state].get(word) ?? 0) + 1)
    }
  }
  return counts.map((count) => {
    const total = [...count.values()].reduce((a, b) => a + b, 0)
    return new Map([...count].map(([word, times]) => [word, times / total]))
  })
}
