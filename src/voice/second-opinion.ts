/**
 * A voice detector that asks a model as well, where a person chose one. Pure rules, and the detector made of them.
 *
 * O1  The model only ever says no: what the detectors here take for silence stays silence, so the end of a voice is known to the frame
 *     as without it, and no reply waits for the model.
 * O2  An opinion counts while it is fresh. An engine that is behind, restarts or is gone has none, and the detectors here decide alone.
 * O3  A run that ended is begun again after a pause.
 */
import type { EngineEvent, EngineStream } from '../inference/index.ts'
import { FRAME_MS, toFloat32 } from './audio.ts'
import type { VoiceDetector } from './vad.ts'

/** O2: the model's two windows (64 ms), the way to its process, and a hiccup. Sound that comes faster than it is spoken is not waited for. */
const FRESH_MS = 200
/** O3: an engine is back in a second; one that fails for good is asked rarely. */
const PAUSE_MS = 5_000

/** A run of the model: what it says comes after this returned. It may fail at once. */
export type OpenActivityRun = (onEvent: (event: EngineEvent) => void) => EngineStream

/** All times count the sound of this microphone, ms. */
export type Opinion =
  | { readonly phase: 'resting'; readonly until_ms: number }
  | {
      readonly phase: 'listening'
      readonly from_ms: number
      readonly heard_ms: number
      readonly voiced: boolean
    }

export const NO_OPINION: Opinion = { phase: 'resting', until_ms: 0 }

/** After `fed_ms` of sound somebody may be asked. */
export const isDue = (opinion: Opinion, fed_ms: number): boolean =>
  opinion.phase === 'resting' && fed_ms >= opinion.until_ms

/** It says yes until it has said something: nobody is cut off by an engine that begins. */
export const begun = (fed_ms: number): Opinion => ({
  ...{ phase: 'listening', from_ms: fed_ms, heard_ms: fed_ms },
  voiced: true,
})

export function told(opinion: Opinion, event: EngineEvent, fed_ms: number): Opinion {
  if (opinion.phase !== 'listening') return opinion
  if (event.type === 'activity')
    return { ...opinion, heard_ms: opinion.from_ms + event.audio_ms, voiced: event.voiced }
  if (event.type === 'done' || event.type === 'failed')
    return { phase: 'resting', until_ms: fed_ms + PAUSE_MS }
  return opinion
}

/** O1, O2. */
export const denies = (opinion: Opinion, fed_ms: number): boolean =>
  opinion.phase === 'listening' && !opinion.voiced && fed_ms - opinion.heard_ms <= FRESH_MS

/** `detector` is closed with it. */
export function withSecondOpinion(detector: VoiceDetector, open: OpenActivityRun): VoiceDetector {
  let opinion = NO_OPINION
  let fed_ms = 0
  let run: EngineStream | undefined
  const begin = (): void => {
    opinion = begun(fed_ms)
    run = open((event) => {
      opinion = told(opinion, event, fed_ms)
      if (opinion.phase === 'resting') run = undefined
    })
  }
  return {
    isVoiced(frame) {
      if (isDue(opinion, fed_ms)) begin()
      run?.feed({ type: 'audio', samples: toFloat32(frame) })
      fed_ms += FRAME_MS
      return detector.isVoiced(frame) && !denies(opinion, fed_ms)
    },
    close() {
      run?.cancel()
      run = undefined
      detector.close()
    },
  }
}
