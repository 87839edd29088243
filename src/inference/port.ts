/** The actors' way to the engines: carries out `infer` effects and returns `outcome` messages. */
import { keyOf, type Outcome, type OutsideEffect, type Ref } from '../actors/index.ts'
import type { ErrorShape, RequestId } from '../host/index.ts'
import type { EngineEvent, EngineInput, EngineRequest, EngineStream } from './engine.ts'
import { invalidInput } from './errors.ts'
import type { Pool } from './pool.ts'

type Deliver = (outcome: Outcome) => void

export interface InferPort {
  request(effect: OutsideEffect<'infer'>, deliver: Deliver, actor: Ref): void
  /** Drops the run of that id; nothing about it is delivered afterwards. */
  cancel(id: string, actor: Ref): void
  /** Drops every run of an actor that is gone. */
  actorGone(actor: Ref): void
}

export function createInferPort(pool: Pick<Pool, 'run'>): InferPort {
  const actors = new Map<string, Map<string, EngineStream>>()

  const runsOf = (actor: Ref): Map<string, EngineStream> | undefined => actors.get(keyOf(actor))

  const forget = (actor: Ref, id: string): void => {
    const runs = runsOf(actor)
    runs?.delete(id)
    if (runs?.size === 0) actors.delete(keyOf(actor))
  }

  const open = (effect: OutsideEffect<'infer'>, deliver: Deliver, actor: Ref): void => {
    const { id } = effect
    // An id used again stands for the new run only.
    runsOf(actor)?.get(id)?.cancel()
    let ended = false
    const stream = pool.run(
      effect.to,
      effect.body as EngineRequest,
      (event) => {
        const outcome = outcomeOf(id, event)
        if (outcome.event !== 'chunk') {
          ended = true
          forget(actor, id)
        }
        deliver(outcome)
      },
      { deadline_ms: effect.deadline_ms },
    )
    if (ended) return
    const runs = runsOf(actor) ?? new Map<string, EngineStream>()
    runs.set(id, stream)
    actors.set(keyOf(actor), runs)
  }

  return {
    request(effect, deliver, actor) {
      switch (effect.op) {
        case 'open':
          open(effect, deliver, actor)
          break
        case 'feed':
          runsOf(actor)
            ?.get(effect.id)
            ?.feed(effect.body as EngineInput)
          break
        case 'finish':
          runsOf(actor)?.get(effect.id)?.finish()
          break
        default:
          deliver(
            failed(effect.id, invalidInput(`Engines do not know the operation ${effect.op.slice(0, 40)}`)),
          )
      }
    },
    cancel(id, actor) {
      runsOf(actor)?.get(id)?.cancel()
      forget(actor, id)
    },
    actorGone(actor) {
      for (const stream of runsOf(actor)?.values() ?? []) stream.cancel()
      actors.delete(keyOf(actor))
    },
  }
}

const failed = (id: RequestId, error: ErrorShape): Outcome => ({
  type: 'outcome',
  id,
  event: 'failed',
  error,
})

function outcomeOf(id: RequestId, event: EngineEvent): Outcome {
  if (event.type === 'failed') return failed(id, event.error)
  return { type: 'outcome', id, event: event.type === 'done' ? 'done' : 'chunk', body: event }
}
