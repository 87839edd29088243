/**
 * Cuts a reply into pieces the voice renders one after the other, so that the first can be heard while the rest is
 * made, and so that a sentence said before is found again in the cache.
 */

/** Longer pieces are cut at a comma or a space: the first sound of a piece takes time in proportion to its length. */
const LONGEST_PIECE = 160

/** A reply longer than this is cut off: two minutes of speech. */
const LONGEST_REPLY = 2_000

/** Never empty pieces; none at all for a text without a word in it. */
export function splitSentences(text: string): readonly string[] {
  const calm = text
    .slice(0, LONGEST_REPLY)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  const sentences = calm.match(/[^.!?]*(?:[.!?]+(?!\s)[^.!?]+)*[.!?]*/g) ?? []
  return sentences
    .map((sentence) => sentence.trim())
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))
    .flatMap(cutLong)
}

function cutLong(sentence: string): string[] {
  const pieces: string[] = []
  let rest = sentence
  while (rest.length > LONGEST_PIECE) {
    const window = rest.slice(0, LONGEST_PIECE)
    const comma = window.lastIndexOf(', ')
    const space = window.lastIndexOf(' ')
    const end = comma > LONGEST_PIECE / 4 ? comma + 1 : space > 0 ? space : LONGEST_PIECE
    pieces.push(rest.slice(0, end).trim())
    rest = rest.slice(end).trim()
  }
  if (rest !== '') pieces.push(rest)
  return pieces
}
