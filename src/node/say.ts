/** Speech for a text, outside any conversation: the engine's events as a stream of bytes. */
import { LoqaError } from '../host/index.ts'
import type { EngineEvent, Pool } from '../inference/index.ts'
import { bytesOf } from '../voice/index.ts'

export interface SpeechChunk {
  /** s16le mono. */
  readonly pcm: Uint8Array
  readonly sample_rate: number
}

/** A long text may be spoken for minutes, but an engine must begin and go on within this, ms. */
const RUN_MS = 120_000

/** Errors: those of the engine, with their codes. Ending the iteration early, or `signal`, cancels the run. */
export async function* speechFor(
  pool: Pool,
  text: string,
  voice: string,
  speed: number,
  signal: AbortSignal,
): AsyncIterable<SpeechChunk> {
  const waiting: EngineEvent[] = []
  let wake: () => void = () => undefined
  const run = pool.run(
    'tts',
    { kind: 'tts', text, speed, ...(voice === '' ? {} : { voice }) },
    (event) => {
      waiting.push(event)
      wake()
    },
    { deadline_ms: RUN_MS },
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
    run.cancel()
  }
}

const fromShape = ({
  code,
  message,
  retryable,
  hint,
}: LoqaError['toJSON'] extends () => infer Shape ? Shape : never) =>
  new LoqaError(code, message, { retryable, hint })
