/**
 * Composes what the intent model learns from and is measured with.
 *
 *   node training/phrases.ts           writes training/out/corpus/
 *     intent.train.jsonl               {text, intent, slots}: templates, paraphrases, other talk (intent "none")
 *     intent.development.jsonl         phrasings left out of training to tune with, when LEAVE_OUT is set
 *     intent.test.jsonl                {text, intent, slots}: held-out phrasings only, none of them ever trained on
 *
 *   LEAVE_OUT=0.12 node training/phrases.ts    leaves a tenth of the training phrasings out, for development
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'
import { expandRules, parseTemplate, type TemplateNode } from '../src/skills/intents/template.ts'
import {
  compose,
  type Grammar,
  type IntentGrammar,
  readGrammar,
  type Sentence,
  type Strangers,
  surround,
} from './grammar.ts'
import { type Seeded, seeded, textHash } from './seeded.ts'
import { readDictionary, readTalk } from './talk.ts'

const ROOT = new URL('..', import.meta.url).pathname
const OUT = new URL('out/corpus/', import.meta.url).pathname
const TRAIN = 120_000
const TEST = 900
const LEAVE_OUT = Number(process.env.LEAVE_OUT ?? 0)

interface Phrasings {
  readonly train: readonly string[]
  readonly held_out: readonly string[]
}

interface Paraphrases {
  readonly openers: readonly string[]
  readonly closers: readonly string[]
  readonly fillers: readonly string[]
  readonly intents: Readonly<Record<string, Phrasings>>
  readonly none: Phrasings
}

/** One intent and the trees of some of its phrasings. */
interface Source {
  readonly intent: IntentGrammar
  readonly phrasings: readonly TemplateNode[]
}

/** An intent that asks for nothing the assistant has: no slots. */
const NONE: IntentGrammar = { intent: 'none', slots: new Map(), templates: [] }

function main(): void {
  const grammar = readGrammar(ROOT)
  const paraphrases = parse(readFileSync(`${ROOT}training/paraphrases.yaml`, 'utf8')) as Paraphrases
  const read = (text: string): TemplateNode => expandRules(parseTemplate(text), grammar.rules)
  const leftOut = (text: string): boolean => textHash(text) % 1000 < LEAVE_OUT * 1000
  const sources = (choose: (phrasings: Phrasings) => readonly string[]): Source[] =>
    grammar.intents.map((intent) => ({
      intent,
      phrasings: choose(paraphrases.intents[intent.intent] ?? { train: [], held_out: [] }).map(read),
    }))

  const trained = sources((phrasings) => phrasings.train.filter((text) => !leftOut(text)))
  const development = sources((phrasings) => phrasings.train.filter(leftOut))
  const heldOut = sources((phrasings) => phrasings.held_out)
  const talk = readTalk()
  const testTalk = (text: string): boolean => textHash(text) % 20 === 0
  const none = (texts: readonly string[]): Source => ({ intent: NONE, phrasings: texts.map(read) })

  const random = seeded(41)
  const dictionary = readDictionary()
  const train = drawTraining(
    grammar,
    paraphrases,
    trained,
    none(paraphrases.none.train),
    talk.filter((text) => !testTalk(text)),
    dictionary,
    random,
  )
  const test = drawMeasured(
    grammar,
    paraphrases,
    heldOut,
    none(paraphrases.none.held_out),
    talk.filter(testTalk),
    TEST,
    seeded(42),
  )
  mkdirSync(OUT, { recursive: true })
  writeLines('intent.train.jsonl', train.map(withoutArticles))
  writeLines('intent.test.jsonl', test.map(withoutArticles))
  if (LEAVE_OUT > 0) {
    const phrasings = drawMeasured(
      grammar,
      paraphrases,
      development,
      none(paraphrases.none.train.filter(leftOut)),
      [],
      TEST,
      seeded(43),
    )
    writeLines('intent.development.jsonl', phrasings.map(withoutArticles))
  }
  const share = train.filter((line) => line.intent === 'none').length / train.length
  console.log(`${train.length} to train (${(share * 100).toFixed(0)} % none), ${test.length} to test`)
}

