/** The voice detectors of this node: those that came with it, and a model beside them where one was chosen (`inference.vad`). */
import { limits } from '../host/index.ts'
import type { Pool } from '../inference/index.ts'
import { type VoiceDetector, withSecondOpinion } from '../voice/index.ts'

const VAD = 'vad'

export function detectorsWith(
  pool: Pick<Pool, 'has' | 'run'>,
  detectors: () => VoiceDetector,
): () => VoiceDetector {
  if (!pool.has(VAD)) return detectors
  return () =>
    withSecondOpinion(detectors(), (onEvent) =>
      pool.run(VAD, { kind: 'vad', sample_rate: limits.SAMPLE_RATE }, onEvent),
    )
}
