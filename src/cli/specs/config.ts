/** The settings. */
import type { CommandSpec } from '../call.ts'
import { configOptions } from '../options.ts'

export const config: readonly CommandSpec[] = [
  {
    name: 'show',
    summary: 'every setting a node started here would have',
    options: [
      ...configOptions,
      { flags: '--origin', about: 'also where each value comes from' },
      { flags: '--running', about: 'those of the running node instead' },
    ],
    examples: [
      ['loqa config show --origin', 'with flags, variables, files and defaults told apart'],
      ['loqa config show --running', 'what the running node uses'],
    ],
    load: () => import('../commands/config-show.ts'),
  },
  {
    name: 'check',
    summary: 'say what is wrong with the settings',
    options: configOptions,
    examples: [
      ['loqa config check', 'the files and variables in force'],
      ['loqa config check --config loqa.toml', 'this file'],
    ],
    load: () => import('../commands/config-check.ts'),
  },
  {
    name: 'default',
    summary: 'print a file with every setting, its range and its default',
    examples: [
      ['loqa config default', 'to read'],
      ['loqa config default > loqa.toml', 'to start from'],
    ],
    load: () => import('../commands/config-default.ts'),
  },
]
