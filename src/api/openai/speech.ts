/** `POST /v1/audio/speech`: what is read of a request, and the sound in the format asked for. */
import { z } from 'zod'
import { limits } from '../../host/index.ts'
import { bytesOf, Resampler, samplesOf, toFloat32, toInt16 } from '../../voice/index.ts'
import { streamingWavHeader } from '../wav-header.ts'

const FORMATS = ['wav', 'pcm'] as const

export const speechRequest = z.object({
  model: z.string().min(1).max(256),
  input: z.string().min(1).max(limits.MAX_TURN_TEXT),
  voice: z.union([z.string().min(1).max(64), z.object({ id: z.string().min(1).max(64) })]),
  /** MP3, which the API gives where nothing is said, needs an encoder this node does not have: then it is WAV. */
  response_format: z.enum(FORMATS).nullish(),
  /** What the voices here can do. */
  speed: z.number().min(0.5).max(2).nullish(),
  stream_format: z.enum(['audio', 'sse']).nullish(),
})
export type SpeechRequest = z.output<typeof speechRequest>

/** OpenAI's own voices: programs have them built in. They stand for the voice of the household. */
const STAND_INS: ReadonlySet<string> = new Set([
  ...['default', 'alloy', 'ash', 'ballad', 'cedar', 'coral', 'echo', 'fable', 'marin'],
  ...['nova', 'onyx', 'sage', 'shimmer', 'verse'],
])

/** Undefined: the one of the household. */
export function voiceOf({ voice }: SpeechRequest): string | undefined {
  const name = typeof voice === 'string' ? voice : voice.id
  return STAND_INS.has(name) ? undefined : name
}

/** The rate the API promises for `pcm`, which says nothing of itself. */
const PCM_RATE = 24_000

export interface Sound {
  /** s16le mono. */
  readonly pcm: Uint8Array
  readonly sample_rate: number
}

/** Bytes of the answer: a WAV file whose sizes are not known yet, or samples at 24 kHz. */
export async function* encoded(
  sounds: AsyncIterable<Sound>,
  format: (typeof FORMATS)[number],
): AsyncGenerator<Uint8Array, void, void> {
  let resampler: Resampler | undefined
  let begun = false
  for await (const { pcm, sample_rate } of sounds) {
    if (format === 'wav') {
      if (!begun) yield streamingWavHeader(sample_rate)
      begun = true
      yield pcm
    } else if (sample_rate === PCM_RATE) yield pcm
    else {
      resampler ??= new Resampler(sample_rate, PCM_RATE)
      yield bytesOf(toInt16(resampler.process(toFloat32(samplesOf(pcm)))))
    }
  }
  if (resampler !== undefined) yield bytesOf(resampler.flushInt16())
}
