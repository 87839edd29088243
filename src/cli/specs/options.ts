/** Options that several commands have. */
import type { OptionSpec } from '../call.ts'

export const room: OptionSpec = { flags: '--room <room>', about: 'where it is said' }
export const session: OptionSpec = { flags: '--session <id>', about: 'conversation to go on with' }
export const scope: OptionSpec = {
  flags: '--scope <scope>',
  about: 'how long its steps are kept: ephemeral, session or persistent',
}
export const person: OptionSpec = { flags: '--person <name>', about: 'who speaks' }
export const output: OptionSpec = { flags: '-o, --output <file>', about: 'write here instead' }
export const yes: OptionSpec = { flags: '--yes', about: 'it is meant: do not ask' }
export const dryRun: OptionSpec = { flags: '--dry-run', about: 'say what would go, and change nothing' }
