/**
 * Free phrasings: what the intent model learns from, and the phrasings held out of it that it is measured with.
 *
 * A phrasing is a template of training/paraphrases.yaml. It is either trained on or measured with, never both; `leaveOut`
 * keeps a share of the training phrasings back as well, to tune with without looking at the held-out ones. The held-out
 * phrasings were picked by hash, not by hand; a sentence that a skill's template or any training phrasing can say is not
 * measured with, even if a held-out phrasing says it too.
 */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { expandRules, parseTemplate, type TemplateNode } from '../src/skills/intents/template.ts'
import { accepts } from './accepts.ts'
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
import { NUMBER_WORDS } from './spoken.ts'
import { readDictionary, readTalk } from './talk.ts'

const ROOT = new URL('..', import.meta.url).pathname

interface Phrasings {
  readonly train: readonly string[]
  readonly held_out: readonly string[]
}

interface Paraphrases {
  readonly openers: readonly string[]
  readonly closers: readonly string[]
  readonly fillers: readonly string[]
  readonly synonyms: readonly (readonly string[])[]
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

/** `count` sentences to train with. Repeats are possible. */
export function trainingSentences(count: number, leaveOut = 0): Sentence[] {
  const { grammar, paraphrases, sources, none } = readPhrasings()
  const kept = (texts: readonly string[]): string[] => texts.filter((text) => !isLeftOut(text, leaveOut))
  const trained = sources((phrasings) => kept(phrasings.train))
  const talk = readTalk().filter((text) => !isTestTalk(text))
  const other = none(kept(paraphrases.none.train))
  return drawTraining(count, grammar, paraphrases, trained, other, talk, seeded(41)).map(withoutArticles)
}

/** Up to `count` distinct sentences of the held-out phrasings; one in six is other talk, asked for as "none". */
export function heldOutSentences(count: number): Sentence[] {
  const { grammar, paraphrases, sources, none } = readPhrasings()
  const heldOut = sources((phrasings) => phrasings.held_out)
  const talk = readTalk().filter(isTestTalk)
  const other = none(paraphrases.none.held_out)
  const known = [
    ...grammar.intents.flatMap((intent) => intent.templates),
    ...sources((phrasings) => phrasings.train).flatMap((source) => source.phrasings),
    ...none(paraphrases.none.train).phrasings,
  ]
  return drawMeasured(count, grammar, paraphrases, heldOut, other, talk, known, seeded(42)).map(
    withoutArticles,
  )
}

/** Up to `count` newly filled sentences of the phrasings that are trained on: what the model should know. */
export function knownSentences(count: number): Sentence[] {
  const { grammar, paraphrases, sources, none } = readPhrasings()
  const trained = sources((phrasings) => phrasings.train)
  const other = none(paraphrases.none.train)
  return drawMeasured(count, grammar, paraphrases, trained, other, [], [], seeded(44)).map(withoutArticles)
}

/** The same from the training phrasings `trainingSentences` left out. */
export function developmentSentences(count: number, leaveOut: number): Sentence[] {
  const { grammar, paraphrases, sources, none } = readPhrasings()
  const chosen = (texts: readonly string[]): string[] => texts.filter((text) => isLeftOut(text, leaveOut))
  const development = sources((phrasings) => chosen(phrasings.train))
  const other = none(chosen(paraphrases.none.train))
  return drawMeasured(count, grammar, paraphrases, development, other, [], [], seeded(43)).map(
    withoutArticles,
  )
}

function readPhrasings() {
  const grammar = readGrammar(ROOT)
  const paraphrases = parse(readFileSync(`${ROOT}training/paraphrases.yaml`, 'utf8')) as Paraphrases
  const read = (text: string): TemplateNode => expandRules(parseTemplate(text), grammar.rules)
  const sources = (choose: (phrasings: Phrasings) => readonly string[]): Source[] =>
    grammar.intents.map((intent) => ({
      intent,
      phrasings: choose(paraphrases.intents[intent.intent] ?? { train: [], held_out: [] }).map(read),
    }))
  const none = (texts: readonly string[]): Source => ({ intent: NONE, phrasings: texts.map(read) })
  return { grammar, paraphrases, sources, none }
}

function isLeftOut(text: string, share: number): boolean {
  return textHash(text) % 1000 < share * 1000
}

function isTestTalk(text: string): boolean {
  return textHash(text) % 20 === 0
}

/** Training: a quarter template sentences, a quarter other talk, the rest paraphrases; many of them roughened. */
function drawTraining(
  count: number,
  grammar: Grammar,
  paraphrases: Paraphrases,
  sources: readonly Source[],
  none: Source,
  talk: readonly string[],
  random: Seeded,
): Sentence[] {
  const dictionary = readDictionary()
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
      return roughen({ ...core, text: address(core, paraphrases, random) }, paraphrases, dictionary, random)
    }
    if (kind < 0.98) return { text: random.one(talk), intent: 'none', slots: {} }
    const words = Array.from({ length: 1 + random.below(5) }, () => random.one(dictionary))
    return { text: words.join(' '), intent: 'none', slots: {} }
  }

  return Array.from({ length: count }, drawLine)
}

/** Distinct sentences, every intent and every phrasing in turn; one in six is other talk. */
function drawMeasured(
  count: number,
  grammar: Grammar,
  paraphrases: Paraphrases,
  sources: readonly Source[],
  none: Source,
  talk: readonly string[],
  known: readonly TemplateNode[],
  random: Seeded,
): Sentence[] {
  const values = new Set([
    ...NUMBER_WORDS,
    ...[...grammar.values.values()].flat().flatMap((value) => value.split(' ')),
  ])
  const drawn = new Map<string, Sentence>()
  const turns = sources.flatMap((source) =>
    source.phrasings.map((phrasing) => ({ intent: source.intent, phrasing })),
  )
  for (let i = 0; drawn.size < count && i < count * 6; i += 1) {
    const turn = turns[i % turns.length]
    if (turn === undefined) break
    const other = i % 6 === 5
    const core = other
      ? drawOther(grammar, none, talk, random)
      : compose(grammar, turn.intent, turn.phrasing, random)
    if (known.some((template) => accepts(template, core.text, values))) continue
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
  return disturb(
    random.chance(0.4) ? reword(sentence, paraphrases, random) : sentence,
    paraphrases,
    dictionary,
    random,
  )
}

/** Puts a synonym for a phrase, once or twice, never inside a slot's value. */
function reword(sentence: Sentence, paraphrases: Paraphrases, random: Seeded): Sentence {
  const values = Object.values(sentence.slots).flat()
  let text = ` ${sentence.text} `
  for (let times = random.chance(0.3) ? 2 : 1; times > 0; times -= 1) {
    const choices = paraphrases.synonyms.flatMap((group) =>
      group
        .filter((phrase) => text.includes(` ${phrase} `) && !values.some((value) => value.includes(phrase)))
        .map((phrase) => ({ group, phrase })),
    )
    if (choices.length === 0) break
    const { group, phrase } = random.one(choices)
    text = text.replace(` ${phrase} `, ` ${random.one(group)} `)
  }
  return { ...sentence, text: text.trim() }
}

/** A filler, a lost or doubled word, two words swapped, a wrong word; words of slot values stay as they are. */
function disturb(
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
  return {
    text: line.text.replaceAll('the the ', 'the '),
    intent: line.intent,
    slots: Object.fromEntries(slots),
  }
}
