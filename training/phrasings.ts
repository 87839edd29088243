/**
 * The free phrasings and the side each is on: learned, or held out to measure with. Never both.
 *
 * Three kinds, reported apart:
 *   everyday  how these things are usually asked, by people who had not seen the others: training/phrasings/everyday-*.yaml,
 *             and later-*.yaml, which came after the first measurement and is only trained with (odd and roundabout ones among them)
 *   idiom     one by one as they came to mind: training/paraphrases.yaml, which lists the held-out ones by name
 *   frame     verb × object × frame, the odd and the indirect ones too: the other files of training/phrasings/
 *
 * Which side a phrasing is on is decided by the hash of its text alone, one in eight is held out. A phrasing that is
 * rewritten may change sides; so nobody looks at the held-out ones while writing.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse } from 'yaml'
import { expandRules, parseTemplate, type TemplateNode } from '../src/skills/intents/template.ts'
import { type Grammar, type IntentGrammar, readGrammar } from './grammar.ts'
import { textHash } from './seeded.ts'

export type Kind = 'everyday' | 'idiom' | 'frame'

export interface Phrasing {
  readonly text: string
  readonly tree: TemplateNode
  readonly intent: IntentGrammar
  readonly kind: Kind
  readonly heldOut: boolean
}

/** Words and phrases around a request, and those that may stand for one another. */
export interface Wording {
  readonly openers: readonly string[]
  readonly closers: readonly string[]
  readonly fillers: readonly string[]
  readonly synonyms: readonly (readonly string[])[]
}

export interface Phrasings {
  readonly grammar: Grammar
  readonly wording: Wording
  readonly phrasings: readonly Phrasing[]
}

/** An intent that asks for nothing the assistant has: no slots. */
export const NONE: IntentGrammar = { intent: 'none', slots: new Map(), templates: [], follows: false }

const ROOT = new URL('..', import.meta.url).pathname
const FRAMES = `${ROOT}training/phrasings/`

interface Sides {
  readonly train: readonly string[]
  readonly held_out: readonly string[]
}

interface IdiomsYaml extends Wording {
  readonly intents: Readonly<Record<string, Sides>>
  readonly none: Sides
}

/** One in eight. */
export function isHeldOut(text: string): boolean {
  return textHash(text) % 8 === 3
}

/** @throws Error naming an intent that does not exist, TemplateError for a phrasing that cannot be read. */
export function readPhrasings(): Phrasings {
  const grammar = readGrammar(ROOT)
  const intents = new Map([NONE, ...grammar.intents].map((intent) => [intent.intent, intent]))
  const idioms = yaml<IdiomsYaml>(`${ROOT}training/paraphrases.yaml`)
  const rules = new Map(grammar.rules)
  for (const [name, text] of Object.entries(yaml<Record<string, string>>(`${FRAMES}rules.yaml`))) {
    rules.set(name, parseTemplate(text))
  }

  function phrasing(name: string, text: string, kind: Kind, heldOut: boolean): Phrasing {
    const intent = intents.get(name)
    if (intent === undefined) throw new Error(`no intent named ${name}`)
    return { text, tree: expandRules(parseTemplate(text), rules), intent, kind, heldOut }
  }

  const listed = Object.entries({ ...idioms.intents, none: idioms.none }).flatMap(([name, sides]) => [
    ...sides.train.map((text) => phrasing(name, text, 'idiom', false)),
    ...sides.held_out.map((text) => phrasing(name, text, 'idiom', true)),
  ])
  const framed = frameFiles().flatMap((file) =>
    Object.entries(yaml<Record<string, string>>(file)).flatMap(([name, lines]) =>
      lines
        .trim()
        .split('\n')
        .map((text) => phrasing(name, text, kindOf(file), !isLater(file) && isHeldOut(text))),
    ),
  )
  const { openers, closers, fillers, synonyms } = idioms
  return { grammar, wording: { openers, closers, fillers, synonyms }, phrasings: [...listed, ...framed] }
}

const isLater = (file: string): boolean => basename(file).startsWith('later-')

const kindOf = (file: string): Kind =>
  isLater(file) || basename(file).startsWith('everyday-') ? 'everyday' : 'frame'

function frameFiles(): string[] {
  return readdirSync(FRAMES)
    .filter((name) => name.endsWith('.yaml') && name !== 'rules.yaml')
    .sort()
    .map((name) => FRAMES + name)
}

function yaml<T>(file: string): T {
  return parse(readFileSync(file, 'utf8')) as T
}
