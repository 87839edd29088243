/**
 * Words nobody listed: what a note says, what a person wants to be reminded of. Read exactly only, never repaired, and only where
 * nothing that is listed fits: the sentence around them must be said as its template has it.
 */
import { UNKNOWN_WORD } from './normalise.ts'
import type { Span, Spans } from './numbers.ts'

/** A breath's worth. */
export const MAX_FREE_WORDS = 24

/** All beginnings of what follows, shortest first; none that has a word the recogniser did not know. */
export function readFreeText(words: readonly string[], start: number): Spans<string> {
  const spans: Span<string>[] = []
  for (let end = start + 1; end <= Math.min(words.length, start + MAX_FREE_WORDS); end += 1) {
    if (words[end - 1] === UNKNOWN_WORD) return { spans, open: false }
    spans.push({ end, value: words.slice(start, end).join(' ') })
  }
  return { spans, open: spans.length > 0 && start + MAX_FREE_WORDS > words.length }
}
