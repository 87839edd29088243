/**
 * Templates laid out flat: every sentence form an intent has, as words and slots in a row, and a trie over all
 * of them that is walked word by word.
 *
 * Flat forms make both ways of matching short: the trie answers "exact, and what could follow" at once, and a
 * damaged sentence is aligned with a few likely forms. Their number is bounded, because alternatives multiply.
 */
import { normalise } from './normalise.ts'
import type { TemplateNode } from './template.ts'

/** Forms one template may have. The richest of ours has 40. */
export const MAX_FORMS_PER_TEMPLATE = 1000

export type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'slot'; readonly name: string; readonly type: string }

export interface Pattern {
  /** Position in the grammar: breaks ties, first come first. */
  readonly index: number
  readonly intent: string
  /** The template it comes from, counted within the intent. */
  readonly template: number
  readonly tokens: readonly Token[]
  /** A sentence that must not be taken for the intent. */
  readonly negative: boolean
}

export interface TrieNode {
  readonly words: Map<string, TrieNode>
  readonly slots: SlotEdge[]
  readonly ends: Pattern[]
  /** The one intent all longer sentences have, if none of them fills another slot; else undefined. */
  settled: string | undefined
}

export interface SlotEdge {
  readonly name: string
  readonly type: string
  readonly node: TrieNode
}

/** Thrown by `layOut`; the caller knows the file and the intent. */
export class TooManyForms extends Error {
  constructor() {
    super(`more than ${MAX_FORMS_PER_TEMPLATE} sentence forms`)
    this.name = 'TooManyForms'
  }
}

/**
 * All forms of an expanded template, without repetitions, in the order of the template.
 * @param typeOf the type of a slot; throws if there is none.
 * @throws TooManyForms
 */
export function layOut(node: TemplateNode, typeOf: (slot: string) => string): Token[][] {
  const forms = new Map<string, Token[]>()
  for (const form of formsOf(node, typeOf)) forms.set(form.map(tokenKey).join(' '), form)
  forms.delete('')
  return [...forms.values()]
}

function formsOf(node: TemplateNode, typeOf: (slot: string) => string): Token[][] {
  switch (node.kind) {
    case 'word':
      return [normalise(node.text).words.map((text) => ({ kind: 'word', text }))]
    case 'slot':
      return [[{ kind: 'slot', name: node.name, type: typeOf(node.name) }]]
    case 'optional':
      return [...formsOf(node.node, typeOf), []]
    case 'choice':
      return bounded(node.options.flatMap((option) => formsOf(option, typeOf)))
    case 'sequence':
      return node.parts.reduce<Token[][]>(
        (before, part) => {
          const after = formsOf(part, typeOf)
          if (before.length * after.length > MAX_FORMS_PER_TEMPLATE) throw new TooManyForms()
          return before.flatMap((form) => after.map((rest) => [...form, ...rest]))
        },
        [[]],
      )
    case 'rule':
      throw new Error(`<${node.name}> must be expanded first`)
  }
}

function bounded(forms: Token[][]): Token[][] {
  if (forms.length > MAX_FORMS_PER_TEMPLATE) throw new TooManyForms()
  return forms
}

/** One key for equal tokens. */
export function tokenKey(token: Token): string {
  return token.kind === 'word' ? token.text : `{${token.name}:${token.type}}`
}

export function buildTrie(patterns: readonly Pattern[]): TrieNode {
  const root = emptyNode()
  for (const pattern of patterns) {
    let node = root
    for (const token of pattern.tokens) node = childFor(node, token)
    node.ends.push(pattern)
  }
  settle(root)
  return root
}

function childFor(node: TrieNode, token: Token): TrieNode {
  if (token.kind === 'word') {
    const known = node.words.get(token.text)
    if (known !== undefined) return known
    const child = emptyNode()
    node.words.set(token.text, child)
    return child
  }
  const edge = node.slots.find((slot) => slot.name === token.name && slot.type === token.type)
  if (edge !== undefined) return edge.node
  const child = emptyNode()
  node.slots.push({ name: token.name, type: token.type, node: child })
  return child
}

function emptyNode(): TrieNode {
  return { words: new Map(), slots: [], ends: [], settled: undefined }
}

/** Fills `settled` bottom up; returns the intents of this node and below, or 'many'. */
function settle(node: TrieNode): string | 'many' {
  const below = [...node.words.values()].map(settle)
  for (const slot of node.slots) settle(slot.node)
  const following = node.slots.length > 0 ? 'many' : agreed(below)
  if (following !== 'many' && following !== undefined) node.settled = following
  return (
    agreed([...node.ends.map((end) => end.intent), ...(following === undefined ? [] : [following])]) ?? 'many'
  )
}

/** The one name all agree on, 'many' if they differ, undefined if there is none. */
function agreed(names: readonly string[]): string | undefined {
  const distinct = new Set(names)
  return distinct.size > 1 ? 'many' : [...distinct][0]
}

/** Whether any sentence goes on after this node. */
export function continues(node: TrieNode): boolean {
  return node.words.size > 0 || node.slots.length > 0
}
