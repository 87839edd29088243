/**
 * Which words of the grammar an unknown word may be a slip of. Runs for every unknown word of every partial, so the
 * vocabulary lies sorted by length, and words with too many other letters are passed over uncompared.
 */
import { allowedEdits, slipCost } from './similarity.ts'

export interface SlipIndex {
  readonly byLength: ReadonlyMap<number, readonly { readonly word: string; readonly letters: number }[]>
}

export function buildSlipIndex(vocabulary: Iterable<string>): SlipIndex {
  const byLength = new Map<number, { word: string; letters: number }[]>()
  for (const word of vocabulary) {
    const bucket = byLength.get(word.length)
    const entry = { word, letters: letterSet(word) }
    if (bucket === undefined) byLength.set(word.length, [entry])
    else bucket.push(entry)
  }
  return { byLength }
}

/** Words `heard` may have been meant as, with the cost of each. */
export function findSlips({ byLength }: SlipIndex, heard: string): Map<string, number> {
  const found = new Map<string, number>()
  const letters = letterSet(heard)
  const reach = allowedEdits(heard.length + 1)
  for (let length = heard.length - reach; length <= heard.length + reach; length += 1) {
    const allowed = allowedEdits(Math.max(length, heard.length))
    for (const meant of byLength.get(length) ?? []) {
      // One edit takes away or adds a letter, or does both: two letters of difference at most.
      if (bitCount(letters ^ meant.letters) > 2 * allowed) continue
      const cost = slipCost(heard, meant.word)
      if (Number.isFinite(cost)) found.set(meant.word, cost)
    }
  }
  return found
}

/** The letters of a word as a set of 32 bits; letters beyond a–z share bits, which only lets more words through. */
function letterSet(word: string): number {
  let set = 0
  for (let at = 0; at < word.length; at += 1) set |= 1 << (word.charCodeAt(at) & 31)
  return set
}

function bitCount(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1
  return count
}
