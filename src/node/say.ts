/** Speech for a text, outside any conversation: the engine's events as a stream of bytes. */
import { placedAddress, type Ref } from '../actors/index.ts'
import { type ErrorShape, LoqaError, newTraceId, type Random, requestId } from '../host/index.ts'
import { type EngineEvent, type InferPort, openRun } from '../inference/index.ts'
import { bytesOf } from '../voice/index.ts'

export interface SpeechChunk {
  /** s16le mono. */
  readonly pcm: Uint8Array
  readonly sample_rate: number
}

/** In whose name it is said: nobody's conversation. */
const SAYER: Ref = { address: placedAddress('voice', 'say'), incarnation: 1 }

/** A long text may be spoken for minutes, but an engine must begin and go on within this, ms. */
const RUN_MS = 120_000

/** Errors: those of the engine, with their codes. Ending the iteration early, or `signal`, cancels the run. */
export async function* speechFor(
  { engines, random }: { readonly engines: InferPort; readonly random: Random },
  text: string,
  voice: string,
  speed: number,
  signal: AbortSignal,
): AsyncIterable<SpeechChunk> {
  const waiting: EngineEvent[] = []
  let wake: () => void = () => undefined
  const id = requestId(newTraceId(random))
  const request = { kind: 'tts', text, speed, ...(voice === '' ? {} : { voice }) } as const
  engines.request(
    openRun(id, 'tts', request, RUN_MS),
    (outcome) => {
      waiting.push(
        outcome.event === 'failed' ? { type: 'failed', error: outcome.error } : (outcome.body as EngineEvent),
      )
      wake()
    },
    SAYER,
  )
  const abort = (): void => wake()
  signal.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      if (signal.aborted) return
      const event = waiting.shift()
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      if (event.type === 'failed') throw fromShape(event.error)
      if (event.type === 'done') return
      if (event.type === 'audio') yield { pcm: bytesOf(event.samples), sample_rate: event.sample_rate }
    }
  } finally {
    signal.removeEventListener('abort', abort)
    engines.cancel(id, SAYER)
  }
}

const fromShape = ({ code, message, retryable, hint }: ErrorShape) =>
  new LoqaError(code, message, { retryable, hint })
