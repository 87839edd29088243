/**
 * Changes the sample rate of a stream in the browser: its sound cards run at 44.1 or 48 kHz, the node at 16. A windowed sinc evaluated
 * where an output sample lies, as `src/voice/resample.ts` does it; smaller, for speech only. Pure but for its own history.
 */

/** Zero crossings of the sinc on each side: aliases of speech lie below −60 dB, and a 48 kHz stream costs 100 multiplications a sample. */
const ZERO_CROSSINGS = 16
/** Share of the lower Nyquist frequency that passes. */
const PASS_BAND = 0.92
/** Sub-sample positions that are kept; 441 are needed from 16 to 44.1 kHz. */
const MOST_PHASES = 1_024

export class Resampler {
  readonly #step: number
  readonly #parts: number
  readonly #half: number
  readonly #phases: number
  readonly #weights: Float32Array
  #buffer: Float32Array
  /** Where in `#buffer` the next output sample lies: whole samples, and parts of one. */
  #index: number
  #part = 0

  /** Rates in Hz, whole numbers. */
  constructor(from: number, to: number) {
    const common = greatestCommonDivisor(from, to)
    this.#step = from / common
    this.#parts = to / common
    this.#phases = Math.min(this.#parts, MOST_PHASES)
    const cutoff = Math.min(1, to / from) * PASS_BAND
    this.#half = Math.ceil(ZERO_CROSSINGS / cutoff)
    this.#weights = from === to ? new Float32Array(0) : kernel(cutoff, this.#half, this.#phases)
    this.#buffer = new Float32Array(this.#half)
    this.#index = this.#half
  }

  /** As many samples as can be made now. The input stays the caller's. */
  process(samples: Float32Array): Float32Array {
    if (this.#weights.length === 0) return samples.slice()
    this.#buffer = joined(this.#buffer, samples)
    const made: number[] = []
    while (this.#index + this.#half < this.#buffer.length) {
      made.push(this.#sample())
      this.#part += this.#step
      this.#index += Math.floor(this.#part / this.#parts)
      this.#part %= this.#parts
    }
    const used = Math.max(0, Math.min(this.#index - this.#half, this.#buffer.length))
    this.#buffer = this.#buffer.slice(used)
    this.#index -= used
    return Float32Array.from(made)
  }

  #sample(): number {
    const taps = 2 * this.#half
    const row = Math.round((this.#part * this.#phases) / this.#parts) * taps
    const first = this.#index - this.#half + 1
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) sum += this.#buffer[first + tap]! * this.#weights[row + tap]!
    return sum
  }
}

/** `phases + 1` rows of `2 · half` weights, each of which passes a constant unchanged. */
function kernel(cutoff: number, half: number, phases: number): Float32Array {
  const taps = 2 * half
  const weights = new Float32Array((phases + 1) * taps)
  for (let phase = 0; phase <= phases; phase += 1) {
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = tap - half + 1 - phase / phases
      const weight = sinc(distance * cutoff) * blackman(distance / half)
      weights[phase * taps + tap] = weight
      sum += weight
    }
    for (let tap = 0; tap < taps; tap += 1) weights[phase * taps + tap]! /= sum
  }
  return weights
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** At `x` in [−1, 1]; 0 outside. */
const blackman = (x: number): number =>
  Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)

function joined(head: Float32Array, tail: Float32Array): Float32Array {
  const whole = new Float32Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
