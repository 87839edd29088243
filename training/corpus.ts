/**
 * Composes the sentences the starter models are trained on and measured with.
 *
 *   node training/corpus.ts            writes training/out/corpus/
 *     vocabulary.txt                   the words the recogniser knows, one a line
 *     commands.train.jsonl             {text, intent, slots}: commands for training
 *     commands.test.jsonl              the same, no text in common with training
 *     speech.jsonl                     {text, kind}: what the synthesizers say; kind command | pieces | words | foreign
 *
 * Half of the speech is commands, the rest is pieces of commands and loose words in any order, so that a combination
 * nobody thought of is heard as well, and talk the assistant must not take for a command.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { drawCommands } from './commands.ts'
import { readGrammar, type Sentence, vocabularyOf } from './grammar.ts'
import { type Seeded, seeded } from './seeded.ts'
import { readDictionary, readTalk } from './talk.ts'

const ROOT = new URL('..', import.meta.url).pathname
const OUT = new URL('out/corpus/', import.meta.url).pathname
/** Distinct commands: with fewer, the network learns the sentences by heart instead of the words. */
const COMMANDS = 60_000
const TEST_COMMANDS = 1_500
const SPEECH = { command: 26_000, pieces: 7_000, words: 5_000, foreign: 7_000 } as const

/** Words that sound like another one: only what stands before them tells which is meant, so never drawn alone. */
const HOMOPHONES = new Set([
  'to',
  'two',
  'for',
  'four',
  'of',
  'off',
  'an',
  'and',
  'a',
  'in',
  'is',
  "what's",
  'egg',
  'light',
])

/** Everyday words of freer phrasings than the templates have; the intent model understands them. */
const FREER_WORDS = [
  'want',
  'like',
  'let',
  'new',
  'here',
  'there',
  'show',
  'hear',
  'give',
  'lower',
  'raise',
  'lamp',
  'lamps',
  'tv',
  'sound',
  'track',
  'many',
  'dark',
  'bright',
  'cool',
  'outside',
  'shut',
  'just',
  'little',
  'bit',
  'too',
  'ready',
  'alarm',
  'got',
  'remember',
  "don't",
  "i'd",
  "i'm",
  "let's",
  'us',
  'any',
  'finished',
  'wait',
  'hello',
  'tonight',
  'doing',
  'off',
  'were',
]

function main(): void {
  const random = seeded(20260)
  const grammar = readGrammar(ROOT)
  const vocabulary = [...new Set([...vocabularyOf(grammar), ...FREER_WORDS])].sort()
  const { train, test } = drawCommands(grammar, random, { train: COMMANDS, test: TEST_COMMANDS })
  const speech = drawSpeech(train, vocabulary, random)

  mkdirSync(OUT, { recursive: true })
  writeFileSync(`${OUT}vocabulary.txt`, `${vocabulary.join('\n')}\n`)
  writeLines('commands.train.jsonl', train)
  writeLines('commands.test.jsonl', test)
  writeLines('speech.jsonl', speech)

  const counts = countWords(speech.map((line) => line.text))
  const rarest = [...vocabulary].sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0)).slice(0, 12)
  console.log(
    `${vocabulary.length} words, ${train.length} commands to train, ${test.length} to test, ${speech.length} spoken`,
  )
  console.log(`rarest: ${rarest.map((word) => `${word} ${counts.get(word) ?? 0}`).join(', ')}`)
}

interface SpeechLine {
  readonly text: string
  readonly kind: keyof typeof SPEECH
}

function drawSpeech(
  commands: readonly Sentence[],
  vocabulary: readonly string[],
  random: Seeded,
): SpeechLine[] {
  const lines: SpeechLine[] = []
  const add = (kind: SpeechLine['kind'], draw: () => string): void => {
    for (let i = 0; i < SPEECH[kind]; i += 1) lines.push({ text: draw(), kind })
  }
  const drawn = shuffle([...commands], random)
  add('command', () => drawn.pop()?.text ?? random.one(commands).text)
  add('pieces', () => drawPieces(commands, random))
  const counts = countWords(lines.map((line) => line.text))
  const urn = rareFirst(vocabulary, counts)
  add('words', () => Array.from({ length: 1 + random.below(6) }, () => random.one(urn)).join(' '))
  const talk = readTalk()
  const dictionary = readDictionary()
  add('foreign', () => drawForeign(talk, dictionary, commands, urn, random))
  return shuffle(lines, random)
}

/** Two or three stretches of different commands, one behind the other. */
function drawPieces(commands: readonly Sentence[], random: Seeded): string {
  const pieces = Array.from({ length: 2 + random.below(2) }, () => {
    const words = random.one(commands).text.split(' ')
    const length = 1 + random.below(Math.min(4, words.length))
    const start = random.below(words.length - length + 1)
    return words.slice(start, start + length)
  })
  return pieces.flat().join(' ')
}

/** An urn in which a word lies the more often the rarer it is in what was drawn so far. */
function rareFirst(vocabulary: readonly string[], counts: ReadonlyMap<string, number>): string[] {
  return vocabulary
    .filter((word) => !HOMOPHONES.has(word))
    .flatMap((word) =>
      Array.from(
        { length: Math.max(1, Math.min(12, Math.round(600 / ((counts.get(word) ?? 0) + 30)))) },
        () => word,
      ),
    )
}

/** Talk that is no command: a stretch of real English, dictionary words, or a command with a foreign word inside. */
function drawForeign(
  talk: readonly string[],
  dictionary: readonly string[],
  commands: readonly Sentence[],
  urn: readonly string[],
  random: Seeded,
): string {
  const form = random.next()
  if (form < 0.55) return random.one(talk)
  if (form < 0.7) return Array.from({ length: 1 + random.below(4) }, () => random.one(dictionary)).join(' ')
  if (form < 0.8) {
    return Array.from({ length: 2 + random.below(4) }, () =>
      random.chance(0.5) ? random.one(dictionary) : random.one(urn),
    ).join(' ')
  }
  const words = random.one(commands).text.split(' ')
  words[random.below(words.length)] = random.one(dictionary)
  return words.join(' ')
}

function countWords(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of texts.flatMap((text) => text.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

function shuffle<T>(values: T[], random: Seeded): T[] {
  const order = values.map((value) => ({ value, key: random.next() })).sort((a, b) => a.key - b.key)
  return order.map((entry) => entry.value)
}

function writeLines(name: string, lines: readonly unknown[]): void {
  writeFileSync(OUT + name, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

main()
