/**
 * Cuts text into what is synthesized in one go: a sentence, or a piece of one when it is long. Between two pieces an engine can
 * be cancelled and answers pings, so a piece bounds how long both take.
 */

/** About 15 s of speech; 30 ms of work when warm. */
const MAX_PIECE = 250
/** Something that ends a sentence, with closing quotes, before a space or the end; or a line break. Not the dot of "Dr." */
const SENTENCE_END = /(?<!\b(?:Mr|Mrs|Ms|Dr|St|Prof|No|vs|e\.g|i\.e|a\.m|p\.m))[.!?…]+["'”’)]*(?=\s|$)|\n+/gi

export interface Cut {
  readonly sentences: readonly string[]
  /** The unfinished rest: more text may follow it. */
  readonly rest: string
}

/** `complete`: nothing follows, so the rest is a sentence too. */
export function cutSentences(text: string, complete: boolean): Cut {
  const sentences: string[] = []
  let start = 0
  for (const match of text.matchAll(SENTENCE_END)) {
    const end = match.index + match[0].length
    // The end of a streamed text may turn out to be "3." of "3.5".
    if (!complete && end === text.length && !match[0].includes('\n')) break
    sentences.push(...pieces(text.slice(start, end)))
    start = end
  }
  if (complete) return { sentences: [...sentences, ...pieces(text.slice(start))], rest: '' }
  return { sentences, rest: text.slice(start) }
}

/** A sentence cut at commas or spaces so that no piece is over the limit. */
function pieces(sentence: string): string[] {
  const found: string[] = []
  let left = sentence.trim()
  while (left.length > MAX_PIECE) {
    const window = left.slice(0, MAX_PIECE)
    const comma = Math.max(window.lastIndexOf(', '), window.lastIndexOf('; '), window.lastIndexOf(': '))
    const space = window.lastIndexOf(' ')
    const at = comma > MAX_PIECE / 3 ? comma + 1 : space > 0 ? space : MAX_PIECE
    found.push(left.slice(0, at).trim())
    left = left.slice(at).trim()
  }
  if (left.length > 0) found.push(left)
  return found
}
