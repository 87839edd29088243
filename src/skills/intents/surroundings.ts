/** Where a command may begin and end: polite phrases before and after it are no part of it. */
import type { Grammar } from './grammar.ts'

export interface Surroundings {
  /** Places the command may begin at: 0 and behind each polite opening. */
  readonly starts: ReadonlySet<number>
  /** Places it may end at: behind the last word and before each polite ending. */
  readonly ends: ReadonlySet<number>
  /** The words end inside an opening: "could" … "you". */
  readonly opening: boolean
  /** The words end inside an ending: "thank" … "you". */
  readonly closing: boolean
}

export function findSurroundings(grammar: Grammar, words: readonly string[]): Surroundings {
  const starts = new Set([0])
  let opening = false
  for (const start of starts) {
    for (const phrase of grammar.before) {
      if (isAt(words, start, phrase)) starts.add(start + phrase.length)
      else opening ||= isBegunAt(words, start, phrase)
    }
  }
  const ends = new Set([words.length])
  let closing = false
  for (const phrase of grammar.after) {
    for (let begun = 1; begun < phrase.length; begun += 1) {
      if (!isAt(words, words.length - begun, phrase.slice(0, begun))) continue
      ends.add(words.length - begun)
      closing = true
    }
  }
  for (const end of ends) {
    for (const phrase of grammar.after) {
      if (isAt(words, end - phrase.length, phrase)) ends.add(end - phrase.length)
    }
  }
  return { starts, ends, opening, closing }
}

function isAt(words: readonly string[], place: number, phrase: readonly string[]): boolean {
  return place >= 0 && phrase.length > 0 && phrase.every((word, index) => words[place + index] === word)
}

/** The words from `place` on are the beginning of the phrase, and it is not finished. */
function isBegunAt(words: readonly string[], place: number, phrase: readonly string[]): boolean {
  const rest = words.slice(place)
  return rest.length > 0 && rest.length < phrase.length && rest.every((word, index) => word === phrase[index])
}
