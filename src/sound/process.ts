/** Starts the programs that record and play; the only importer of `node:child_process` in this folder. */
import { spawn } from 'node:child_process'
import type { SoundCommand } from './tools.ts'

export interface SoundEvents {
  /** Bytes it recorded. */
  data(bytes: Uint8Array): void
  /** It ended, or could not be started; `why` is undefined when it says that all is well. Called exactly once; nothing follows. */
  ended(why: string | undefined): void
}

export interface SoundProcess {
  write(bytes: Uint8Array): void
  /** No more follows; it plays what it has, and ends. */
  end(): void
  /** SIGKILL: what it has is not played. `ended` follows. */
  kill(): void
}

export type StartSound = (command: SoundCommand, events: SoundEvents) => SoundProcess

/** Enough for the line that says what went wrong. */
const LAST_WORDS = 500
/** A player that does not play is left alone: about eight seconds of sound, far more than is ever sent ahead. */
const MAX_UNPLAYED_BYTES = 256 * 1024
/** What such programs are told by the environment; nothing of the node's. */
const KNOWN =
  /^(PATH|HOME|USER|LANG|XDG_(RUNTIME|CONFIG|DATA)_(DIR|HOME)|DBUS_SESSION_BUS_ADDRESS|(ALSA|PULSE|PIPEWIRE|AUDIO)[A-Z_]*)$/

export const startSound: StartSound = ({ path, program, args }, events) => {
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], env: environment(), windowsHide: true })
  let words = ''
  let ended = false
  const end = (why: string | undefined): void => {
    if (ended) return
    ended = true
    events.ended(why)
  }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS)
  })
  child.stdout.on('data', (bytes: Buffer) => {
    if (!ended) events.data(bytes)
  })
  // It may go away in mid-sound; how it ended tells.
  child.stdin.on('error', () => undefined)
  child.on('error', (cause) => end(cause.message.split('\n', 1)[0]!))
  // Not `exit`: its last words may still be on their way.
  child.on('close', (code, signal) => {
    if (code === 0) end(undefined)
    else
      end(lastLine(words) || `${program} ended ${signal ? `by signal ${signal}` : `with exit code ${code}`}`)
  })
  return {
    write(bytes) {
      if (ended || !child.stdin.writable || child.stdin.writableLength > MAX_UNPLAYED_BYTES) return
      child.stdin.write(bytes)
    },
    end: () => {
      child.stdin.end()
    },
    kill: () => {
      child.kill('SIGKILL')
    },
  }
}

/** What a program says last is usually what stopped it. */
const lastLine = (text: string): string => text.trim().split('\n').at(-1)!.trim()

const environment = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => KNOWN.test(name)))
