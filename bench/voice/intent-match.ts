/**
 * How long one reading of a text takes. It runs on every partial of the recogniser, so it must not be felt:
 * at most 0.2 ms in the middle and 1 ms in the worst of a hundred.
 *
 *   node bench/voice/intent-match.ts
 *
 * Prints one JSON line per kind of text and length. Each text is read once as warm-up and then five times; times are
 * those of single calls. On a busy machine the tail is the scheduler's, not ours: run it alone.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { compileGrammar, read } from '../../src/skills/intents/index.ts'
import { drawCommands } from '../../training/commands.ts'
import { readGrammar, readGrammarSources } from '../../training/grammar.ts'
import { type Seeded, seeded } from '../../training/seeded.ts'
import { quantile } from './score.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const SENTENCES = 1_500
const ROUNDS = 5

function main(): void {
  const compiling = performance.now()
  const grammar = compileGrammar(readGrammarSources(ROOT))
  const compile_ms = performance.now() - compiling
  print({ set: 'grammar', compile_ms: round(compile_ms), ...grammar.statistics })

  const random = seeded(7)
  const { train } = drawCommands(readGrammar(ROOT), random, { train: SENTENCES, test: 0 })
  const commands = train.map((sentence) => sentence.text)
  const vocabulary = [...grammar.vocabulary]
  const sets: Record<string, string[]> = {
    command: commands,
    'unfinished command': commands.map((text) => beginning(text, random)),
    'damaged command': commands.map((text) => damaged(text, random)),
    'other talk': readFileSync(new URL('unknown.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n'),
    'loose words': commands.map(() =>
      Array.from({ length: 1 + random.below(40) }, () => random.one(vocabulary)).join(' '),
    ),
    'a megabyte': [commands.join(' ').repeat(20).slice(0, 1_000_000)],
  }
  for (const [set, texts] of Object.entries(sets)) measure(set, texts, (text) => read(grammar, text))
}

/** One line for the whole set and one for each length that occurs often. */
function measure(set: string, texts: readonly string[], run: (text: string) => unknown): void {
  for (const text of texts) run(text)
  const byLength = new Map<string, number[]>()
  const all: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const text of texts) {
      const start = performance.now()
      run(text)
      const took = performance.now() - start
      all.push(took)
      const length = lengthClass(text)
      byLength.set(length, [...(byLength.get(length) ?? []), took])
    }
  }
  print({ set, words: 'any', ...summary(all) })
  for (const [words, times] of [...byLength].sort())
    if (byLength.size > 1) print({ set, words, ...summary(times) })
}

function lengthClass(text: string): string {
  const words = text.split(' ', 65).length
  if (words <= 3) return '01–03'
  if (words <= 6) return '04–06'
  if (words <= 12) return '07–12'
  return words <= 24 ? '13–24' : '25 and more'
}

function summary(times: readonly number[]): Record<string, number> {
  return {
    n: times.length,
    p50_ms: round(quantile(times, 0.5)),
    p90_ms: round(quantile(times, 0.9)),
    p99_ms: round(quantile(times, 0.99)),
    max_ms: round(Math.max(...times)),
  }
}

function beginning(text: string, random: Seeded): string {
  const words = text.split(' ')
  return words.slice(0, 1 + random.below(words.length)).join(' ')
}

/** One or two words with a letter lost, doubled or replaced by a word nobody taught it. */
function damaged(text: string, random: Seeded): string {
  const words = text.split(' ')
  for (let i = 0; i < 2; i += 1) {
    const at = random.below(words.length)
    const word = words[at] ?? ''
    words[at] = random.one([word.slice(1), `${word} ${word}`, 'wombat', '<unk>', word.slice(0, -1)]) || 'um'
  }
  return words.join(' ')
}

function print(result: Record<string, unknown>): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  console.log(JSON.stringify({ bench: 'intent-match', machine, commit, ...result }))
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

main()
