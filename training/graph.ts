/**
 * Makes the recogniser's graph from the grammar, the free phrasings and the pronunciations.
 *
 *   node training/graph.ts            writes graph.fst and words.txt into training/out/recogniser/
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { COSTS, decodingGraph, type Lexicon, UNKNOWN } from './decoding-graph.ts'
import { compose, type Grammar, readGrammar } from './grammar.ts'
import { likely } from './likely.ts'
import { encodeFst } from './openfst.ts'
import { NONE, readPhrasings } from './phrasings.ts'
import { type Automaton, sayable, weigh } from './sayable.ts'
import { seeded } from './seeded.ts'

const ROOT = new URL('..', import.meta.url).pathname
const OUT = new URL('out/', import.meta.url).pathname
const FREE_SENTENCES = 60_000
/** A word said more seldom in that many sentences is not worth being mistaken for another. */
const RARE_WORD = 20
/** A pair of words said more seldom is left to the words by themselves. */
const RARE_PAIR = 6

/** Sentences of the phrasings the intent model learns from, their slots filled. */
export function freeSentences(): string[][] {
  const { grammar, phrasings } = readPhrasings()
  const learned = phrasings.filter(({ heldOut, intent }) => !heldOut && intent !== NONE)
  const random = seeded(60)
  return Array.from({ length: FREE_SENTENCES }, () => {
    const { intent, tree } = random.one(learned)
    return compose(grammar, intent, tree, random).text.split(' ')
  })
}

/** The commands the recogniser was trained on. */
export function commands(): string[][] {
  return readFileSync(`${OUT}corpus/commands.train.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text.split(' '))
}

/** Every word of the sayable sentences, and those free sentences often have; sorted. */
export function vocabularyOf(sayable: Automaton, free: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>()
  for (const word of free.flat()) counts.set(word, (counts.get(word) ?? 0) + 1)
  const common = [...counts].filter(([, count]) => count >= RARE_WORD).map(([word]) => word)
  return [...new Set([...sayable.next.flatMap((next) => [...next.keys()]), ...common])].sort()
}

/** The sounds of the recogniser, and how espeak-ng says the words. */
export function readLexicon(vocabulary: readonly string[]): Lexicon {
  const lines = readFileSync(`${OUT}recogniser/tokens.txt`, 'utf8').trim().split('\n')
  const labels = new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1]) + 1]))
  const blank = labels.get('<blk>') ?? 0
  labels.delete('<blk>')
  const said = execFileSync('/usr/bin/python3', [`${ROOT}training/sounds.py`], {
    input: vocabulary.join('\n'),
  })
  return {
    sounds: labels,
    blank,
    said: new Map(Object.entries(JSON.parse(said.toString()) as Record<string, string[]>)),
    words: new Map([...vocabulary, UNKNOWN].map((word, i) => [word, i + 1])),
  }
}

function main(grammar: Grammar): void {
  const sentences = sayable(grammar)
  const free = freeSentences()
  const vocabulary = vocabularyOf(sentences, free)
  const lexicon = readLexicon(vocabulary)
  const habits = weigh(sentences, commands())
  const speech = { sentences, habits, free: likely(free, vocabulary, RARE_PAIR) }
  const states = decodingGraph(speech, lexicon, COSTS)
  const bytes = encodeFst(states)
  writeFileSync(`${OUT}recogniser/graph.fst`, bytes)
  const lines = [...lexicon.words].map(([word, label]) => `${word} ${label}\n`)
  writeFileSync(`${OUT}recogniser/words.txt`, lines.join(''))
  console.log(`${vocabulary.length} words, ${states.length} states, ${(bytes.length / 1e6).toFixed(2)} MB`)
}

if (process.argv[1] === new URL(import.meta.url).pathname) main(readGrammar(ROOT))
