/**
 * Sentences for the intent model: what it learns from, and what it is measured with.
 *
 * A phrasing is learned or measured with, never both (`phrasings.ts`), and what a held-out phrasing can say is not trained
 * on even if another phrasing can say it too (`withheld.ts`). What a skill's template says is not measured here: it is
 * read without the model. `leaveOut` keeps a share of the training phrasings back as well, to tune with without looking
 * at the held-out ones.
 */
import { plainText } from '../src/skills/intents/normalise.ts'
import type { TemplateNode } from '../src/skills/intents/template.ts'
import { accepts } from './accepts.ts'
import { compose, type Grammar, type Sentence, type Strangers, surround } from './grammar.ts'
import { type Kind, NONE, type Phrasing, readPhrasings, type Wording } from './phrasings.ts'
import { address, disturb, reword } from './roughen.ts'
import { type Seeded, seeded, textHash } from './seeded.ts'
import { NUMBER_WORDS } from './spoken.ts'
import { type English, readEnglish } from './talk.ts'
import { withhold } from './withheld.ts'

/** A sentence to measure with, and where it comes from. */
export interface MeasuredSentence extends Sentence {
  readonly kind: Kind | 'talk'
}

/** `count` sentences to train with. Repeats are possible. */
export function trainingSentences(count: number, leaveOut = 0, english: English = readEnglish()): Sentence[] {
  const { grammar, wording, phrasings } = readPhrasings()
  const trained = phrasings.filter((one) => !one.heldOut && !isLeftOut(one, leaveOut))
  const kept = phrasings.filter((one) => one.heldOut || isLeftOut(one, leaveOut))
  const withheld = withhold(
    kept.map((one) => one.tree),
    valueWords(grammar),
  )
  const talk = english.talk.filter((text) => !isTestTalk(text))
  const random = seeded(41)
  const measured = new Set(heldOutSentences(MEASURED, english).map((one) => one.text))
  const mayBeLearned = (one: Sentence): boolean => !withheld.says(one) && !measured.has(one.text)
  return drawTraining(count, grammar, wording, trained, mayBeLearned, { ...english, talk }, random)
}

/** As many as the bench draws. */
const MEASURED = 3_000

/** Up to `count` distinct sentences of the held-out phrasings; one in six is other talk, asked for as "none". */
export function heldOutSentences(count: number, english: English = readEnglish()): MeasuredSentence[] {
  const { grammar, wording, phrasings } = readPhrasings()
  const heldOut = phrasings.filter((one) => one.heldOut)
  return drawMeasured(count, grammar, wording, heldOut, english.talk.filter(isTestTalk), seeded(42))
}

/** Up to `count` newly filled sentences of the phrasings that are trained on: what the model should know. */
export function knownSentences(count: number): MeasuredSentence[] {
  const { grammar, wording, phrasings } = readPhrasings()
  const trained = phrasings.filter((one) => !one.heldOut)
  return drawMeasured(count, grammar, wording, trained, [], seeded(44))
}

/** The same from the training phrasings `trainingSentences` left out. */
export function developmentSentences(count: number, leaveOut: number): MeasuredSentence[] {
  const { grammar, wording, phrasings } = readPhrasings()
  const development = phrasings.filter((one) => !one.heldOut && isLeftOut(one, leaveOut))
  return drawMeasured(count, grammar, wording, development, [], seeded(43))
}

function isLeftOut({ text }: Phrasing, share: number): boolean {
  return textHash(text) % 1000 < share * 1000
}

function isTestTalk(text: string): boolean {
  return textHash(text) % 20 === 0
}

function valueWords(grammar: Grammar): Set<string> {
  return new Set([
    ...NUMBER_WORDS,
    ...[...grammar.values.values()].flat().flatMap((value) => value.split(' ')),
  ])
}

/** Shares of the training sentences; what is left over is loose words. */
const SHARES = { template: 0.13, phrasing: 0.55, other: 0.17, talk: 0.1, impossible: 0.02 } as const

