/**
 * Which word is likely behind which: a bigram model with interpolated Witten–Bell smoothing (Witten and Bell, IEEE
 * Transactions on Information Theory 37, 1991), from sentences in free words.
 */

/** What may follow a word. */
export interface Following {
  /** Word → probability, for those heard often enough behind this one. */
  readonly next: ReadonlyMap<string, number>
  /** Factor for all others, on their probability behind any word. */
  readonly otherwise: number
}

export interface Likely {
  /** Behind the word of that name; behind nothing, at the beginning: BEGIN. */
  readonly after: ReadonlyMap<string, Following>
  /** Every word of the vocabulary → its probability behind any word. */
  readonly anywhere: ReadonlyMap<string, number>
}

export const BEGIN = '<s>'

/** `rare`: pairs heard less often are left to `anywhere`; most of the size, little of the sense. */
export function likely(
  sentences: Iterable<readonly string[]>,
  vocabulary: readonly string[],
  rare: number,
): Likely {
  const pairs = new Map<string, Map<string, number>>()
  const counts = new Map<string, number>()
  let total = 0
  for (const words of sentences) {
    let before = BEGIN
    for (const word of words) {
      const behind = pairs.get(before) ?? new Map<string, number>()
      pairs.set(before, behind.set(word, (behind.get(word) ?? 0) + 1))
      counts.set(word, (counts.get(word) ?? 0) + 1)
      total += 1
      before = word
    }
  }
  const kinds = counts.size
  const anywhere = new Map(
    vocabulary.map((word) => [
      word,
      ((counts.get(word) ?? 0) + kinds / vocabulary.length) / Math.max(1, total + kinds),
    ]),
  )
  const after = new Map(
    [...pairs].map(([before, behind]) => [before, following(behind, anywhere, rare)] as const),
  )
  return { after, anywhere }
}

function following(
  behind: ReadonlyMap<string, number>,
  anywhere: ReadonlyMap<string, number>,
  rare: number,
): Following {
  const total = [...behind.values()].reduce((a, b) => a + b, 0)
  const common = [...behind].filter(([word, count]) => count >= rare && anywhere.has(word))
  const next = new Map<string, number>()
  let [given, elsewhere] = [0, 0]
  for (const [word, count] of common) {
    const alone = anywhere.get(word) ?? 0
    const p = (count + behind.size * alone) / (total + behind.size)
    next.set(word, p)
    given += p
    elsewhere += alone
  }
  return { next, otherwise: Math.max(1e-6, 1 - given) / Math.max(1e-6, 1 - elsewhere) }
}
