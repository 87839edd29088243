/**
 * Answers of a language model that are asked for again: requests a house makes every day in words no template has. A model that is
 * asked at temperature 0 says the same again, so it need not be asked. In memory only, for minutes, and not many.
 *
 * A1  Only whole answers are kept, and only of runs at temperature 0. A2  Another engine, schema or length is another question.
 * A3  The one that was not asked for longest goes. A4  What is kept too long is asked anew: a better model may have come.
 */
import type { Outcome } from '../actors/index.ts'
import type { Clock } from '../host/index.ts'
import type { EngineEvent, EngineRequest } from './engine.ts'
import type { InferPort } from './port.ts'

export interface AnswersOptions {
  readonly clock: Clock
  /** Answers kept at most; 0 keeps none. */
  readonly most: number
  /** One was given from memory. */
  readonly again: () => void
}

/** A4: a request that is repeated is repeated soon, and nobody waits long for what was said to be forgotten. */
const KEPT_MS = 600_000
/** A meaning has a few hundred characters. */
const LONGEST = 4_000

interface Answer {
  readonly text: string
  readonly at: number
}

export function rememberAnswers(port: InferPort, { clock, most, again }: AnswersOptions): InferPort {
  if (most === 0) return port
  /** In order of use. */
  const answers = new Map<string, Answer>()
  const schemas = new WeakMap<object, number>()
  let counted = 0

  const numberOf = (schema: object | undefined): number => {
    if (schema === undefined) return 0
    const known = schemas.get(schema)
    if (known !== undefined) return known
    counted += 1
    schemas.set(schema, counted)
    return counted
  }
  const keep = (key: string, answer: Answer): void => {
    answers.delete(key)
    answers.set(key, answer)
    const [oldest] = answers.keys()
    if (answers.size > most && oldest !== undefined) answers.delete(oldest)
  }

  return {
    request(effect, deliver, actor) {
      const request = effect.body as EngineRequest | undefined
      if (effect.op !== 'open' || request?.kind !== 'llm' || (request.temperature ?? 1) !== 0) {
        port.request(effect, deliver, actor)
        return
      }
      const { prompt, max_tokens, schema } = request
      const key = JSON.stringify([effect.to, numberOf(schema), max_tokens, prompt])
      const known = answers.get(key)
      if (known !== undefined && clock.monotonic() - known.at < KEPT_MS) {
        keep(key, known)
        again()
        for (const outcome of given(effect.id, known.text)) deliver(outcome)
        return
      }
      let text = ''
      port.request(
        effect,
        (outcome) => {
          if (outcome.event === 'chunk') text = grown(text, outcome.body as EngineEvent | undefined)
          if (outcome.event === 'done' && text !== '' && text.length <= LONGEST)
            keep(key, { text, at: clock.monotonic() })
          deliver(outcome)
        },
        actor,
      )
    },
    cancel: (id, actor) => port.cancel(id, actor),
    actorGone: (actor) => port.actorGone(actor),
  }
}

function grown(text: string, event: EngineEvent | undefined): string {
  if (event?.type === 'token') return text + event.text
  return event?.type === 'final' ? event.text : text
}

function given(id: Outcome['id'], text: string): readonly Outcome[] {
  const token: EngineEvent = { type: 'token', text }
  const done: EngineEvent = { type: 'done', usage: { compute_ms: 0 } }
  return [
    { type: 'outcome', id, event: 'chunk', body: token },
    { type: 'outcome', id, event: 'done', body: done },
  ]
}
