/**
 * What sound is inside the node: s16 mono at 16 kHz in frames of 20 ms. Conversions are pure and never let a value
 * through that an engine could choke on: NaN and infinities become silence, anything beyond full scale is clipped.
 */
import { limits } from '../host/index.ts'

export const { SAMPLE_RATE, FRAME_SAMPLES, FRAME_MS } = limits

/** Levels below this are silence for every purpose here; 16-bit quantisation alone sits near −98 dBFS. */
export const SILENCE_DBFS = -100

/** A sample in [−1, 1] as s16; NaN and infinities become 0. */
export const toSample16 = (value: number): number => {
  if (!Number.isFinite(value)) return 0
  return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)))
}

export function toInt16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length)
  for (let index = 0; index < samples.length; index += 1) out[index] = toSample16(samples[index]!)
  return out
}

/** s16 as floats in [−1, 1): what engines take. */
export function toFloat32(samples: Int16Array): Float32Array {
  const out = new Float32Array(samples.length)
  for (let index = 0; index < samples.length; index += 1) out[index] = samples[index]! / 32_768
  return out
}

/** s16le bytes as samples, whatever their alignment; an odd last byte is left out. The result owns its memory. */
export function samplesOf(pcm: Uint8Array): Int16Array {
  const count = pcm.length >> 1
  const out = new Int16Array(count)
  for (let index = 0; index < count; index += 1) {
    out[index] = ((pcm[index * 2]! | (pcm[index * 2 + 1]! << 8)) << 16) >> 16
  }
  return out
}

/** Samples as s16le bytes in memory of their own. */
export function bytesOf(samples: Int16Array): Uint8Array {
  const out = new Uint8Array(samples.length * 2)
  for (let index = 0; index < samples.length; index += 1) {
    out[index * 2] = samples[index]! & 0xff
    out[index * 2 + 1] = (samples[index]! >> 8) & 0xff
  }
  return out
}

export function concat(parts: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** Root mean square of the samples around their mean (a constant offset is not loudness), in dB of full scale. */
export function levelDbfs(samples: Int16Array): number {
  if (samples.length === 0) return SILENCE_DBFS
  let sum = 0
  let squares = 0
  for (const sample of samples) {
    sum += sample
    squares += sample * sample
  }
  const mean = sum / samples.length
  const power = squares / samples.length - mean * mean
  return power <= 0 ? SILENCE_DBFS : Math.max(SILENCE_DBFS, 10 * Math.log10(power) - 20 * Math.log10(32_768))
}

/** Share of samples at full scale: above a few percent the microphone is overdriven. */
export function clippedShare(samples: Int16Array): number {
  if (samples.length === 0) return 0
  let clipped = 0
  for (const sample of samples) if (sample >= 32_767 || sample <= -32_768) clipped += 1
  return clipped / samples.length
}

/**
 * Takes a constant offset out of a stream: a one-pole high-pass at 20 Hz, below any voice. Cheap sound cards add
 * offsets of several percent, which read as loudness and cost the recogniser headroom.
 */
export class DcBlocker {
  readonly #pole: number
  #input = 0
  #output = 0
  #started = false

  constructor(sample_rate: number = SAMPLE_RATE) {
    this.#pole = 1 - (2 * Math.PI * 20) / sample_rate
  }

  /** Filters in place. */
  process(samples: Int16Array): void {
    for (let index = 0; index < samples.length; index += 1) {
      const input = samples[index]!
      // Starting from the first sample keeps a stream with an offset from beginning with a thump.
      if (!this.#started) {
        this.#started = true
        this.#input = input
      }
      this.#output = input - this.#input + this.#pole * this.#output
      this.#input = input
      samples[index] = Math.max(-32_768, Math.min(32_767, Math.round(this.#output)))
    }
  }
}
