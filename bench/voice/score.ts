/** Counts what recognition got right: whole sentences, and words by edit distance. */

/** "what's" and "what is" mean and sound the same. */
export function plain(text: string): string {
  return text.replaceAll("what's", 'what is').trim()
}

/** Words substituted, lost and added (Levenshtein) between the two texts. */
export function wordErrors(said: string, heard: string): number {
  const wanted = said.split(' ')
  const got = heard === '' ? [] : heard.split(' ')
  let row = got.map((_, i) => i + 1)
  let corner = 0
  for (const [i, word] of wanted.entries()) {
    corner = i
    let left = i + 1
    const next: number[] = []
    for (const [j, other] of got.entries()) {
      const above = row[j] ?? 0
      left = Math.min(above + 1, left + 1, corner + (word === other ? 0 : 1))
      corner = above
      next.push(left)
    }
    row = next
  }
  return got.length === 0 ? wanted.length : (row.at(-1) ?? 0)
}

export class Tally {
  count = 0
  exact = 0
  #errors = 0
  #words = 0

  add(said: string, heard: string): boolean {
    const [wanted, got] = [plain(said), plain(heard)]
    this.count += 1
    this.#words += wanted.split(' ').length
    this.#errors += wordErrors(wanted, got)
    if (wanted === got) this.exact += 1
    return wanted === got
  }

  /** Sentences heard word by word, in percent. */
  get exactPercent(): number {
    return (100 * this.exact) / Math.max(1, this.count)
  }

  /** Word error rate in percent. */
  get wordErrorPercent(): number {
    return (100 * this.#errors) / Math.max(1, this.#words)
  }
}

/** The value below which `part` of the values lie. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
