/** Recordings in and out as the node wants them: 16 kHz mono s16. Loads the audio files of voice alone, not its engines. */
import { InvalidInputError } from '../host/errors.ts'
import { concat } from '../voice/audio.ts'
import { parseWav, recordingOf, WavError, writeWav } from '../voice/wav.ts'

export interface Recording {
  readonly samples: Int16Array
  /** The file ends before its header says. */
  readonly truncated: boolean
}

/** `name` is how messages call the file. Errors: `InvalidInputError` with what is wrong with it. */
export function readRecording(name: string, bytes: Uint8Array): Recording {
  try {
    const wav = parseWav(bytes)
    return { samples: recordingOf(wav), truncated: wav.truncated }
  } catch (thrown) {
    if (thrown instanceof WavError) throw new InvalidInputError(`${name}: ${thrown.message}`, thrown.hint)
    throw thrown
  }
}

/** A WAV file of 16 kHz mono s16. */
export const writeRecording = (parts: readonly Int16Array[]): Uint8Array => writeWav(concat(parts))
