/** What is done with skills that exist: seen, added, changed, revoked, signed. Commands as data; part of `index.ts`. */
import type { CommandSpec, OptionSpec } from '../call.ts'
import { oneOf } from './one-of.ts'
import { yes } from './options.ts'

const dryRun: OptionSpec = { flags: '--dry-run', about: 'say what it would mean, and change nothing' }

const changing = oneOf(() => import('../commands/skill-change.ts'))
const showing = oneOf(() => import('../commands/skill-show.ts'))
const signing = oneOf(() => import('../commands/skill-sign.ts'))

export const keeping: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'the skills there are, who vouches for each, and what is wrong with it',
    examples: [
      ['loqa skill ls', 'a table'],
      ['loqa skill ls --json', 'for a script'],
    ],
    load: showing(({ ls }) => ls),
  },
  {
    name: 'show',
    args: '<name>',
    summary: 'one skill: who signed it and what it may do, in plain words',
    examples: [
      ['loqa skill show timer', 'one screen'],
      ['loqa skill show timer --json', 'for a script'],
    ],
    load: showing(({ show }) => show),
  },
  {
    name: 'add',
    args: '<source>',
    summary:
      'add a skill, or a newer version of one, on every node: a file, a folder, a URL, or a name in a registry',
    options: [
      { flags: '--from <registry>', about: 'a Git repository with an index.yaml, or a folder that is one' },
      { flags: '--sha256 <hex>', about: 'what the file of a URL must be' },
      { flags: '--unsigned', about: 'nobody vouches for it but I do: add it as our own work' },
      { flags: '--grant', about: 'with --yes: also when an update asks for more than before' },
      dryRun,
      yes,
    ],
    examples: [
      ['loqa skill add weather-1.2.0.loqa', 'shows what it may do, and asks'],
      ['loqa skill add ./my-skill --unsigned', 'your own work, from its folder'],
    ],
    load: async () => import('../commands/skill-add.ts'),
  },
  {
    name: 'rm',
    args: '<name>',
    summary: 'remove a skill that was added, on every node; what it kept stays',
    options: [dryRun, yes],
    examples: [
      ['loqa skill rm weather', 'asks first'],
      ['loqa skill rm weather --yes', 'at once'],
    ],
    load: changing(({ rm }) => rm),
  },
  {
    name: 'pin',
    args: '<name>',
    summary: 'keep a skill at the version it has, for the whole household',
    options: [{ flags: '--off', about: 'let it change again' }],
    examples: [
      ['loqa skill pin weather', 'no other version is taken'],
      ['loqa skill pin weather --off', 'newer ones are taken again'],
    ],
    load: changing(({ pin }) => pin),
  },
  {
    name: 'grant',
    args: '<name>',
    summary: 'let the version run that waits because it asks for more than the one before',
    options: [dryRun, yes],
    examples: [
      ['loqa skill grant weather', 'shows what is new, and asks'],
      ['loqa skill grant weather --dry-run', 'only shows it'],
    ],
    load: changing(({ grant }) => grant),
  },
  {
    name: 'revoke',
    args: '[what]',
    summary:
      'stop a skill that turned out bad on every node, and keep it from coming back; without a name what was revoked',
    options: [
      { flags: '--key', about: 'all that this key signed or vouches for' },
      { flags: '--publisher', about: 'all of this publisher' },
      { flags: '--package', about: 'the package of this digest' },
      { flags: '--why <reason>', about: 'shown where it is refused' },
      { flags: '--undo', about: 'it was a mistake' },
      yes,
    ],
    examples: [
      ['loqa skill revoke weather --why "it listens"', 'the package that is here, whoever signs it'],
      ['loqa skill revoke --publisher acme', 'all of theirs'],
    ],
    load: changing(({ revoke }) => revoke),
  },
  {
    name: 'enable',
    args: '<name>',
    summary: 'switch on again a skill that was stopped on this node because it failed too often',
    examples: [
      ['loqa skill enable weather', 'after loqa skill audit weather'],
      ['loqa skill enable weather --json', 'and show it'],
    ],
    load: changing(({ enable }) => enable),
  },
  {
    name: 'trust',
    args: '[publisher] [key]',
    summary:
      'vouch for a publisher’s key in this household: its skills run in zone 3; without a name who is vouched for',
    options: [
      { flags: '--days <n>', about: 'how long, 1 to 3650; a year when not given' },
      { flags: '--undo', about: 'vouch no longer' },
      yes,
    ],
    examples: [
      ['loqa skill trust acme 3b1f…', 'the key as acme tells it, 64 digits'],
      ['loqa skill trust', 'who is vouched for'],
    ],
    load: changing((module) => module.trust),
  },
  {
    name: 'audit',
    args: '[name]',
    summary: 'what skills did and what was done with them, newest last',
    options: [
      { flags: '--since <time>', about: 'only from then on: 2h, 3d, 2026-01-31' },
      { flags: '--limit <n>', about: 'look at so many records, up to 1000; 200 when not given' },
    ],
    examples: [
      ['loqa skill audit weather', 'of one'],
      ['loqa skill audit --since 2h', 'of all'],
    ],
    load: showing(({ audit }) => audit),
  },
  {
    name: 'inspect',
    args: '<source>',
    summary: 'what a package or a folder is and may do, in plain words; no node is asked',
    examples: [
      ['loqa skill inspect weather-1.2.0.loqa', 'before adding it'],
      ['loqa skill inspect ./my-skill', 'and before giving it away'],
    ],
    load: signing(({ inspect }) => inspect),
  },
  {
    name: 'sign',
    args: '<file>',
    summary: 'sign a package as a whole, with a key of yours',
    options: [
      { flags: '--key <file>', about: 'your private key; loqa skill key makes one' },
      { flags: '--delegation <file>', about: 'what a root says about your key' },
      { flags: '-o, --output <file>', about: 'write here instead of over it' },
    ],
    examples: [
      ['loqa skill sign weather-1.2.0.loqa --key my.key', 'in place'],
      ['loqa skill sign weather.loqa --key my.key --delegation my.json', 'with who vouches for you'],
    ],
    load: signing(({ sign }) => sign),
  },
  {
    name: 'key',
    args: '<file>',
    summary: 'make a key to sign with, or say the public half of one that is there',
    examples: [
      ['loqa skill key my.key', 'keep it safe: who has it signs as you'],
      ['loqa skill key my.key --json', 'the public half for a script'],
    ],
    load: signing(({ key }) => key),
  },
  {
    name: 'delegate',
    args: '<publisher> <key>',
    summary: 'as a root: say that a key is that publisher’s, until a day',
    options: [
      { flags: '--root <file>', about: 'the root’s private key' },
      { flags: '--level <level>', about: 'official, or vetted, which it is when not given' },
      { flags: '--days <n>', about: 'how long, 1 to 3650; a year when not given' },
      { flags: '-o, --output <file>', about: 'write here instead' },
    ],
    examples: [
      ['loqa skill delegate acme 3b1f… --root root.key --level vetted', 'a year, to the terminal'],
      ['loqa skill delegate acme 3b1f… --root root.key -o acme.json', 'for acme to sign with'],
    ],
    load: signing(({ delegation }) => delegation),
  },
]
