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

/** `complete`: nothing follows, so the rest is a sentence too. `longest`: characters of a piece at most. */
export function cutSentences(text: string, complete: boolean, longest = MAX_PIECE): Cut {
  const sentences: string[] = []
  let start = 0
  for (const match of text.matchAll(SENTENCE_END)) {
    const end = match.index + match[0].length
    // The end of a streamed text may turn out to be "3." of "3.5".
    if (!complete && end === text.length && !match[0].includes('\n')) break
    sentences.push(...pieces(text.slice(start, end), longest))
    start = end
  }
  if (complete) return { sentences: [...sentences, ...pieces(text.slice(start), longest)], rest: '' }
  return { sentences, rest: text.slice(start) }
}

/** A neural voice is heard when a whole piece is synthesized, and 100 characters of speech may take it seconds. */
const MAX_QUICK_PIECE = 100
/** A shorter beginning is over before what follows it is ready, and there would be a gap. */
const MIN_CLAUSE = 12
/** With no comma to cut at: two or three words. */
const MIN_PHRASE = 16
const CLAUSE_END = /[,;:\u2013\u2014]["'\u201d\u2019)]*(?=\s)/g
/** Before these a speaker may take breath. */
const JOINTS =
  /\s(?=(?:and|or|but|so|because|that|which|who|when|while|if|until|with|without|for|from|in|on|at|to|of|by|about|after|before|than|over|under|through)\s)/gi

/** Seconds that a voice which just keeps up takes for one of speech. */
const REAL_TIME_FACTOR = 0.6

/**
 * Characters of speech still to be heard when a piece of `length` is synthesized, `ahead` of them when its turn came (0: it is the
 * first): what such a voice gains on the listener with every piece.
 */
export const aheadAfter = (ahead: number, length: number): number =>
  ahead === 0 ? length : ahead + (1 - REAL_TIME_FACTOR) * length

/**
 * As `cutSentences`, and of the beginning (`ahead` 0) not more than a clause, even when its sentence has not come to its end: speech
 * begins while the rest is synthesized, or still written. What follows is no longer than the voice needs to be in time.
 */
export function cutForQuickStart(
  text: string,
  complete: boolean,
  ahead: number,
  longest = MAX_QUICK_PIECE,
): Cut {
  const cut = cutSentences(text, complete, longest)
  const sentences: string[] = []
  for (const sentence of cut.sentences) {
    const before = sentences.reduce((sum, { length }) => aheadAfter(sum, length), ahead)
    sentences.push(...inTime(sentence, before))
  }
  if (sentences.length > 0 || ahead > 0) return { sentences, rest: cut.rest }
  const at = clauseEnd(cut.rest)
  if (at === undefined) return cut
  return { sentences: [cut.rest.slice(0, at).trim()], rest: cut.rest.slice(at) }
}

/** A sentence in pieces that are ready in time, where it can be cut so. */
function inTime(sentence: string, ahead: number): string[] {
  const at = ahead === 0 ? clauseEnd(sentence) : lastEnd(sentence, ahead / REAL_TIME_FACTOR)
  if (at === undefined) return [sentence]
  const piece = sentence.slice(0, at).trim()
  return [piece, ...inTime(sentence.slice(at).trim(), aheadAfter(ahead, piece.length))]
}

/** The last place to cut at within `longest` characters; undefined when there is none, or the sentence is no longer than that. */
function lastEnd(sentence: string, longest: number): number | undefined {
  if (sentence.length <= longest) return undefined
  const ends = [...sentence.matchAll(CLAUSE_END), ...sentence.matchAll(JOINTS)]
    .map(({ index, 0: mark }) => index + mark.length)
    .filter((end) => end >= MIN_CLAUSE && end <= longest && sentence.length - end >= MIN_CLAUSE)
  return ends.length === 0 ? undefined : Math.max(...ends)
}

/** Where the first clause of a sentence ends; undefined when it is better spoken whole. */
function clauseEnd(sentence: string): number | undefined {
  const from = sentence.length - sentence.trimStart().length
  const ends = (pattern: RegExp, least: number): number | undefined =>
    [...sentence.matchAll(pattern)]
      .map(({ index, 0: mark }) => index + mark.length)
      .find((end) => end - from >= least && sentence.length - end >= MIN_CLAUSE)
  return ends(CLAUSE_END, MIN_CLAUSE) ?? ends(JOINTS, MIN_PHRASE)
}

/** A sentence cut at commas or spaces so that no piece is over the limit. */
function pieces(sentence: string, longest: number): string[] {
  const found: string[] = []
  let left = sentence.trim()
  while (left.length > longest) {
    const window = left.slice(0, longest)
    const comma = Math.max(window.lastIndexOf(', '), window.lastIndexOf('; '), window.lastIndexOf(': '))
    const space = window.lastIndexOf(' ')
    const at = comma > longest / 3 ? comma + 1 : space > 0 ? space : longest
    found.push(left.slice(0, at).trim())
    left = left.slice(at).trim()
  }
  if (left.length > 0) found.push(left)
  return found
}
