/** The language model for skills: a prompt is a run of whichever engine of the household has room, as for conversations. */
import { placedAddress, type Ref } from '../actors/index.ts'
import { LoqaError, requestId } from '../host/index.ts'
import { type EngineEvent, type InferPort, openRun } from '../inference/index.ts'
import type { LanguageAnswer, LanguagePort } from '../skills/index.ts'

/** What asks: no actor, but named as one in the runs of the engines. */
const ASKER: Ref = { address: placedAddress('skills', 'language'), incarnation: 0 }

/** `engines` may come later than the skills do. */
/** `most`: tokens that may be written now, whatever a skill asks for. */
export function languagePort(
  engines: () => Pick<InferPort, 'request' | 'cancel'> | undefined,
  most: () => number | undefined = () => undefined,
): LanguagePort {
  let runs = 0
  return {
    complete({ prompt, max_tokens: wanted }, signal) {
      const max_tokens = Math.min(wanted, most() ?? wanted)
      const port = engines()
      if (port === undefined) {
        const starting = new LoqaError('starting', 'The node is still starting', { retryable: true })
        return Promise.reject(starting)
      }
      const { promise, resolve, reject } = Promise.withResolvers<LanguageAnswer>()
      runs += 1
      const id = requestId(`skill-llm:${runs}`)
      let text = ''
      const heard = (event: EngineEvent | undefined): void => {
        if (event?.type === 'token') text += event.text
        if (event?.type !== 'done') return
        const { input_tokens = prompt.length / 4, output_tokens = text.length / 4 } = event.usage
        resolve({ text, tokens: Math.ceil(input_tokens + output_tokens) })
      }
      signal.addEventListener(
        'abort',
        () => {
          port.cancel(id, ASKER)
          reject(new LoqaError('timeout', 'The language model took too long', { retryable: true }))
        },
        { once: true },
      )
      port.request(
        openRun(id, 'llm', { kind: 'llm', prompt, max_tokens, temperature: 0 }),
        (outcome) => {
          if (outcome.event === 'failed') {
            const { code, message, retryable } = outcome.error
            reject(new LoqaError(code, message, { retryable }))
          } else heard(outcome.body as EngineEvent | undefined)
        },
        ASKER,
      )
      return promise
    },
  }
}
