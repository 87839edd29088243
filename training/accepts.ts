/** Whether a template can say a sentence: keeps measured sentences apart from trained ones. */
import type { TemplateNode } from '../src/skills/intents/template.ts'

/** A slot may hold up to eight words of `values`, in any order: this errs on the side of "yes". Rules must have been expanded. */
export function accepts(template: TemplateNode, sentence: string, values: ReadonlySet<string>): boolean {
  const words = sentence.split(' ')
  return endings(template, { words, values }, [0]).includes(words.length)
}

interface Spoken {
  readonly words: readonly string[]
  readonly values: ReadonlySet<string>
}

const MOST_SLOT_WORDS = 8

/** Where `node` may end in the sentence when it starts at one of `starts`; ascending, each once. */
function endings(node: TemplateNode, spoken: Spoken, starts: readonly number[]): number[] {
  if (starts.length === 0) return []
  switch (node.kind) {
    case 'word':
      return starts.filter((start) => spoken.words[start] === node.text).map((start) => start + 1)
    case 'slot':
      return distinct(starts.flatMap((start) => slotEndings(start, spoken)))
    case 'sequence':
      return node.parts.reduce<readonly number[]>((ends, part) => endings(part, spoken, ends), starts).slice()
    case 'choice':
      return distinct(node.options.flatMap((option) => endings(option, spoken, starts)))
    case 'optional':
      return distinct([...starts, ...endings(node.node, spoken, starts)])
    case 'rule':
      throw new Error(`rule <${node.name}> was not expanded`)
  }
}

function slotEndings(start: number, spoken: Spoken): number[] {
  const ends: number[] = []
  for (let end = start; end < start + MOST_SLOT_WORDS; end += 1) {
    const word = spoken.words[end]
    if (word === undefined || !spoken.values.has(word)) break
    ends.push(end + 1)
  }
  return ends
}

function distinct(places: readonly number[]): number[] {
  return [...new Set(places)].sort((a, b) => a - b)
}
