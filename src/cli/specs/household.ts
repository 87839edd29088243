/** Who belongs to the household. */
import type { CommandSpec } from '../call.ts'
import { oneOf } from './one-of.ts'

const changing = oneOf(() => import('../commands/household-change.ts'))

export const household: readonly CommandSpec[] = [
  {
    name: 'show',
    summary: 'members, who waits, until when it is open',
    examples: [
      ['loqa household show', 'one screen'],
      ['loqa household show --json', 'for a script'],
    ],
    load: () => import('../commands/household-show.ts'),
  },
  {
    name: 'open',
    summary: 'let nodes nearby join by themselves for a while',
    options: [{ flags: '--minutes <n>', about: 'how long, 1 to 60; ten when not given' }],
    examples: [
      ['loqa household open', 'for ten minutes'],
      ['loqa household open --minutes 2', 'for two'],
    ],
    load: changing(({ open }) => open),
  },
  {
    name: 'lock',
    summary: 'from now on whoever comes waits for approval',
    examples: [
      ['loqa household lock', 'at once'],
      ['loqa household lock --json', 'and show the household'],
    ],
    load: changing(({ lock }) => lock),
  },
  {
    name: 'pending',
    summary: 'who waits to be let in, with the digits to compare',
    examples: [
      ['loqa household pending', 'a table'],
      ['loqa household pending --json', 'for a script'],
    ],
    load: () => import('../commands/household-pending.ts'),
  },
  {
    name: 'approve',
    args: '<code...>',
    summary: 'let in the node that shows these six digits',
    examples: [
      ['loqa household approve 123456', 'after comparing both screens'],
      ['loqa household approve 123 456', 'as it is read aloud'],
    ],
    load: changing(({ approve }) => approve),
  },
  {
    name: 'dismiss',
    args: '<node>',
    summary: 'send away a node that waits',
    examples: [
      ['loqa household dismiss cellar', 'by name'],
      ['loqa household dismiss 7XGhV2', 'by the end of its id'],
    ],
    load: changing(({ dismiss }) => dismiss),
  },
  {
    name: 'revoke',
    args: '<node>',
    summary: 'remove a member for ever and change the household key',
    examples: [
      ['loqa household revoke cellar', 'by name'],
      ['loqa household revoke 7XGhV2', 'by the end of its id'],
    ],
    load: changing(({ revoke }) => revoke),
  },
  {
    name: 'join',
    args: '<node>',
    summary: 'ask the household of a node that was seen to take this one in',
    examples: [
      ['loqa household join attic', 'a node that loqa nodes lists'],
      ['loqa household join 7XGhV2', 'by the end of its id'],
    ],
    load: changing(({ join }) => join),
  },
  {
    name: 'reset',
    summary: 'give this node a new identity in a household of its own; its data stays',
    options: [{ flags: '--yes', about: 'it is meant' }],
    examples: [
      ['loqa household reset --yes', 'after it was removed, or to join another household'],
      ['loqa household reset --yes --data /srv/loqa', 'of that node'],
    ],
    load: changing(({ reset }) => reset),
  },
]