/** Templates, phrasings, requests that cannot be met, talk and loose words; many of them roughened. */
function drawTraining(
  count: number,
  grammar: Grammar,
  wording: Wording,
  phrasings: readonly Phrasing[],
  mayBeLearned: (one: Sentence) => boolean,
  { talk, dictionary }: English,
  random: Seeded,
): Sentence[] {
  const strangers: Strangers = { words: dictionary, chance: 0.12 }
  const byIntent = Map.groupBy(phrasings, (one) => one.intent.intent)
  const none = byIntent.get('none') ?? []
  // An intent weighs by the root of how many ways there are to say it. Within it a frame or an idiom weighs as much as three
  // of the everyday phrasings, which are three in four: each stands for more sentences, or for stranger ones.
  const urn = grammar.intents.flatMap((intent) => {
    const phrased = byIntent.get(intent.intent) ?? []
    const own = phrased.flatMap((one) => (one.kind === 'everyday' ? [one] : [one, one, one]))
    return Array.from({ length: Math.ceil(2 * Math.sqrt(phrased.length)) }, () => ({ intent, own }))
  })

  function drawLine(): Sentence | undefined {
    let kind = random.next()
    if (kind < SHARES.template) {
      const { intent } = random.one(urn)
      const core = compose(grammar, intent, random.one(intent.templates), random, strangers)
      return roughened(core, (one) => surround(grammar, one.text, random))
    }
    kind -= SHARES.template
    if (kind < SHARES.phrasing) {
      const { intent, own } = random.one(urn)
      const core = compose(grammar, intent, random.one(own).tree, random, strangers)
      return roughened(core, (one) => address(one, wording, random))
    }
    kind -= SHARES.phrasing
    if (kind < SHARES.other) {
      const core = compose(grammar, NONE, random.one(none).tree, random)
      return roughened(core, (one) => address(one, wording, random))
    }
    kind -= SHARES.other
    if (kind < SHARES.talk) return other(random.one(talk))
    kind -= SHARES.talk
    if (kind < SHARES.impossible) return other(random.one(OF_A_THING).replace('…', random.one(dictionary)))
    return other(Array.from({ length: 1 + random.below(5) }, () => random.one(dictionary)).join(' '))
  }

  function roughened(core: Sentence, around: (one: Sentence) => string): Sentence | undefined {
    const said = random.chance(0.3) ? reword(core, wording, random) : core
    if (!mayBeLearned(said)) return undefined
    const rough = disturb({ ...said, text: around(said) }, wording, dictionary, random)
    return mayBeLearned(rough) ? rough : undefined
  }

  const lines: Sentence[] = []
  while (lines.length < count) {
    const drawn = drawLine()
    const line = drawn && asAsked(drawn)
    // Once more as the model is asked: "mum" has become "mom" by now, and other talk was not looked at before.
    if (line !== undefined && mayBeLearned(line)) lines.push(line)
  }
  return lines
}

function other(text: string): Sentence {
  return { text, intent: 'none', slots: {} }
}

/** Asked of a thing the house does not have, these are no intent's. */
const OF_A_THING = [
  'turn on the …',
  'turn off the …',
  'switch on the …',
  'switch off the …',
  'turn the … on',
  'turn the … off',
  'open the …',
  'close the …',
  'lock the …',
  'unlock the …',
  'start the …',
  'stop the …',
]

/** Distinct sentences, every phrasing in turn; one in six is other talk. What a template says is left out. */
function drawMeasured(
  count: number,
  grammar: Grammar,
  wording: Wording,
  phrasings: readonly Phrasing[],
  talk: readonly string[],
  random: Seeded,
): MeasuredSentence[] {
  const values = valueWords(grammar)
  const templates = grammar.intents.flatMap((intent) => intent.templates)
  const none = phrasings.filter((one) => one.intent === NONE)
  // In an order of no meaning: however few are drawn, they are of every kind and intent.
  const requests = phrasings
    .filter((one) => one.intent !== NONE)
    .sort((a, b) => textHash(a.text) - textHash(b.text))
  const drawn = new Map<string, MeasuredSentence>()
  for (let i = 0; drawn.size < count && i < count * 6; i += 1) {
    const core =
      i % 6 === 5
        ? drawOther(grammar, none, talk, random)
        : drawRequest(grammar, requests[i % requests.length], random)
    if (core === undefined || isTemplateSentence(templates, core.text, values)) continue
    const text = random.chance(0.3) ? address(core, wording, random) : core.text
    drawn.set(text, { ...core, ...asAsked({ ...core, text }) })
  }
  return [...drawn.values()]
}

function isTemplateSentence(
  templates: readonly TemplateNode[],
  text: string,
  values: ReadonlySet<string>,
): boolean {
  return templates.some((template) => accepts(template, text, values))
}

function drawRequest(
  grammar: Grammar,
  phrasing: Phrasing | undefined,
  random: Seeded,
): MeasuredSentence | undefined {
  if (phrasing === undefined) return undefined
  return { ...compose(grammar, phrasing.intent, phrasing.tree, random), kind: phrasing.kind }
}

function drawOther(
  grammar: Grammar,
  none: readonly Phrasing[],
  talk: readonly string[],
  random: Seeded,
): MeasuredSentence | undefined {
  if (none.length > 0 && (talk.length === 0 || random.chance(0.7))) {
    return drawRequest(grammar, random.one(none), random)
  }
  return talk.length === 0 ? undefined : { ...other(random.one(talk)), kind: 'talk' }
}

/** As the model is asked about it. "the radio" is a value "radio": articles are no part of it. */
function asAsked({ text, intent, slots }: Sentence): Sentence {
  const bare = (value: string): string => value.replace(/^the /, '')
  const values = Object.entries(slots).map(([name, value]) => [
    name,
    typeof value === 'string' ? bare(value) : value.map(bare),
  ])
  return { text: plainText(text.replaceAll('the the ', 'the ')), intent, slots: Object.fromEntries(values) }
}
