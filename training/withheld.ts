/**
 * Keeps what is measured out of what is trained on: no sentence a held-out phrasing can say is ever learned, whichever
 * phrasing it was composed from.
 */
import type { TemplateNode } from '../src/skills/intents/template.ts'
import type { Sentence } from './grammar.ts'

/** Stands for any slot's value: whether a phrasing can say a sentence does not depend on the value. */
const VALUE = '…'

/** A slot may hold up to this many words of values, in any order: this errs on the side of "yes". */
const MOST_SLOT_WORDS = 8

export interface Withheld {
  /** Whether one of the phrasings can say the sentence. */
  says(sentence: Sentence): boolean
}

/**
 * @param templates with their rules expanded.
 * @param values every word a slot may hold.
 */
export function withhold(templates: readonly TemplateNode[], values: ReadonlySet<string>): Withheld {
  const slot = `(?:(?:${[...values, VALUE].join('|')}) ){1,${MOST_SLOT_WORDS}}`
  const byFirst = new Map<string, RegExp[]>()
  for (const template of templates) {
    const expression = new RegExp(`^${expressionOf(template, slot)}$`)
    for (const first of new Set(beginnings(template).words)) {
      byFirst.set(first, [...(byFirst.get(first) ?? []), expression])
    }
  }
  const known = new Map<string, boolean>()

  function canSay(text: string): boolean {
    const before = known.get(text)
    if (before !== undefined) return before
    const first = text.split(' ', 1)[0] ?? ''
    const withSlotFirst = first === VALUE || values.has(first) ? (byFirst.get(VALUE) ?? []) : []
    const answer = [...(byFirst.get(first) ?? []), ...withSlotFirst].some((one) => one.test(`${text} `))
    known.set(text, answer)
    return answer
  }

  return { says: (sentence) => canSay(sentence.text) || canSay(withoutValues(sentence)) }
}

function withoutValues({ text, slots }: Sentence): string {
  const values = Object.values(slots).flat()
  const longestFirst = values.toSorted((a, b) => b.length - a.length)
  return longestFirst.reduce((rest, value) => rest.replaceAll(` ${value} `, ` ${VALUE} `), ` ${text} `).trim()
}

/** The template as a regular expression over words that each end with a space; a word has no character special in one. */
function expressionOf(node: TemplateNode, slot: string): string {
  switch (node.kind) {
    case 'word':
      return `${node.text} `
    case 'slot':
      return slot
    case 'optional':
      return `(?:${expressionOf(node.node, slot)})?`
    case 'choice':
      return `(?:${node.options.map((option) => expressionOf(option, slot)).join('|')})`
    case 'sequence':
      return node.parts.map((part) => expressionOf(part, slot)).join('')
    case 'rule':
      throw new Error(`rule <${node.name}> was not expanded`)
  }
}

/** The words a sentence of the template may begin with, and whether the template may be silent. */
function beginnings(node: TemplateNode): { words: readonly string[]; silent: boolean } {
  switch (node.kind) {
    case 'word':
      return { words: [node.text], silent: false }
    case 'slot':
      return { words: [VALUE], silent: false }
    case 'optional':
      return { words: beginnings(node.node).words, silent: true }
    case 'choice': {
      const options = node.options.map(beginnings)
      return {
        words: options.flatMap((option) => option.words),
        silent: options.some((option) => option.silent),
      }
    }
    case 'sequence': {
      const words: string[] = []
      for (const part of node.parts) {
        const begun = beginnings(part)
        words.push(...begun.words)
        if (!begun.silent) return { words, silent: false }
      }
      return { words, silent: true }
    }
    case 'rule':
      throw new Error(`rule <${node.name}> was not expanded`)
  }
}
