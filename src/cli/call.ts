/** What a command is made of, and what it gets when it runs. */
import type { Client } from './client.ts'
import type { Whereabouts } from './find-node.ts'
import type { Style } from './table.ts'
import type { ExitCode, World } from './world.ts'

export interface Call {
  readonly world: World
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  /** The whole table, for completion. */
  readonly commands: readonly CommandSpec[]
  /** Print for scripts. */
  readonly json: boolean
  readonly style: Style
  /** Errors: `NoNodeError`. */
  where(): Promise<Whereabouts>
  client(): Promise<Client>
}

export type Run = (call: Call) => Promise<ExitCode>

export interface OptionSpec {
  readonly flags: string
  readonly about: string
  /** May be given several times. */
  readonly many?: boolean
}

export interface CommandSpec {
  readonly name: string
  readonly args?: string
  readonly summary: string
  readonly options?: readonly OptionSpec[]
  /** Command line and what it does. */
  readonly examples: readonly (readonly [string, string])[]
  readonly children?: readonly CommandSpec[]
  readonly load?: () => Promise<{ readonly run: Run }>
}
