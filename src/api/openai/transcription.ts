/** `POST /v1/audio/transcriptions`: a recording passage by passage through the household's recogniser. */
import { LoqaError } from '../../host/index.ts'
import { parseWav, passagesOf, recordingOf } from '../../voice/index.ts'
import type { NodeView } from '../view.ts'
import { ParameterError } from './errors.ts'
import type { Segment } from './transcript.ts'

const RATE = 16_000
/** Takes a slow recogniser minutes; who has more sends it in parts. */
const MAX_RECORDING_S = 600
/** What is fed at a time: half a second. */
const PIECE = RATE / 2

export interface Recording {
  /** 16 kHz mono. */
  readonly samples: Int16Array
  readonly seconds: number
}

/** Errors: `ParameterError` when it is no WAV file, empty, or longer than ten minutes. */
export function readRecording(file: Uint8Array): Recording {
  try {
    const wav = parseWav(file)
    const seconds = wav.length / wav.sample_rate
    if (seconds > MAX_RECORDING_S)
      throw new ParameterError('file', `The recording is longer than ${MAX_RECORDING_S} seconds`, 'too-large')
    return { samples: recordingOf(wav), seconds }
  } catch (thrown) {
    if (thrown instanceof ParameterError || !(thrown instanceof LoqaError)) throw thrown
    const hint = thrown.hint === undefined ? '' : `. ${thrown.hint}`
    throw new ParameterError('file', `${thrown.message}${hint}`)
  }
}

/** Passages in which something was heard, as they are read. Errors: those of the engine. Ends early after `signal`. */
export async function* transcribe(
  view: Pick<NodeView, 'dictate'>,
  { samples }: Recording,
  engine: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Segment, void, void> {
  for (const { start, end } of passagesOf(samples)) {
    if (signal.aborted) return
    const text = (await hear(view, samples.subarray(start, end), engine, signal)).trim()
    if (text !== '') yield { start: start / RATE, end: end / RATE, text }
  }
}

function hear(
  view: Pick<NodeView, 'dictate'>,
  samples: Int16Array,
  engine: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const dictation = view.dictate(
    RATE,
    {
      final: resolve,
      failed: ({ code, message }) => reject(new LoqaError(code, message, { retryable: true })),
    },
    engine,
  )
  const abort = (): void => {
    dictation.cancel()
    resolve('')
  }
  signal.addEventListener('abort', abort, { once: true })
  for (let at = 0; at < samples.length; at += PIECE) {
    const piece = samples.subarray(at, at + PIECE)
    dictation.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength))
  }
  dictation.finish()
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
