/** Just enough of WAV to judge, independently of the product's own reader, what the assistant said. */
import { readFileSync } from 'node:fs'

export interface Heard {
  readonly sample_rate: number
  readonly seconds: number
  /** Share of 20 ms windows that are louder than −40 dB of full scale. */
  readonly voiced: number
  readonly peak: number
}

/** Reads a canonical 44-byte-header s16 mono WAV. */
export function hear(path: string): Heard {
  const bytes = readFileSync(path)
  if (bytes.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${path} is no WAV`)
  const sample_rate = bytes.readUInt32LE(24)
  const samples = new Int16Array(
    bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + bytes.length - ((bytes.length - 44) % 2)),
  )
  const window = Math.round(sample_rate / 50)
  let voiced = 0
  let windows = 0
  let peak = 0
  for (let start = 0; start + window <= samples.length; start += window) {
    let energy = 0
    for (const sample of samples.subarray(start, start + window)) {
      energy += sample * sample
      peak = Math.max(peak, Math.abs(sample))
    }
    windows += 1
    if (Math.sqrt(energy / window) > 327) voiced += 1
  }
  return {
    sample_rate,
    seconds: samples.length / sample_rate,
    voiced: windows === 0 ? 0 : voiced / windows,
    peak,
  }
}
