/** Just enough of WAV, independent of the product's own: to judge what the assistant said, to make recordings of any kind. */
import { readFileSync } from 'node:fs'

export interface Heard {
  readonly sample_rate: number
  readonly seconds: number
  /** Share of 20 ms windows that are louder than −40 dB of full scale. */
  readonly voiced: number
  readonly peak: number
}

const HEADER_BYTES = 44

/** The samples of a canonical s16 mono WAV, as bytes. */
export const pcmOf = (path: string): Buffer => readFileSync(path).subarray(HEADER_BYTES)

export interface Format {
  readonly rate: number
  readonly bits: 8 | 16 | 24 | 32 | 64
  readonly channels?: number
  readonly float?: boolean
}

/** A WAV of 16 kHz samples in [−1, 1], brought to the format's rate by repeating or leaving out. Every channel has the same. */
export function wavOf(samples: Float64Array, { rate, bits, channels = 1, float = false }: Format): Buffer {
  const width = bits / 8
  const length = Math.floor((samples.length * rate) / 16_000)
  const wav = Buffer.alloc(HEADER_BYTES + length * channels * width)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(float ? 3 : 1, 20)
  wav.writeUInt16LE(channels, 22)
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(rate * channels * width, 28)
  wav.writeUInt16LE(channels * width, 32)
  wav.writeUInt16LE(bits, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(length * channels * width, 40)
  for (let at = 0; at < length * channels; at += 1) {
    const value = samples[Math.floor((Math.floor(at / channels) * 16_000) / rate)]!
    const offset = HEADER_BYTES + at * width
    if (bits === 64) wav.writeDoubleLE(value, offset)
    else if (float) wav.writeFloatLE(value, offset)
    else if (bits === 8) wav.writeUInt8(128 + Math.round(value * 127), offset)
    else wav.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), offset, width)
  }
  return wav
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
