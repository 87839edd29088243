/**
 * Every command as data: help, completion and the program are made from this table. Code of a command is loaded only when
 * it runs, so that `--help` appears at once.
 */
import type { CommandSpec, OptionSpec, Run } from './call.ts'
import { configOptions } from './options.ts'
import { developing } from './skill-commands.ts'
import { keeping } from './skill-keeping.ts'
import { settling } from './skill-settling.ts'

const room: OptionSpec = { flags: '--room <room>', about: 'where it is said' }
const session: OptionSpec = { flags: '--session <id>', about: 'conversation to go on with' }
const scope: OptionSpec = {
  flags: '--scope <scope>',
  about: 'how long its steps are kept: ephemeral, session or persistent',
}
const person: OptionSpec = { flags: '--person <name>', about: 'who speaks' }
const output: OptionSpec = { flags: '-o, --output <file>', about: 'write here instead' }
const yes: OptionSpec = { flags: '--yes', about: 'it is meant: do not ask' }
const dryRun: OptionSpec = { flags: '--dry-run', about: 'say what would go, and change nothing' }

const ofSessions = (pick: (module: typeof import('./commands/sessions-timeline.ts')) => Run) => async () => ({
  run: pick(await import('./commands/sessions-timeline.ts')),
})

const sessions: readonly CommandSpec[] = [
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

const sessionMove: CommandSpec = {
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
  load: () => import('./commands/session-move.ts'),
}

const ofPersons = (pick: (module: typeof import('./commands/persons.ts')) => Run) => async () => ({
  run: pick(await import('./commands/persons.ts')),
})

const persons: readonly CommandSpec[] = [
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

const changing = (pick: (module: typeof import('./commands/household-change.ts')) => Run) => async () => ({
  run: pick(await import('./commands/household-change.ts')),
})

const household: readonly CommandSpec[] = [
  {
    name: 'show',
    summary: 'members, who waits, until when it is open',
    examples: [
      ['loqa household show', 'one screen'],
      ['loqa household show --json', 'for a script'],
    ],
    load: () => import('./commands/household-show.ts'),
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
    load: () => import('./commands/household-pending.ts'),
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

const audit: readonly CommandSpec[] = [
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
    load: () => import('./commands/audit-ls.ts'),
  },
  {
    name: 'verify',
    summary: 'whether the log is what the node wrote; if not, the first bad record and what shows it',
    examples: [
      ['loqa audit verify', 'exits 1 when a record was changed, moved or cut off'],
      ['loqa audit verify --json', 'for a script'],
    ],
    load: () => import('./commands/audit-verify.ts'),
  },
  {
    name: 'acknowledge',
    summary: 'the faults there are now were seen: show them no more as a trouble',
    options: [{ flags: '--yes', about: 'it is meant' }],
    examples: [
      ['loqa audit acknowledge --yes', 'after loqa audit verify'],
      ['loqa audit acknowledge --yes --json', 'and show what was acknowledged'],
    ],
    load: async () => ({ run: (await import('./commands/audit-verify.ts')).acknowledge }),
  },
  {
    name: 'export',
    summary: 'the whole log as lines of JSON, with its checkpoints',
    options: [{ flags: '-o, --output <file>', about: 'write it here (- is standard output)' }],
    examples: [
      ['loqa audit export -o audit.jsonl', 'into a file'],
      ['loqa audit export | grep household', 'to search in'],
    ],
    load: () => import('./commands/audit-export.ts'),
  },
]

const changingModels = (pick: (module: typeof import('./commands/models-change.ts')) => Run) => async () => ({
  run: pick(await import('./commands/models-change.ts')),
})

const models: readonly CommandSpec[] = [
  {
    name: 'ls',
    summary: 'what is here, what is used, what can be fetched',
    options: [...configOptions, { flags: '--here', about: 'only what is here' }],
    examples: [
      ['loqa models ls', 'a table, with size and licence'],
      ['loqa models ls --json', 'for a script'],
    ],
    load: () => import('./commands/models-ls.ts'),
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
    load: () => import('./commands/models-pull.ts'),
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
    load: () => import('./commands/models-bench.ts'),
  },
]

const handlingEngines = (pick: (module: typeof import('./commands/engines.ts')) => Run) => async () => ({
  run: pick(await import('./commands/engines.ts')),
})

const engines: readonly CommandSpec[] = [
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

export const commands: readonly CommandSpec[] = [
  {
    name: 'status',
    summary: 'what the node is, how it is, what it can do',
    examples: [
      ['loqa status', 'one screen'],
      ['loqa status --json | jq .health', 'for a script'],
    ],
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'nodes',
    summary: 'the nodes of the household',
    examples: [
      ['loqa nodes', 'a table'],
      ['loqa nodes --json', 'for a script'],
    ],
    load: () => import('./commands/nodes.ts'),
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
    load: () => import('./commands/actors.ts'),
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
    load: () => import('./commands/sessions.ts'),
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
    load: () => import('./commands/ask.ts'),
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
    load: () => import('./commands/say.ts'),
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
      ['loqa listen mic --room kitchen', 'talk; Ctrl-C ends'],
      ['loqa listen mic --wake', 'say "hey loqa" first, whenever you want something'],
    ],
    load: () => import('./commands/listen.ts'),
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
    load: () => import('./commands/metrics.ts'),
  },
  {
    name: 'approvals',
    summary: 'what skills want to do and may not without you',
    examples: [
      ['loqa approvals ls', 'what waits'],
      ['loqa approvals allow 3f2a1', 'lets it happen'],
    ],
    children: [
      {
        name: 'ls',
        summary: 'what waits to be allowed; nobody deciding is a no',
        options: [{ flags: '--all', about: 'also what was decided' }],
        examples: [
          ['loqa approvals ls', 'a table'],
          ['loqa approvals ls --all --json', 'with what was decided, for a script'],
        ],
        load: async () => ({ run: (await import('./commands/approvals.ts')).ls }),
      },
      {
        name: 'allow',
        args: '<id>',
        summary: 'let a skill do what it wants to',
        examples: [
          ['loqa approvals allow 3f2a1', 'once; the next time it asks again'],
          ['loqa approvals allow 3f2a1 --json', 'for a script'],
        ],
        load: async () => ({ run: (await import('./commands/approvals.ts')).allow }),
      },
      {
        name: 'deny',
        args: '<id>',
        summary: 'do not let a skill do what it wants to',
        examples: [
          ['loqa approvals deny 3f2a1', 'at once, instead of waiting until the time is over'],
          ['loqa approvals deny 3f2a1 --json', 'for a script'],
        ],
        load: async () => ({ run: (await import('./commands/approvals.ts')).deny }),
      },
    ],
  },
  {
    name: 'devices',
    summary: 'the lights, locks, blinds and sensors of the house, and what they say',
    examples: [
      ['loqa devices', 'a table'],
      ['loqa devices --json', 'with all they say, for a script'],
    ],
    load: () => import('./commands/devices.ts'),
  },
  {
    name: 'store',
    summary: 'what the household remembers, and whether its nodes are in step',
    examples: [
      ['loqa store', 'a table'],
      ['loqa store backup', 'a sealed copy, made while the node runs'],
    ],
    load: () => import('./commands/store.ts'),
    children: [
      {
        name: 'backup',
        summary: 'make a sealed copy of what is kept; prints where it is',
        examples: [
          ['loqa store backup', 'in the data directory, under backups/'],
          ['loqa store backup --json', 'for a script that carries it away'],
        ],
        load: async () => ({ run: (await import('./commands/store.ts')).backup }),
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
    load: () => import('./commands/wipe.ts'),
  },
  {
    name: 'doctor',
    summary: 'check the machine and the node; every fault with its fix',
    examples: [
      ['loqa doctor', 'works without a running node too'],
      ['loqa doctor --json', 'for a bug report'],
    ],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'config',
    summary: 'the settings',
    examples: [
      ['loqa config show --origin', 'every setting and where it comes from'],
      ['loqa config check --config loqa.toml', 'is this file right?'],
    ],
    children: [
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
        load: () => import('./commands/config-show.ts'),
      },
      {
        name: 'check',
        summary: 'say what is wrong with the settings',
        options: configOptions,
        examples: [
          ['loqa config check', 'the files and variables in force'],
          ['loqa config check --config loqa.toml', 'this file'],
        ],
        load: () => import('./commands/config-check.ts'),
      },
      {
        name: 'default',
        summary: 'print a file with every setting, its range and its default',
        examples: [
          ['loqa config default', 'to read'],
          ['loqa config default > loqa.toml', 'to start from'],
        ],
        load: () => import('./commands/config-default.ts'),
      },
    ],
  },
  {
    name: 'completion',
    args: '<shell>',
    summary: 'a completion script for bash, zsh or fish',
    examples: [
      ['loqa completion bash > ~/.local/share/bash-completion/completions/loqa', 'for bash'],
      ['loqa completion fish > ~/.config/fish/completions/loqa.fish', 'for fish'],
    ],
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'version',
    summary: 'the version of this program',
    examples: [
      ['loqa version', 'one line'],
      ['loqa version --json', 'for a script'],
    ],
    load: () => import('./commands/version.ts'),
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
