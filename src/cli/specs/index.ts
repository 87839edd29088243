/**
 * Every command as data: help, completion and the program are made from this table. Code of a command is loaded only when
 * it runs, so that `--help` appears at once.
 */
import type { CommandSpec } from '../call.ts'
import { config } from './config.ts'
import { persons, sessionMove, sessions } from './conversations.ts'
import { household } from './household.ts'
import { engines, models } from './models.ts'
import { person, room, scope, session } from './options.ts'
import { developing } from './skill-developing.ts'
import { keeping } from './skill-keeping.ts'
import { settling } from './skill-settling.ts'
import { approvals, audit } from './watching.ts'

export const commands: readonly CommandSpec[] = [
  {
    name: 'status',
    summary: 'what the node is, how it is, what it can do',
    examples: [
      ['loqa status', 'one screen'],
      ['loqa status --json | jq .health', 'for a script'],
    ],
    load: () => import('../commands/status.ts'),
  },
  {
    name: 'nodes',
    summary: 'the nodes of the household',
    examples: [
      ['loqa nodes', 'a table'],
      ['loqa nodes --json', 'for a script'],
    ],
    load: () => import('../commands/nodes.ts'),
  },
  {
    name: 'household',
    summary: 'who belongs to the household, and who may join',
    examples: [
      ['loqa household show', 'members, who waits, until when it is open'],
      ['loqa household approve 123456', 'lets in the node that shows these digits'],
    ],
    children: household,
  },
  {
    name: 'actors',
    summary: 'every actor: where it is, what waits for it, how often it was restarted',
    options: [{ flags: '--kind <kind>', about: 'only this kind, e.g. session' }],
    examples: [
      ['loqa actors', 'all'],
      ['loqa actors --kind skill', 'the skills only'],
    ],
    load: () => import('../commands/actors.ts'),
  },
  {
    name: 'skill',
    summary: 'what the assistant can do: seen, added, changed, revoked, signed',
    examples: [
      ['loqa skill ls', 'the skills there are'],
      ['loqa skill add weather-1.2.0.loqa', 'shows what it may do, and asks'],
    ],
    children: [...keeping, ...settling, ...developing],
  },
  {
    name: 'sessions',
    summary: 'the conversations going on in the household',
    examples: [
      ['loqa sessions', 'a table'],
      ['loqa sessions show text-kitchen', 'each step of one: why did it do that?'],
    ],
    children: sessions,
    load: () => import('../commands/sessions.ts'),
  },
  {
    name: 'session',
    summary: 'one conversation: where it lives and speaks',
    examples: [
      ['loqa session move 3f0c9a1b2d4e5f60 --room office', 'it goes on there'],
      ['loqa session move text-kitchen --node attic', 'it goes on there'],
    ],
    children: [sessionMove],
  },
  {
    name: 'persons',
    summary: 'who is known by name, and what may be kept of what they say',
    examples: [
      ['loqa persons add Anna', 'makes a person known'],
      ['loqa persons consent Anna --give', 'the steps of her conversations may be kept'],
    ],
    children: persons,
  },
  {
    name: 'ask',
    args: '<text...>',
    summary: 'one turn by text',
    options: [room, session, scope, person],
    examples: [
      ['loqa ask set a timer for five minutes', 'quotes are not needed'],
      ['loqa ask "and in the bedroom" --session abc', 'goes on with a conversation'],
    ],
    load: () => import('../commands/ask.ts'),
  },
  {
    name: 'say',
    args: '<text...>',
    summary: 'speak a text, through the loudspeaker or into a file',
    options: [
      { flags: '-o, --output <file>', about: 'write WAV here (- is standard output)' },
      { flags: '--voice <name>', about: 'another voice' },
    ],
    examples: [
      ['loqa say dinner is ready', 'through the loudspeaker of this machine'],
      ['loqa say dinner is ready -o dinner.wav', 'into a file'],
    ],
    load: () => import('../commands/say.ts'),
  },
  {
    name: 'listen',
    args: '<wav>',
    summary: 'one turn by voice: a WAV file, - for standard input, or mic',
    options: [
      room,
      session,
      scope,
      person,
      { flags: '-o, --output <file>', about: 'keep the spoken reply as WAV' },
      { flags: '--wait <seconds>', about: 'how long to wait for a reply after the end (10)' },
      {
        flags: '--wake',
        about: 'hear nothing before "hey loqa", and leave it to a microphone that hears it better',
      },
    ],
    examples: [
      ['loqa listen command.wav -o reply.wav', 'streams the file in real time and keeps the reply'],
      ['loqa listen mic --wake', 'talk, beginning with "hey loqa"; Ctrl-C ends'],
    ],
    load: () => import('../commands/listen.ts'),
  },
  {
    name: 'audit',
    summary: 'what was done on this node, and whether the record of it is whole',
    examples: [
      ['loqa audit ls', 'the newest records'],
      ['loqa audit verify', 'was any of them changed?'],
    ],
    children: audit,
  },
  {
    name: 'metrics',
    summary: 'the numbers the node keeps about itself',
    options: [{ flags: '--raw', about: 'Prometheus text as the node gives it' }],
    examples: [
      ['loqa metrics', 'a table with medians'],
      ['loqa metrics --raw | grep voice', 'as Prometheus sees it'],
    ],
    load: () => import('../commands/metrics.ts'),
  },
  {
    name: 'approvals',
    summary: 'what skills want to do and may not without you',
    examples: [
      ['loqa approvals ls', 'what waits'],
      ['loqa approvals allow 3f2a1', 'lets it happen'],
    ],
    children: approvals,
  },
  {
    name: 'devices',
    summary: 'the lights, locks, blinds and sensors of the house, and what they say',
    examples: [
      ['loqa devices', 'a table'],
      ['loqa devices --json', 'with all they say, for a script'],
    ],
    load: () => import('../commands/devices.ts'),
  },
  {
    name: 'store',
    summary: 'what the household remembers, and whether its nodes are in step',
    examples: [
      ['loqa store', 'a table'],
      ['loqa store backup', 'a sealed copy, made while the node runs'],
    ],
    load: () => import('../commands/store.ts'),
    children: [
      {
        name: 'backup',
        summary: 'make a sealed copy of what is kept; prints where it is',
        examples: [
          ['loqa store backup', 'in the data directory, under backups/'],
          ['loqa store backup --json', 'for a script that carries it away'],
        ],
        load: async () => ({ run: (await import('../commands/store.ts')).backup }),
      },
    ],
  },
  {
    name: 'models',
    summary: 'fetch, choose, measure and remove models',
    examples: [
      ['loqa models ls', 'what is here, and what there is'],
      ['loqa models pull', 'proposes what suits this machine'],
    ],
    children: models,
  },
  {
    name: 'engines',
    summary: 'what models run on; add and remove the larger libraries',
    examples: [
      ['loqa engines ls', 'what is here, and what there is'],
      ['loqa engines add kokoro', 'says how much it is, and asks'],
    ],
    children: engines,
  },
  {
    name: 'wipe',
    summary: 'the red button: destroy what every node of the household keeps',
    options: [
      { flags: '--dry-run', about: 'only say what would go, and where' },
      { flags: '--yes', about: 'do not ask' },
    ],
    examples: [
      ['loqa wipe --dry-run', 'what would go, and where'],
      ['loqa wipe', 'asks for a word first'],
    ],
    load: () => import('../commands/wipe.ts'),
  },
  {
    name: 'doctor',
    summary: 'check the machine and the node; every fault with its fix',
    examples: [
      ['loqa doctor', 'works without a running node too'],
      ['loqa doctor --json', 'for a bug report'],
    ],
    load: () => import('../commands/doctor.ts'),
  },
  {
    name: 'config',
    summary: 'the settings',
    examples: [
      ['loqa config show --origin', 'every setting and where it comes from'],
      ['loqa config check --config loqa.toml', 'is this file right?'],
    ],
    children: config,
  },
  {
    name: 'completion',
    args: '<shell>',
    summary: 'a completion script for bash, zsh or fish',
    examples: [
      ['loqa completion bash > ~/.local/share/bash-completion/completions/loqa', 'for bash'],
      ['loqa completion fish > ~/.config/fish/completions/loqa.fish', 'for fish'],
    ],
    load: () => import('../commands/completion.ts'),
  },
  {
    name: 'version',
    summary: 'the version of this program',
    examples: [
      ['loqa version', 'one line'],
      ['loqa version --json', 'for a script'],
    ],
    load: () => import('../commands/version.ts'),
  },
]

export const topExamples: readonly (readonly [string, string])[] = [
  ['loqa ask what time is it', 'one turn by text'],
  ['loqa listen command.wav -o reply.wav', 'one turn by voice'],
]

export const nodeExamples: readonly (readonly [string, string])[] = [
  ['loqa-node --room kitchen', 'starts a node'],
  ['loqa-node --room kitchen --mic', 'one that listens and speaks there itself'],
  ['loqa-node --data /tmp/try --http-port 0', 'one to try things with, beside another'],
]
