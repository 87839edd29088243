/** The microphone and the loudspeaker of this machine, through the programs that are there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LoqaError } from '../host/errors.ts'

/** Raw s16le mono 16 kHz on standard output, and a WAV on standard input, in the order they are looked for. */
const RECORDERS: readonly (readonly string[])[] = [
  ['parec', '--raw', '--format=s16le', '--rate=16000', '--channels=1', '--latency-msec=20'],
  ['arecord', '-q', '-t', 'raw', '-f', 'S16_LE', '-r', '16000', '-c', '1', '--period-time=20000'],
  ['rec', '-q', '-t', 'raw', '-r', '16000', '-e', 'signed', '-b', '16', '-c', '1', '-'],
]
const PLAYERS: readonly (readonly string[])[] = [
  ['pw-play', '-'],
  ['aplay', '-q', '-'],
  ['play', '-q', '-t', 'wav', '-'],
]

const WAIT_HINT = 'Give a file instead: loqa listen command.wav'

/** Errors: `no-microphone` when no recorder is installed or it ends. */
export async function* microphone(path: string | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const [program, ...args] = found(RECORDERS, path) ?? []
  if (program === undefined) {
    throw new LoqaError('no-microphone', 'No program that records was found (parec, arecord or rec)', {
      hint: `Install pulseaudio-utils or alsa-utils. ${WAIT_HINT}`,
    })
  }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal })
  let said = ''
  child.stderr.on('data', (part: Buffer) => {
    said = (said + part.toString()).slice(-500)
  })
  const ended = endOf(child)
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>
    await ended
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  } finally {
    child.kill()
  }
  if (!signal.aborted) {
    throw new LoqaError('no-microphone', `${program} stopped: ${lastLine(said) || 'it said nothing'}`, {
      hint: WAIT_HINT,
    })
  }
}

/** Plays a WAV as it comes. Errors: `no-loudspeaker`. */
export async function play(
  wav: AsyncIterable<Uint8Array>,
  path: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const [program, ...args] = found(PLAYERS, path) ?? []
  if (program === undefined) {
    throw new LoqaError('no-loudspeaker', 'No program that plays sound was found (pw-play, aplay or play)', {
      hint: 'Install alsa-utils, or write a file: loqa say TEXT -o FILE.wav',
    })
  }
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], signal })
  let said = ''
  child.stderr.on('data', (part: Buffer) => {
    said = (said + part.toString()).slice(-500)
  })
  // The player may go away in mid-sound; its exit code tells.
  child.stdin.on('error', () => undefined)
  const ended = endOf(child)
  ended.catch(() => undefined)
  for await (const part of wav) {
    if (!child.stdin.write(part)) await Promise.race([drained(child), ended])
  }
  child.stdin.end()
  const code = await ended
  if (code !== 0) {
    throw new LoqaError(
      'no-loudspeaker',
      `${program} could not play: ${lastLine(said) || `exit code ${code}`}`,
      {
        hint: 'Write a file instead: loqa say TEXT -o FILE.wav',
      },
    )
  }
}

/** What a program said last is usually what stopped it. */
const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''

const drained = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.stdin?.once('drain', () => resolve())
  })

const endOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code))
  })

function found(
  programs: readonly (readonly string[])[],
  path: string | undefined,
): readonly string[] | undefined {
  const directories = (path ?? '').split(delimiter).filter((directory) => directory !== '')
  return programs.find(([name]) => directories.some((directory) => isExecutable(join(directory, name!))))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
