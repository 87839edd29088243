/** What the house understands: the words of `config/intents`, and with them the sentences of every skill there is now. */
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Disk } from '../host/index.ts'
import { type Grammar, type GrammarSource, languageSide, type Skills, sayUnhandled } from '../skills/index.ts'
import { currentUnderstanding, type Understanding, understandingOf } from '../voice/index.ts'

const HOUSE_FILES = ['lexicon.yaml', 'session.yaml', 'house.yaml'] as const

/** Errors: `DiskError`. */
export const houseSentences = (disk: Disk, directory: string): Promise<GrammarSource[]> =>
  Promise.all(
    HOUSE_FILES.map(async (name) => {
      const file = join(directory, name)
      return { file, content: parse(Buffer.from(await disk.read(file)).toString('utf8')) as unknown }
    }),
  )

/**
 * Follows the skills: a sentence of one that came a moment ago is understood, one of a skill that went is not. `handler` names who
 * carries out what no skill's own sentences say.
 * Errors: `GrammarError` when the house's own sentences cannot be compiled.
 */
export function understandingNow(
  skills: Pick<Skills, 'grammar' | 'actors'>,
  handler: (intent: string) => string | undefined = () => undefined,
): Understanding {
  let { grammar } = skills
  let understanding = of(grammar)
  return currentUnderstanding(() => {
    if (grammar !== skills.grammar) {
      grammar = skills.grammar
      understanding = of(grammar)
    }
    return understanding
  })

  function of(grammar: Grammar): Understanding {
    const names = skills.actors.map(({ key }) => key)
    const own = understandingOf(grammar, names, languageSide(grammar), (intent) =>
      sayUnhandled(grammar, intent),
    )
    return { ...own, skillFor: (intent) => own.skillFor(intent) ?? handler(intent) }
  }
}
