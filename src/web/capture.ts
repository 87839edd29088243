/** In the thread of the sound card: what the microphone hears, as frames of 20 ms at 16 kHz. */
import { FRAME_SAMPLES, SAMPLE_RATE } from '../host/limits.ts'
import { Resampler } from './resample.ts'

class Capture extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate, SAMPLE_RATE)
  #frame = new Int16Array(FRAME_SAMPLES)
  #filled = 0

  process([input]: readonly Float32Array[][]): boolean {
    const channel = input?.[0]
    if (channel === undefined) return true
    for (const sample of this.#resampler.process(channel)) {
      this.#frame[this.#filled] = Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)))
      this.#filled += 1
      if (this.#filled === FRAME_SAMPLES) this.#send()
    }
    return true
  }

  #send(): void {
    this.port.postMessage(this.#frame, [this.#frame.buffer])
    this.#frame = new Int16Array(FRAME_SAMPLES)
    this.#filled = 0
  }
}

registerProcessor('loqa-capture', Capture)
