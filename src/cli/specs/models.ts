/** Models, and what they run on. */
import type { CommandSpec } from '../call.ts'
import { configOptions } from '../options.ts'
import { oneOf } from './one-of.ts'
import { dryRun, yes } from './options.ts'

const changingModels = oneOf(() => import('../commands/models-change.ts'))

export const models: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'what is here, what is used, what can be fetched',
    options: [...configOptions, { flags: '--here', about: 'only what is here' }],
    examples: [
      ['loqa models ls', 'a table, with size and licence'],
      ['loqa models ls --json', 'for a script'],
    ],
    load: () => import('../commands/models-ls.ts'),
  },
  {
    name: 'pull',
    args: '[models...]',
    summary: 'fetch models by name or address; without one it proposes what suits this machine, and why',
    options: [
      ...configOptions,
      { flags: '--sha256 <hex>', about: 'what the file of an address must be' },
      { flags: '--from <url>', about: 'ask here first, for a model of the catalogue' },
      { flags: '--as <name>', about: 'what the file of an address is called here' },
      { flags: '--kind <kind>', about: 'what it is for: stt, llm, tts, vad, wake, embedding' },
      { flags: '--engine <engine>', about: 'what it runs on' },
      { flags: '--dry-run', about: 'only say what would be fetched' },
      yes,
    ],
    examples: [
      ['loqa models pull', 'what suits this machine'],
      ['loqa models pull whisper-base-q5_1', 'one of the catalogue; again to go on after a break'],
    ],
    load: () => import('../commands/models-pull.ts'),
  },
  {
    name: 'use',
    args: '<model>',
    summary: 'use a model that is here, where the configuration says auto',
    options: configOptions,
    examples: [
      ['loqa models use zipformer-en-20m', 'for its kind, from the next start of the node'],
      ['loqa models use recogniser-starter', 'back to the one that came with the node'],
    ],
    load: changingModels(({ use }) => use),
  },
  {
    name: 'rm',
    args: '<model>',
    summary: 'remove a model that was fetched, or what an unfinished download left',
    options: [...configOptions, dryRun, yes],
    examples: [
      ['loqa models rm whisper-base-q5_1', 'asks first'],
      ['loqa models rm whisper-base-q5_1 --dry-run', 'how much is that?'],
    ],
    load: changingModels(({ rm }) => rm),
  },
  {
    name: 'bench',
    args: '<model>',
    summary: 'how fast a model is on this machine',
    options: configOptions,
    examples: [
      ['loqa models bench whisper-base-q5_1', 'as its engine measures itself'],
      ['loqa models bench intent-starter --json', 'for a script'],
    ],
    load: () => import('../commands/models-bench.ts'),
  },
]

const handlingEngines = oneOf(() => import('../commands/engines.ts'))

export const engines: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'what models run on, and what can be added',
    options: configOptions,
    examples: [
      ['loqa engines ls', 'a table, with size and licence'],
      ['loqa engines ls --json', 'for a script'],
    ],
    load: handlingEngines(({ ls }) => ls),
  },
  {
    name: 'add',
    args: '<engine>',
    summary: 'install the library of an engine that does not come with the program; says its size first',
    options: [...configOptions, { flags: '--dry-run', about: 'only say how much it is' }, yes],
    examples: [
      ['loqa engines add kokoro --dry-run', 'how much is that?'],
      ['loqa engines add kokoro', 'asks first'],
    ],
    load: handlingEngines(({ add }) => add),
  },
  {
    name: 'rm',
    args: '<engine>',
    summary: 'remove what was added',
    options: [...configOptions, dryRun, yes],
    examples: [
      ['loqa engines rm kokoro', 'asks first'],
      ['loqa engines rm kokoro --dry-run', 'how much is that?'],
    ],
    load: handlingEngines(({ rm }) => rm),
  },
]
