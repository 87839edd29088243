/**
 * Starts engine processes; the only importer of `node:child_process` in this folder. A process gets a minimal environment, no
 * terminal, one pipe for frames, and its stderr kept (the end of it) for the log.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { PROGRAMS } from '../host/index.ts'

export interface ProcessEvents {
  /** Bytes from the process, in order. */
  data(bytes: Uint8Array): void
  /** It ended, or could not be started. Called exactly once; nothing follows. `how` reads after "ended". */
  exited(how: string): void
}

export interface EngineProcess {
  readonly pid: number | undefined
  /** Queues bytes; false while more than the pipe takes is waiting. */
  write(bytes: Uint8Array): boolean
  /** SIGKILL; `exited` follows. */
  kill(): void
  /** The last 2 KB of what it wrote to stderr. */
  lastWords(): string
}

export type StartProcess = (events: ProcessEvents) => EngineProcess

const LAST_WORDS_BYTES = 2_048
const CHANNEL = 3

const { NODE_COMPILE_CACHE } = process.env
/** One thread each: engines share the machine with the voice path. */
const ENVIRONMENT = {
  LANG: 'C.UTF-8',
  OMP_NUM_THREADS: '1',
  ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
}

/** `file` and `flags` are for tests that need a process which misbehaves. */
export function startProcess(
  events: ProcessEvents,
  file: string = PROGRAMS.engine,
  flags: readonly string[] = [],
): EngineProcess {
  const child = spawn(process.execPath, [...flags, file], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  return attach(child, events)
}

function attach(child: ChildProcess, events: ProcessEvents): EngineProcess {
  const channel = child.stdio[CHANNEL] as Duplex
  let words = ''
  let ended = false
  const end = (how: string): void => {
    if (ended) return
    ended = true
    channel.destroy()
    events.exited(how)
  }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS_BYTES)
  })
  channel.on('data', (bytes: Buffer) => {
    if (!ended) events.data(bytes)
  })
  // A broken pipe is the process ending; `exit` says how.
  channel.on('error', () => {})
  child.on('error', (cause) => end(`before it started (${cause.message.split('\n')[0]})`))
  child.on('exit', (code, signal) => end(signal ? `by signal ${signal}` : `with exit code ${code}`))
  return {
    pid: child.pid,
    write: (bytes) => !ended && channel.writable && channel.write(bytes),
    kill: () => {
      child.kill('SIGKILL')
    },
    lastWords: () => words.trim(),
  }
}
