/**
 * The four doors to the world. Everything a behaviour or a rule must not do by itself — tell the time, draw a
 * random number, open a socket, touch a file — is asked of a `Host`. `real.ts` opens the doors onto the
 * machine, `simulated.ts` onto a world that lives in memory and runs from a seed: same seed, same run.
 */

declare const monotonicMark: unique symbol
declare const wallMark: unique symbol

/** Milliseconds since an arbitrary start, never going back: for durations and deadlines. */
export type Monotonic = number & { readonly [monotonicMark]: true }

/** Milliseconds since 1970 UTC, may jump in both directions: only for showing and signing. */
export type Wall = number & { readonly [wallMark]: true }

/** Undoes a schedule. Calling it twice, or after the work ran, does nothing. */
export type Cancel = () => void

/** Time, and the only way to be called later. */
export interface Clock {
  monotonic(): Monotonic
  wall(): Wall
  /** Calls `run` once, not earlier than `delay_ms` (≥ 0, fractions allowed) from now. Never calls it synchronously. */
  after(delay_ms: number, run: () => void): Cancel
  /** Calls `run` as soon as pending I/O was given a turn: how long work yields. */
  soon(run: () => void): void
}

export interface Random {
  /** Uniform in [0, 2³²). */
  uint32(): number
  /** Uniform in [0, 1). */
  float(): number
  /** `count` bytes; from the operating system's cryptographic source in the real host. */
  bytes(count: number): Uint8Array
}

/** A byte stream between two processes. Bytes handed to `send` belong to the connection afterwards. */
export interface Connection {
  readonly remote: string
  /** Queues bytes. False means the buffer is above its mark: wait for `onDrain` before sending more. */
  send(bytes: Uint8Array): boolean
  onData(receive: (bytes: Uint8Array) => void): void
  onDrain(run: () => void): void
  /** `cause` is absent after an orderly end. Called exactly once. */
  onClose(run: (cause?: Error) => void): void
  /** Ends in order after what is queued was sent. */
  close(): void
  /** Drops everything at once. */
  abort(): void
}

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

export interface Network {
  /** Port 0 takes a free one. Errors: `PortInUse`. */
  listen(address: { host: string; port: number }, accept: (connection: Connection) => void): Promise<Listener>
  /** Errors: `Unreachable` after `timeout_ms`. */
  dial(address: { host: string; port: number }, timeout_ms: number): Promise<Connection>
}

export interface FileInfo {
  readonly size: number
  readonly modified: Wall
  readonly kind: 'file' | 'directory'
  /** Permission bits (`0o600`); absent where the system has none. */
  readonly mode?: number
}

/** Files by absolute path. Every error is a `DiskError` whose `reason` says which condition it was. */
export interface Disk {
  read(path: string): Promise<Uint8Array>
  /** Reads up to `length` bytes from `offset`; shorter at the end of the file. */
  readAt(path: string, offset: number, length: number): Promise<Uint8Array>
  /** Replaces the whole file so that a crash leaves the old or the new content, and returns once it is durable. */
  write(path: string, bytes: Uint8Array, options?: { mode?: number }): Promise<void>
  /** Adds to the end; durable only after `sync`. */
  append(path: string, bytes: Uint8Array): Promise<void>
  sync(path: string): Promise<void>
  /** Writes over the first bytes of a file where they lie, and returns once that is durable: how a secret is made to go. */
  overwrite(path: string, bytes: Uint8Array): Promise<void>
  /** Absent files are no error. */
  remove(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  makeDirectory(path: string, options?: { mode?: number }): Promise<void>
  /** Names (not paths) in a directory, sorted. */
  list(path: string): Promise<string[]>
  info(path: string): Promise<FileInfo | undefined>
  /** Bytes that may still be written where a directory lies; undefined where the system does not tell. */
  free(path: string): Promise<number | undefined>
}

/** The doors together; handed down from the composition root, never imported as a global. */
export interface Host {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly disk: Disk
}

export const monotonic = (ms: number): Monotonic => ms as Monotonic
export const wall = (ms: number): Wall => ms as Wall
