/** The commands for what the household chose for a skill, as data. */
import type { CommandSpec, OptionSpec } from '../call.ts'
import { oneOf } from './one-of.ts'

const reset: OptionSpec = { flags: '--reset', about: 'take back what was chosen' }

const chosen = oneOf(() => import('../commands/skill-settings.ts'))

export const settling: readonly CommandSpec[] = [
  {
    name: 'config',
    args: '<skill> [key] [value...]',
    summary: 'see and choose the settings of a skill',
    options: [reset],
    examples: [
      ['loqa skill config weather', 'what there is to choose'],
      ['loqa skill config weather place Berlin', 'for the whole household'],
    ],
    load: chosen(({ config }) => config),
  },
  {
    name: 'secret',
    args: '<skill> [key]',
    summary: 'give a skill a secret; it is put into its requests and never shown again',
    options: [{ flags: '--value <secret>', about: 'instead of reading it from standard input' }, reset],
    examples: [
      ['loqa skill secret weather api_key < key.txt', 'from a file'],
      ['loqa skill secret weather api_key --reset', 'takes it back'],
    ],
    load: chosen(({ secret }) => secret),
  },
]
