/** The commands for whoever develops a skill, as data. */
import type { CommandSpec, OptionSpec } from '../call.ts'

const dir: OptionSpec = { flags: '--dir <folder>', about: 'make it here instead of in a folder of its name' }

export const developing: readonly CommandSpec[] = [
  {
    name: 'init',
    args: '<name>',
    summary: 'begin a skill from a template that works',
    options: [{ flags: '--template <name>', about: 'typescript (default), timer, http or device' }, dir],
    examples: [
      ['loqa skill init visitors', 'one TypeScript file, nothing to install'],
      ['loqa skill init egg --template timer', 'in AssemblyScript, compiled to WebAssembly'],
    ],
    load: () => import('../commands/skill-init.ts'),
  },
  {
    name: 'build',
    args: '[folder]',
    summary: 'make the module of a skill, judged as a node would judge it',
    examples: [
      ['loqa skill build', 'the skill in this folder'],
      ['loqa skill build visitors --json', 'for a script'],
    ],
    load: () => import('../commands/skill-build.ts'),
  },
  {
    name: 'test',
    args: '[folder]',
    summary: 'say what skill.test.yaml says to a skill, and compare what it answers; no node is needed',
    examples: [
      ['loqa skill test', 'the skill in this folder'],
      ['loqa skill test visitors --json', 'for a script'],
    ],
    load: () => import('../commands/skill-test.ts'),
  },
  {
    name: 'dev',
    args: '[folder]',
    summary: 'use a skill in a running node, anew at every change, and show each of its calls',
    options: [{ flags: '--once', about: 'bring it and leave it there, until the node stops' }],
    examples: [
      ['loqa skill dev', 'until Ctrl-C; then the node is as before'],
      ['loqa skill dev --once', 'try it with: loqa ask'],
    ],
    load: () => import('../commands/skill-dev.ts'),
  },
]
