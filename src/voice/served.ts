/** What a conversation goes by at the moment: its options, with the engines and bounds of the tier in force. */
import type { Service } from '../inference/index.ts'
import type { TurnOptions } from './turn-state.ts'

/** Made anew only when the service changed: it is asked for with every frame. */
export function served<T extends TurnOptions>(options: T): () => T {
  const { service } = options
  if (service === undefined) return () => options
  let last: Service | undefined
  let now = options
  return () => {
    const current = service()
    if (current === last) return now
    last = current
    const { engines, second, plain, late_ms, most_sentences } = current
    now = {
      ...options,
      engines,
      second,
      most_sentences,
      // A name among the voices of the house says nothing to another engine.
      voice: engines.tts === options.engines.tts ? options.voice : undefined,
      plain: plain === undefined ? undefined : { tts: plain, late_ms },
    }
    return now
  }
}
