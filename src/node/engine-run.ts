/** A run of an engine as a stream of its events, for what is asked outside any conversation. */
import type { Ref } from '../actors/index.ts'
import { type ErrorShape, LoqaError, newTraceId, type Random, requestId } from '../host/index.ts'
import { type EngineEvent, type EngineRequest, type InferPort, openRun } from '../inference/index.ts'

export interface EngineDoors {
  readonly engines: InferPort
  readonly random: Random
}

export interface RunAsked {
  /** A capability (`llm`), an engine (`llm.llama`) or a whole tag. */
  readonly to: string
  /** One that runs at once: nothing is fed. */
  readonly request: EngineRequest
  /** In whose name: nobody's conversation. */
  readonly actor: Ref
  /** Of the whole run. */
  readonly deadline_ms: number
}

/**
 * Ends after `done`. Errors: those of the engine, with their codes. Ending the iteration early, or `signal`, cancels the run; after
 * `signal` the iteration ends without an error.
 */
export async function* eventsOf(
  { engines, random }: EngineDoors,
  { to, request, actor, deadline_ms }: RunAsked,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, void> {
  const waiting: EngineEvent[] = []
  let wake: () => void = () => undefined
  const id = requestId(newTraceId(random))
  engines.request(
    openRun(id, to, request, deadline_ms),
    (outcome) => {
      waiting.push(
        outcome.event === 'failed' ? { type: 'failed', error: outcome.error } : (outcome.body as EngineEvent),
      )
      wake()
    },
    actor,
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
      yield event
      if (event.type === 'done') return
    }
  } finally {
    signal.removeEventListener('abort', abort)
    engines.cancel(id, actor)
  }
}

const fromShape = ({ code, message, retryable, hint }: ErrorShape) =>
  new LoqaError(code, message, { retryable, hint })
