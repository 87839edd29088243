/** Conversations and who had them: where they live, what is kept of them. */
import type { CommandSpec } from '../call.ts'
import { oneOf } from './one-of.ts'
import { dryRun, output, yes } from './options.ts'

const ofSessions = oneOf(() => import('../commands/sessions-timeline.ts'))

export const sessions: readonly CommandSpec[] = [
  {
    name: 'show',
    args: '[session]',
    summary: 'why it did that: each step, what it was taken for, who was asked; without a name what is kept',
    options: [{ flags: '--replay', about: 'decide again from the steps, and compare' }],
    examples: [
      ['loqa sessions show text-kitchen', 'step by step'],
      ['loqa sessions show text-kitchen --replay', 'would it do the same again?'],
    ],
    load: ofSessions(({ show }) => show),
  },
  {
    name: 'export',
    args: '<session>',
    summary: 'all steps of a conversation as JSON',
    options: [output],
    examples: [
      ['loqa sessions export text-kitchen', 'to the terminal'],
      ['loqa sessions export text-kitchen -o talk.json', 'into a file of yours alone'],
    ],
    load: ofSessions(({ exportOne }) => exportOne),
  },
  {
    name: 'erase',
    args: '[session]',
    summary: 'erase the steps of a conversation, and their key',
    options: [{ flags: '--all', about: 'of every conversation this node keeps' }, dryRun, yes],
    examples: [
      ['loqa sessions erase text-kitchen', 'asks first'],
      ['loqa sessions erase --all --dry-run', 'how much is that?'],
    ],
    load: ofSessions(({ erase }) => erase),
  },
]

export const sessionMove: CommandSpec = {
  name: 'move',
  args: '<session>',
  summary: 'a conversation goes on in another room, or on another node, where it was',
  options: [
    { flags: '--room <room>', about: 'where to: a room with a satellite, in the middle of a reply too' },
    { flags: '--node <node>', about: 'where to: name or id of a node; nobody may speak in it' },
  ],
  examples: [
    ['loqa session move 3f0c9a1b2d4e5f60 --room "living room"', 'it speaks there from now on'],
    ['loqa session move text-kitchen --node attic', 'between two turns'],
  ],
  load: () => import('../commands/session-move.ts'),
}

const ofPersons = oneOf(() => import('../commands/persons.ts'))

export const persons: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'who is known by name, and what they consented to',
    examples: [
      ['loqa persons ls', 'a table'],
      ['loqa persons ls --json', 'for a script'],
    ],
    load: ofPersons(({ ls }) => ls),
  },
  {
    name: 'add',
    args: '<name...>',
    summary: 'make a person known to the household',
    examples: [
      ['loqa persons add Anna', 'on every node'],
      ['loqa persons add Anna Maria', 'quotes are not needed'],
    ],
    load: ofPersons((module) => module.add),
  },
  {
    name: 'consent',
    args: '<name...>',
    summary: 'record what a person says about keeping the steps of their conversations',
    options: [
      { flags: '--give', about: 'they may be kept' },
      { flags: '--withdraw', about: 'no longer: what was kept is erased, on every node' },
    ],
    examples: [
      ['loqa persons consent Anna --give', 'for conversations of scope persistent'],
      ['loqa persons consent Anna --withdraw', 'and what was kept goes'],
    ],
    load: ofPersons(({ consent }) => consent),
  },
  {
    name: 'export',
    args: '<name...>',
    summary: 'all this node keeps of a person, as JSON',
    options: [output],
    examples: [
      ['loqa persons export Anna', 'to the terminal'],
      ['loqa persons export Anna -o anna.json', 'into a file of yours alone'],
    ],
    load: ofPersons(({ exportOne }) => exportOne),
  },
  {
    name: 'erase',
    args: '<name...>',
    summary: 'erase a person and all that is kept of their conversations, on every node',
    options: [dryRun, yes],
    examples: [
      ['loqa persons erase Anna', 'asks first'],
      ['loqa persons erase Anna --dry-run', 'how much is that?'],
    ],
    load: ofPersons(({ erase }) => erase),
  },
]
