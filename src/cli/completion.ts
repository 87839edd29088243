/** Completion scripts for shells, made from the table of commands. Pure. */
import type { CommandSpec, OptionSpec } from './call.ts'
import { globalOptions } from './options.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

const longFlag = (option: OptionSpec): string => /--[a-z-]+/.exec(option.flags)![0]

const flagsOf = (options: readonly OptionSpec[] | undefined): string =>
  [...(options ?? []), ...globalOptions, { flags: '--help', about: '' }].map(longFlag).join(' ')

export function completionScript(shell: Shell, commands: readonly CommandSpec[]): string {
  return shell === 'fish' ? fish(commands) : shell === 'bash' ? bash(commands) : zsh(commands)
}

/** Its own and those of its children, each once. */
function optionsOf(command: CommandSpec): readonly OptionSpec[] {
  const all = [
    ...(command.options ?? []),
    ...(command.children ?? []).flatMap((child) => child.options ?? []),
  ]
  return [...new Map(all.map((option) => [option.flags, option])).values()]
}

/** Words after each command: its flags, its children, or files. */
const cases = (commands: readonly CommandSpec[]): string =>
  commands
    .map((command) => {
      const children = command.children?.map((child) => child.name).join(' ') ?? ''
      const options = optionsOf(command)
      const shells = command.name === 'completion' ? SHELLS.join(' ') : ''
      const words = [children, shells, flagsOf(options)].filter((part) => part !== '').join(' ')
      return `    ${command.name}) words="${[...new Set(words.split(' '))].join(' ')}" ;;`
    })
    .join('\n')

const bash = (
  commands: readonly CommandSpec[],
): string => `# Completion for loqa in bash; made by: loqa completion bash
_loqa() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases(commands)}
    *) words="${commands.map((command) => command.name).join(' ')} help ${flagsOf([])}" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map((command) => command.name).join(' ')} help ${flagsOf([])}"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _loqa loqa
`

const zsh = (commands: readonly CommandSpec[]): string => `#compdef loqa
# Completion for loqa in zsh; made by: loqa completion zsh
autoload -Uz bashcompinit && bashcompinit
${bash(commands)}`

function fish(commands: readonly CommandSpec[]): string {
  const lines = [
    '# Completion for loqa in fish; made by: loqa completion fish',
    'complete -c loqa -n __fish_use_subcommand -f',
  ]
  for (const command of commands) {
    lines.push(`complete -c loqa -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`)
    const here = `-n "__fish_seen_subcommand_from ${command.name}"`
    for (const child of command.children ?? []) {
      lines.push(`complete -c loqa ${here} -f -a ${child.name} -d ${quoted(child.summary)}`)
    }
    for (const option of optionsOf(command)) {
      lines.push(`complete -c loqa ${here} -l ${longFlag(option).slice(2)} -d ${quoted(option.about)}`)
    }
    if (command.name === 'completion') lines.push(`complete -c loqa ${here} -f -a "${SHELLS.join(' ')}"`)
  }
  for (const option of globalOptions) {
    lines.push(`complete -c loqa -l ${longFlag(option).slice(2)} -d ${quoted(option.about)}`)
  }
  return `${lines.join('\n')}\n`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
