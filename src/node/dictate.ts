/** Words of a recording, outside any conversation: nothing is done, and nothing is kept. */
import { placedAddress, type Ref } from '../actors/index.ts'
import type { Dictation, DictationListener } from '../api/index.ts'
import { limits, newTraceId, type Random, requestId } from '../host/index.ts'
import { type EngineEvent, feedRun, finishRun, type InferPort, openRun } from '../inference/index.ts'
import { Resampler, samplesOf, toFloat32 } from '../voice/index.ts'

const WRITER: Ref = { address: placedAddress('voice', 'dictation'), incarnation: 1 }
/** From the first sample to the words. A recording may be sent no faster than it is spoken, and lasts a minute at most. */
const RUN_MS = 120_000

/** PCM: s16le mono. Exactly one of `final` and `failed` is called, unless it is cancelled first. */
export function dictation(
  { engines, random }: { readonly engines: InferPort; readonly random: Random },
  sample_rate: number,
  told: DictationListener,
  engine = 'stt',
): Dictation {
  const id = requestId(newTraceId(random))
  const resampler = sample_rate === limits.SAMPLE_RATE ? undefined : new Resampler(sample_rate)
  let over = false
  let text = ''
  const request = (effect: Parameters<InferPort['request']>[0]): void => {
    engines.request(
      effect,
      (outcome) => {
        if (over) return
        if (outcome.event === 'chunk') {
          const event = outcome.body as EngineEvent
          if (event.type === 'final') text = event.text
          return
        }
        over = true
        if (outcome.event === 'failed') told.failed(outcome.error)
        else told.final(text)
      },
      WRITER,
    )
  }
  const feed = (samples: Float32Array): void => {
    if (samples.length > 0) request(feedRun(id, engine, { type: 'audio', samples }))
  }
  request(openRun(id, engine, { kind: 'stt', sample_rate: limits.SAMPLE_RATE }, RUN_MS))
  return {
    push(pcm) {
      if (over) return
      const samples = toFloat32(samplesOf(pcm))
      feed(resampler === undefined ? samples : resampler.process(samples))
    },
    finish() {
      if (over) return
      if (resampler !== undefined) feed(resampler.flush())
      request(finishRun(id, engine))
    },
    cancel() {
      if (over) return
      over = true
      engines.cancel(id, WRITER)
    },
  }
}
