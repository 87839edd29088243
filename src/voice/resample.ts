/**
 * Changes the sample rate of a stream: a windowed-sinc low-pass evaluated only where an output sample lies (polyphase).
 * Pure but for its own history. Delay is half the kernel, about 1 ms at 22,050 Hz; what it adds to the sound lies
 * below −80 dB, measured in its test.
 */
import { assert, InvalidInputError } from '../host/index.ts'
import { SAMPLE_RATE, toFloat32, toInt16 } from './audio.ts'

/** Rates any microphone, file or voice has. */
export const LOWEST_RATE = 4_000
export const HIGHEST_RATE = 384_000

/** Zero crossings of the sinc on each side: the more, the steeper the edge. 16 put the stop band 300 Hz above it. */
const ZERO_CROSSINGS = 16
/** Share of the lower Nyquist frequency that passes untouched; the rest is the edge. */
const PASS_BAND = 0.93
/** Kaiser window: 9 puts side lobes below −90 dB. */
const KAISER_BETA = 9
/** Sub-sample positions of the kernel for rates without a small common ratio: rounding to 1/2048 is −62 dB at worst. */
const MOST_PHASES = 2_048

interface Kernel {
  /** Input samples on each side of an output sample. */
  readonly half: number
  readonly phases: number
  /** `phases + 1` rows of `2 · half` weights. */
  readonly weights: Float32Array
}

export class Resampler {
  readonly #kernel: Kernel | undefined
  /** Output sample n lies at input position n · step / parts. */
  readonly #step: number
  readonly #parts: number
  #buffer: Float32Array
  /** Input index of `#buffer[0]`. */
  #base: number
  #index = 0
  #part = 0
  #consumed = 0
  #produced = 0

  constructor(from: number, to: number = SAMPLE_RATE) {
    for (const rate of [from, to]) {
      if (!Number.isInteger(rate) || rate < LOWEST_RATE || rate > HIGHEST_RATE) {
        throw new InvalidInputError(
          `${rate} Hz is no sample rate handled here`,
          `Use a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE}.`,
        )
      }
    }
    const common = greatestCommonDivisor(from, to)
    this.#step = from / common
    this.#parts = to / common
    this.#kernel = from === to ? undefined : kernelFor(from, to, this.#parts)
    const half = this.#kernel?.half ?? 0
    // Silence before the first sample, so that the first output lies on it.
    this.#buffer = new Float32Array(half)
    this.#base = -half
  }

  /** As many samples as can be made now. The input is copied where needed and stays the caller's. */
  process(samples: Float32Array): Float32Array {
    this.#consumed += samples.length
    if (this.#kernel === undefined) return samples.slice()
    this.#append(samples)
    const made = this.#produce(this.#kernel, Number.POSITIVE_INFINITY)
    this.#forget(this.#kernel)
    return made
  }

  processInt16(samples: Int16Array): Int16Array {
    if (this.#kernel === undefined) return samples.slice()
    return toInt16(this.process(toFloat32(samples)))
  }

  /** The rest after the last input; all outputs together last as long as all inputs. */
  flush(): Float32Array {
    if (this.#kernel === undefined) return new Float32Array(0)
    this.#append(new Float32Array(this.#kernel.half + 1))
    const total = Math.round((this.#consumed * this.#parts) / this.#step)
    return this.#produce(this.#kernel, total - this.#produced)
  }

  flushInt16(): Int16Array {
    return toInt16(this.flush())
  }

  #append(samples: Float32Array): void {
    const longer = new Float32Array(this.#buffer.length + samples.length)
    longer.set(this.#buffer)
    longer.set(samples, this.#buffer.length)
    this.#buffer = longer
  }

  #produce(kernel: Kernel, most: number): Float32Array {
    const { half } = kernel
    const available = this.#base + this.#buffer.length - half - this.#index
    const bound = Math.max(0, Math.ceil((available * this.#parts) / this.#step) + 1)
    const out = new Float32Array(Math.max(0, Math.min(most, bound)))
    let count = 0
    while (count < out.length && this.#index + half < this.#base + this.#buffer.length) {
      out[count] = this.#sample(kernel)
      count += 1
      this.#part += this.#step
      this.#index += Math.floor(this.#part / this.#parts)
      this.#part %= this.#parts
    }
    this.#produced += count
    return out.subarray(0, count)
  }

  #sample({ half, phases, weights }: Kernel): number {
    const taps = 2 * half
    const row = Math.round((this.#part * phases) / this.#parts) * taps
    const first = this.#index - half + 1 - this.#base
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) sum += this.#buffer[first + tap]! * weights[row + tap]!
    return sum
  }

  /** Drops input no further output will look at. */
  #forget({ half }: Kernel): void {
    const keep = this.#index - half + 1 - this.#base
    if (keep <= 0) return
    this.#buffer = this.#buffer.slice(keep)
    this.#base += keep
  }
}

/** A whole recording at once. */
export function resample(samples: Float32Array, from: number, to: number = SAMPLE_RATE): Float32Array {
  const resampler = new Resampler(from, to)
  const body = resampler.process(samples)
  const rest = resampler.flush()
  const out = new Float32Array(body.length + rest.length)
  out.set(body)
  out.set(rest, body.length)
  return out
}

/** Kernels take a few milliseconds to make; a house has few rates. */
const kernels = new Map<string, Kernel>()
const MOST_KERNELS = 16

function kernelFor(from: number, to: number, parts: number): Kernel {
  const key = `${from}:${to}`
  const known = kernels.get(key)
  if (known !== undefined) return known
  const made = makeKernel(from, to, Math.min(parts, MOST_PHASES))
  if (kernels.size >= MOST_KERNELS) kernels.delete(kernels.keys().next().value!)
  kernels.set(key, made)
  return made
}

function makeKernel(from: number, to: number, phases: number): Kernel {
  /** In cycles per input sample, twice: 1 is the input's Nyquist frequency. */
  const cutoff = Math.min(1, to / from) * PASS_BAND
  const half = Math.ceil(ZERO_CROSSINGS / cutoff)
  const taps = 2 * half
  const weights = new Float32Array((phases + 1) * taps)
  for (let phase = 0; phase <= phases; phase += 1) {
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = tap - half + 1 - phase / phases
      const weight = sinc(distance * cutoff) * kaiser(distance / half)
      weights[phase * taps + tap] = weight
      sum += weight
    }
    // Each row passes a constant unchanged; otherwise silence with an offset would hum.
    assert(sum > 0, 'a low-pass passes a constant')
    for (let tap = 0; tap < taps; tap += 1) weights[phase * taps + tap]! /= sum
  }
  return { half, phases, weights }
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** The Kaiser window at `x` in [−1, 1], 0 outside: from a table, since a kernel for an odd rate asks a million times. */
function kaiser(x: number): number {
  const place = Math.abs(x) * WINDOW_STEPS
  const step = Math.floor(place)
  if (step >= WINDOW_STEPS) return 0
  const left = WINDOW[step]!
  return left + (WINDOW[step + 1]! - left) * (place - step)
}

/** Interpolated between so many points the window is exact to −120 dB. */
const WINDOW_STEPS = 2_048

/** Modified Bessel function of the first kind, order 0, by its power series. */
function bessel0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

const WINDOW = Float64Array.from({ length: WINDOW_STEPS + 1 }, (_, step) => {
  const x = step / WINDOW_STEPS
  return bessel0(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel0(KAISER_BETA)
})

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
