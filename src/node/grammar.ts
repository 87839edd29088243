/** What the house understands: the words of `config/intents` and of every installed skill, compiled. */
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Disk } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import { compileWithSkills, type Grammar, type Skills } from '../skills/index.ts'

const HOUSE_FILES = ['lexicon.yaml', 'session.yaml', 'house.yaml'] as const

/** A skill whose sentences cannot be compiled is left out and logged. Errors: `GrammarError` when the house's own cannot. */
export async function loadGrammar(disk: Disk, directory: string, skills: Skills, log: Log): Promise<Grammar> {
  const house = await Promise.all(
    HOUSE_FILES.map(async (name) => {
      const file = join(directory, name)
      return { file, content: parse(Buffer.from(await disk.read(file)).toString('utf8')) as unknown }
    }),
  )
  const learned = skills.intentSources.map(({ file, source }) => ({ file, content: source }))
  const { grammar, refused } = compileWithSkills(house, learned)
  for (const { message } of refused)
    log.warn('The sentences of a skill are not understood', { problem: message })
  return grammar
}