/** Training: a quarter template sentences, a quarter other talk, the rest paraphrases; many of them roughened. */
function drawTraining(
  grammar: Grammar,
  paraphrases: Paraphrases,
  sources: readonly Source[],
  none: Source,
  talk: readonly string[],
  dictionary: readonly string[],
  random: Seeded,
): Sentence[] {
  const strangers: Strangers = { words: dictionary, chance: 0.12 }
  // Each phrasing weighs the same within its intent; an intent weighs by the root of how many ways there are to say it.
  const urn = sources.flatMap((source) =>
    Array.from({ length: Math.ceil(2 * Math.sqrt(source.phrasings.length)) }, () => source),
  )

  function drawLine(): Sentence {
    const kind = random.next()
    if (kind < 0.25) {
      const { intent } = random.one(urn)
      const core = compose(grammar, intent, random.one(intent.templates), random, strangers)
      return roughen({ ...core, text: surround(grammar, core.text, random) }, paraphrases, dictionary, random)
    }
    if (kind < 0.78) {
      const source = random.one(urn)
      const core = compose(grammar, source.intent, random.one(source.phrasings), random, strangers)
      return roughen({ ...core, text: address(core, paraphrases, random) }, paraphrases, dictionary, random)
    }
    if (kind < 0.9) {
      const core = compose(grammar, NONE, random.one(none.phrasings), random)
      return { ...core, text: address(core, paraphrases, random) }
    }
    if (kind < 0.98) return { text: random.one(talk), intent: 'none', slots: {} }
    const words = Array.from({ length: 1 + random.below(5) }, () => random.one(dictionary))
    return { text: words.join(' '), intent: 'none', slots: {} }
  }

  return Array.from({ length: TRAIN }, drawLine)
}

/** Distinct sentences, every intent and every phrasing in turn; one in six is other talk. */
function drawMeasured(
  grammar: Grammar,
  paraphrases: Paraphrases,
  sources: readonly Source[],
  none: Source,
  talk: readonly string[],
  count: number,
  random: Seeded,
): Sentence[] {
  const drawn = new Map<string, Sentence>()
  const turns = sources.flatMap((source) =>
    source.phrasings.map((phrasing) => ({ intent: source.intent, phrasing })),
  )
  for (let i = 0; drawn.size < count && i < count * 8; i += 1) {
    const turn = turns[i % turns.length]
    if (turn === undefined) break
    const other = i % 6 === 5
    const core = other
      ? drawOther(grammar, none, talk, random)
      : compose(grammar, turn.intent, turn.phrasing, random)
    const text = random.chance(0.3) ? address(core, paraphrases, random) : core.text
    drawn.set(text, { ...core, text })
  }
  return [...drawn.values()]
}

function drawOther(grammar: Grammar, none: Source, talk: readonly string[], random: Seeded): Sentence {
  if (none.phrasings.length > 0 && (talk.length === 0 || random.chance(0.7))) {
    return compose(grammar, NONE, random.one(none.phrasings), random)
  }
  return { text: talk.length > 0 ? random.one(talk) : 'nothing at all', intent: 'none', slots: {} }
}

/** Puts openers and closers around a phrase. Short answers such as "yes" mostly stand alone. */
function address(core: Sentence, paraphrases: Paraphrases, random: Seeded): string {
  const chatty = core.intent.startsWith('session.') ? 0.12 : 0.4
  const before = random.chance(chatty) ? `${random.one(paraphrases.openers)} ` : ''
  const after = random.chance(chatty / 2) ? ` ${random.one(paraphrases.closers)}` : ''
  return `${before}${core.text}${after}`
}

/** What recognition and hesitation do to a sentence: a filler, a lost or doubled word, two words swapped, a wrong word.
 *  Words of slot values stay as they are. */
function roughen(
  sentence: Sentence,
  paraphrases: Paraphrases,
  dictionary: readonly string[],
  random: Seeded,
): Sentence {
  const words = sentence.text.split(' ')
  if (words.length < 4 || random.chance(0.6)) return sentence
  const valued = new Set(
    Object.values(sentence.slots)
      .flat()
      .flatMap((value) => value.split(' ')),
  )
  const free = words.flatMap((word, i) => (valued.has(word) ? [] : [i]))
  if (free.length < 3) return sentence
  const at = random.one(free)
  const word = words[at] ?? ''
  const form = random.next()
  if (form < 0.35) words.splice(at, 0, random.one(paraphrases.fillers))
  else if (form < 0.55 && FUNCTION_WORDS.has(word)) words.splice(at, 1)
  else if (form < 0.65) words.splice(at, 0, word)
  else if (form < 0.75 && at + 1 < words.length && free.includes(at + 1))
    words.splice(at, 2, words[at + 1] ?? '', word)
  else if (form < 0.9 && FUNCTION_WORDS.has(word)) words[at] = random.one(dictionary)
  else words.unshift(random.one(dictionary))
  return { ...sentence, text: words.join(' ') }
}

/** Words a sentence can lose without changing what it asks for. */
const FUNCTION_WORDS = new Set(
  'a an the my me us to of some please is are it that i we you can could would do does in for'.split(' '),
)

/** "the radio" is asked for as "radio": articles are no part of a value. */
function withoutArticles(line: Sentence): Sentence {
  const bare = (value: string): string => value.replace(/^the /, '')
  const slots = Object.entries(line.slots).map(([name, value]) => [
    name,
    typeof value === 'string' ? bare(value) : value.map(bare),
  ])
  return { text: line.text.replaceAll('the the ', 'the '), intent: line.intent, slots: Object.fromEntries(slots) }
}

function writeLines(name: string, lines: readonly unknown[]): void {
  writeFileSync(OUT + name, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

main()
