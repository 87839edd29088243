/** The command line: builds the program from the table of commands, runs one, turns its end into an exit code. */
import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../host/version.ts'
import type { Call, CommandSpec, OptionSpec } from './call.ts'
import { exitCodeOf, report } from './failures.ts'
import { nodeRequest } from './node-request.ts'
import { globalOptions, nodeFlags } from './options.ts'
import type { StartNode } from './run-node.ts'
import { commands, nodeExamples, topExamples } from './specs/index.ts'
import { EXIT, type ExitCode, type World } from './world.ts'

/** Runs `loqa <arguments>`; never throws. */
export async function runLoqa(args: readonly string[], world: World): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = base(new Command('loqa'), world)
    .description('Talks to a loqa node: ask it, speak with it, look inside.')
    .addHelpText(
      'after',
      `${examplesText(topExamples, world)}\n\nExit codes: 0 ok, 1 failed, 2 usage, 69 no node, 75 busy, 78 configuration.`,
    )
  program.version(VERSION, '-V, --version', 'show the version')
  for (const option of globalOptions) program.addOption(optionOf(option))
  for (const spec of commands) {
    program.addCommand(
      commandOf(spec, world, (ended) => {
        code = ended
      }),
    )
  }
  return parse(program, args.length === 0 ? ['--help'] : args, world, () => code)
}

/** Runs `loqa-node <arguments>`: resolves the configuration and starts what `load` brings, until a signal ends it. */
export async function runNodeCommand(
  args: readonly string[],
  world: World,
  load: () => Promise<StartNode>,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = base(new Command('loqa-node'), world)
    .description('Runs a node of the household in the foreground.')
    .addHelpText('after', examplesText(nodeExamples, world))
  program.version(VERSION, '-V, --version', 'show the version')
  for (const option of nodeFlags) program.addOption(optionOf(option))
  program.action(async () => {
    const { runNode } = await import('./run-node.ts')
    code = await runNode(world, nodeRequest(program.opts()), load)
  })
  return parse(program, args, world, () => code)
}

function base(command: Command, world: World): Command {
  const { terminal } = world
  return command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHelpWidth: () => Math.min(100, terminal.columns),
      getErrHelpWidth: () => Math.min(100, terminal.columns),
      getOutHasColors: () => terminal.color,
      getErrHasColors: () => terminal.color,
    })
    .showHelpAfterError('Run with --help to see what it takes.')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ showGlobalOptions: true })
}

function commandOf(spec: CommandSpec, world: World, ended: (code: ExitCode) => void): Command {
  const command = base(new Command(spec.name), world)
    .summary(spec.summary)
    .description(`${spec.summary.slice(0, 1).toUpperCase()}${spec.summary.slice(1)}.`)
    .addHelpText('after', examplesText(spec.examples, world))
  if (spec.args !== undefined) command.arguments(spec.args)
  for (const option of spec.options ?? []) command.addOption(optionOf(option))
  for (const child of spec.children ?? []) command.addCommand(commandOf(child, world, ended))
  const { load } = spec
  if (load !== undefined) {
    command.action(async () => {
      const { run } = await load()
      ended(await run(callOf(command, world)))
    })
  }
  return command
}

function callOf(command: Command, world: World): Call {
  const options = command.optsWithGlobals() as Record<string, unknown>
  const text = (name: string): Record<string, string> =>
    typeof options[name] === 'string' ? { [name]: options[name] } : {}
  const where: Call['where'] = async () => {
    const { findNode } = await import('./find-node.ts')
    return findNode(world, { ...text('url'), ...text('data'), ...text('tokenFile') })
  }
  return {
    world,
    args: command.args,
    options,
    commands,
    json: options.json === true,
    style: { color: world.terminal.color, columns: world.terminal.columns },
    where,
    client: async () => {
      const { clientOf } = await import('./client.ts')
      return clientOf(await where(), world.interrupted)
    },
  }
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.about)
  if (spec.many === true) {
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
  }
  return option
}

/** What each does stands beside it, or below where the terminal is too narrow for both. */
function examplesText(examples: readonly (readonly [string, string])[], { terminal }: World): string {
  const width = Math.max(...examples.map(([line]) => line.length))
  const beside = examples.every(([, about]) => 4 + width + about.length <= terminal.columns)
  const lines = examples.map(([line, about]) =>
    beside ? `  ${line.padEnd(width)}  ${about}` : `  ${line}\n      ${about}`,
  )
  return `\nExamples:\n${lines.join('\n')}`
}

async function parse(
  program: Command,
  args: readonly string[],
  world: World,
  code: () => ExitCode,
): Promise<ExitCode> {
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code()
  } catch (thrown) {
    // Commander has printed its own message already; asking for help is no error.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage
    report(world.terminal, thrown, {
      json: args.includes('--json'),
      debug: Boolean(world.environment.LOQA_DEBUG),
    })
    return exitCodeOf(thrown)
  }
}
