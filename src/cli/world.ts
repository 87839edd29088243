/** All a command may know of the terminal and the machine it runs on; tests give their own. */
import type { Clock, Disk, PortHolder } from '../host/index.ts'

export interface Terminal {
  /** Data: what a script would read. */
  out(text: string): void
  /** Talk: progress, hints, errors. */
  err(text: string): void
  /** Bytes, for sound on a pipe. */
  outBytes(bytes: Uint8Array): void
  readonly outIsTty: boolean
  readonly errIsTty: boolean
  /** Width of the terminal, or Infinity when there is none. */
  readonly columns: number
  /** Colour is wanted: a terminal, no NO_COLOR, no TERM=dumb. */
  readonly color: boolean
}

export interface World {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly disk: Disk
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly host_name: string
  readonly directory: string
  /** e.g. `v24.21.0`. */
  readonly runtime: string
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal
  /** Who listens at a port here; undefined: it is free. */
  portHolder(host: string, port: number): Promise<PortHolder | undefined>
  /** Standard input as it comes. */
  input(): AsyncIterable<Uint8Array>
}

/** sysexits.h where it has a word for it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 69,
  busy: 75,
  config: 78,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
