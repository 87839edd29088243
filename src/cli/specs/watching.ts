/** What was done on a node, and what waits to be allowed. */
import type { CommandSpec } from '../call.ts'
import { oneOf } from './one-of.ts'

export const audit: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'what was done on this node, newest last',
    options: [
      { flags: '--since <time>', about: 'only from then on: 2h, 3d, 2026-01-31, 2026-01-31T18:00' },
      { flags: '--what <what>', about: 'only this, e.g. skill.call, or all that begins so, e.g. household' },
      { flags: '--limit <n>', about: 'at most so many, up to 1000; 50 when not given' },
    ],
    examples: [
      ['loqa audit ls --since 2h', 'of the last two hours'],
      ['loqa audit ls --what household --json', 'who joined and left, for a script'],
    ],
    load: () => import('../commands/audit-ls.ts'),
  },
  {
    name: 'verify',
    summary: 'whether the log is what the node wrote; if not, the first bad record and what shows it',
    examples: [
      ['loqa audit verify', 'exits 1 when a record was changed, moved or cut off'],
      ['loqa audit verify --json', 'for a script'],
    ],
    load: () => import('../commands/audit-verify.ts'),
  },
  {
    name: 'acknowledge',
    summary: 'the faults there are now were seen: show them no more as a trouble',
    options: [{ flags: '--yes', about: 'it is meant' }],
    examples: [
      ['loqa audit acknowledge --yes', 'after loqa audit verify'],
      ['loqa audit acknowledge --yes --json', 'and show what was acknowledged'],
    ],
    load: async () => ({ run: (await import('../commands/audit-verify.ts')).acknowledge }),
  },
  {
    name: 'export',
    summary: 'the whole log as lines of JSON, with its checkpoints',
    options: [{ flags: '-o, --output <file>', about: 'write it here (- is standard output)' }],
    examples: [
      ['loqa audit export -o audit.jsonl', 'into a file'],
      ['loqa audit export | grep household', 'to search in'],
    ],
    load: () => import('../commands/audit-export.ts'),
  },
]

const deciding = oneOf(() => import('../commands/approvals.ts'))

export const approvals: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'what waits to be allowed; nobody deciding is a no',
    options: [{ flags: '--all', about: 'also what was decided' }],
    examples: [
      ['loqa approvals ls', 'a table'],
      ['loqa approvals ls --all --json', 'with what was decided, for a script'],
    ],
    load: deciding(({ ls }) => ls),
  },
  {
    name: 'allow',
    args: '<id>',
    summary: 'let a skill do what it wants to',
    examples: [
      ['loqa approvals allow 3f2a1', 'once; the next time it asks again'],
      ['loqa approvals allow 3f2a1 --json', 'for a script'],
    ],
    load: deciding(({ allow }) => allow),
  },
  {
    name: 'deny',
    args: '<id>',
    summary: 'do not let a skill do what it wants to',
    examples: [
      ['loqa approvals deny 3f2a1', 'at once, instead of waiting until the time is over'],
      ['loqa approvals deny 3f2a1 --json', 'for a script'],
    ],
    load: deciding(({ deny }) => deny),
  },
]
