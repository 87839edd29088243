/** The programs that record and play, with their arguments: raw s16le mono 16 kHz, in pieces of 20 ms. Looked for on the PATH. */
import { delimiter, join } from 'node:path'
import type { Disk } from '../host/index.ts'

export interface SoundCommand {
  /** What it is called in messages. */
  readonly program: string
  /** Absolute. */
  readonly path: string
  readonly args: readonly string[]
}

type Tool = readonly [program: string, args: readonly string[], device: (name: string) => readonly string[]]

const alsaDevice = (name: string): readonly string[] => ['-D', name]
const pulseDevice = (name: string): readonly string[] => [`--device=${name}`]
/** SoX takes its device from the environment. */
const noDevice = (): readonly string[] => []

const ALSA_FORMAT = ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', '16000', '-c', '1'] as const
const PULSE_FORMAT = ['--raw', '--format=s16le', '--rate=16000', '--channels=1'] as const
const SOX_FORMAT = ['-q', '-t', 'raw', '-r', '16000', '-e', 'signed', '-b', '16', '-c', '1', '-'] as const

/** The device is asked for its sound every 20 ms; half a second of it may wait while this machine is busy. */
const ALSA_RECORDER: Tool = [
  'arecord',
  [...ALSA_FORMAT, '--period-time=20000', '--buffer-time=500000'],
  alsaDevice,
]
const PULSE_RECORDER: Tool = ['parec', [...PULSE_FORMAT, '--latency-msec=20'], pulseDevice]
const SOX_RECORDER: Tool = ['rec', SOX_FORMAT, noDevice]

/**
 * It begins when 40 ms are there, and takes 120 ms in: what it has taken is what a person still hears after interrupting, when the
 * device plays on without it.
 */
const ALSA_PLAYER: Tool = [
  'aplay',
  [...ALSA_FORMAT, '--period-time=20000', '--buffer-time=120000', '--start-delay=40000', '-'],
  alsaDevice,
]
const PULSE_PLAYER: Tool = ['pacat', ['--playback', ...PULSE_FORMAT, '--latency-msec=60'], pulseDevice]
const SOX_PLAYER: Tool = ['play', SOX_FORMAT, noDevice]

/** A node runs without anybody's desktop: ALSA first. A person's command speaks through that person's desktop where there is one. */
const RECORDERS = {
  node: [ALSA_RECORDER, PULSE_RECORDER, SOX_RECORDER],
  person: [PULSE_RECORDER, ALSA_RECORDER, SOX_RECORDER],
} as const
const STREAM_PLAYERS: readonly Tool[] = [ALSA_PLAYER, PULSE_PLAYER, SOX_PLAYER]

/** For a whole WAV on standard input. */
const WAV_PLAYERS: readonly Tool[] = [
  ['pw-play', ['-'], noDevice],
  ['aplay', ['-q', '-'], alsaDevice],
  ['play', ['-q', '-t', 'wav', '-'], noDevice],
]

/** `device` is a name of ALSA or PulseAudio; empty is the default one. Undefined: there is no such program. */
export const recorderFor = (
  whose: keyof typeof RECORDERS,
  device: string,
  path: string | undefined,
  disk: Disk,
): Promise<SoundCommand | undefined> => firstOf(RECORDERS[whose], device, path, disk)

export const streamPlayerFor = (
  device: string,
  path: string | undefined,
  disk: Disk,
): Promise<SoundCommand | undefined> => firstOf(STREAM_PLAYERS, device, path, disk)

export const wavPlayer = (path: string | undefined, disk: Disk): Promise<SoundCommand | undefined> =>
  firstOf(WAV_PLAYERS, '', path, disk)

async function firstOf(
  tools: readonly Tool[],
  device: string,
  path: string | undefined,
  disk: Disk,
): Promise<SoundCommand | undefined> {
  const directories = (path ?? '').split(delimiter).filter((directory) => directory !== '')
  for (const [program, args, named] of tools) {
    for (const directory of directories) {
      const file = join(directory, program)
      const info = await disk.info(file).catch(() => undefined)
      if (info?.kind !== 'file' || ((info.mode ?? 0) & 0o111) === 0) continue
      return { program, path: file, args: [...(device === '' ? [] : named(device)), ...args] }
    }
  }
  return undefined
}
