/** What a model beside the voice detectors may change: noise they take for a voice. Nothing else, and never for long when it is late. */
import { describe, expect, test } from 'vitest'
import type { EngineEvent } from '../../src/inference/index.ts'
import { FRAME_MS, FRAME_SAMPLES } from '../../src/voice/audio.ts'
import { withSecondOpinion } from '../../src/voice/second-opinion.ts'

/** A detector that hears what it is told to, and a model that answers when it is told to. */
function scene() {
  const runs: { tell: (event: EngineEvent) => void; fed_ms: number; cancelled: boolean }[] = []
  const heard = { voiced: true, closed: false }
  const plain = {
    isVoiced: () => heard.voiced,
    close() {
      heard.closed = true
    },
  }
  const detector = withSecondOpinion(plain, (tell) => {
    const run = { tell, fed_ms: 0, cancelled: false }
    runs.push(run)
    return {
      feed(input) {
        if (input.type === 'audio') run.fed_ms += input.samples.length / 16
      },
      finish() {},
      cancel() {
        run.cancelled = true
      },
    }
  })
  const frames = (count: number): boolean[] =>
    Array.from({ length: count }, () => detector.isVoiced(new Int16Array(FRAME_SAMPLES)))
  /** The model has judged all it was given. */
  const says = (voiced: boolean): void => {
    const run = runs.at(-1)!
    run.tell({ type: 'activity', voiced, audio_ms: run.fed_ms })
  }
  return { runs, heard, detector, frames, says }
}

const FAILED: EngineEvent = {
  type: 'failed',
  error: { code: 'engine-crashed', message: 'gone', retryable: true },
}

describe('a second opinion', () => {
  test('O1: takes what is no voice out, and makes no voice of what is none', () => {
    const { frames, says, heard } = scene()
    expect(frames(5)).toEqual(Array(5).fill(true))
    says(false)
    expect(frames(5)).toEqual(Array(5).fill(false))
    says(true)
    expect(frames(1)).toEqual([true])
    heard.voiced = false
    expect(frames(5)).toEqual(Array(5).fill(false))
  })

  test('O2: is nobody any more when it is late', () => {
    const { frames, says } = scene()
    frames(10)
    says(false)
    const verdicts = frames(30)
    expect(verdicts.indexOf(true)).toBe(200 / FRAME_MS)
    expect(verdicts.lastIndexOf(false)).toBe(200 / FRAME_MS - 1)
  })

  test('O2: counts the sound of its own run, also in the second one', () => {
    const { runs, frames, says } = scene()
    frames(10)
    runs[0]!.tell(FAILED)
    frames(300)
    expect(runs).toHaveLength(2)
    says(false)
    expect(frames(1)).toEqual([false])
  })

  test('O3: an engine that fails is asked again after five seconds of sound, and not missed until then', () => {
    const { runs, frames, says } = scene()
    frames(10)
    says(false)
    runs[0]!.tell(FAILED)
    expect(frames(250)).toEqual(Array(250).fill(true))
    expect(runs).toHaveLength(1)
    frames(1)
    expect(runs).toHaveLength(2)
  })

  test('lets go of the model, and of the detector, when the microphone is closed', () => {
    const { runs, heard, frames, detector } = scene()
    frames(3)
    detector.close()
    expect(runs[0]!.cancelled).toBe(true)
    expect(heard.closed).toBe(true)
  })
})
