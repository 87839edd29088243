/** The microphone and the loudspeaker of this machine, through the programs that are there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { LoqaError } from '../host/errors.ts'
import type { Disk } from '../host/host.ts'
import { recorderFor, wavPlayer } from '../sound/index.ts'

/** Where the programs are looked for. */
export interface Programs {
  readonly path: string | undefined
  readonly disk: Disk
}

const WAIT_HINT = 'Give a file instead: loqa listen command.wav'

/** Errors: `no-microphone` when no recorder is installed or it ends. */
export async function* microphone({ path, disk }: Programs, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const command = await recorderFor('person', '', path, disk)
  if (command === undefined) {
    throw new LoqaError('no-microphone', 'No program that records was found (parec, arecord or rec)', {
      hint: `Install pulseaudio-utils or alsa-utils. ${WAIT_HINT}`,
    })
  }
  const { program } = command
  const child = spawn(command.path, command.args, { stdio: ['ignore', 'pipe', 'pipe'], signal })
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
  { path, disk }: Programs,
  signal: AbortSignal,
): Promise<void> {
  const command = await wavPlayer(path, disk)
  if (command === undefined) {
    throw new LoqaError('no-loudspeaker', 'No program that plays sound was found (pw-play, aplay or play)', {
      hint: 'Install alsa-utils, or write a file: loqa say TEXT -o FILE.wav',
    })
  }
  const { program } = command
  const child = spawn(command.path, command.args, { stdio: ['pipe', 'ignore', 'pipe'], signal })
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
