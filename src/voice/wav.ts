/**
 * WAV files as people have them: PCM of 8 to 32 bits, float of 32 or 64, any rate and number of channels, plain or
 * extensible header, lengths that lie because the writer was a pipe. Nothing is read beyond the bytes given, and nothing
 * is allocated by what a header claims.
 */
import { InvalidInputError } from '../host/index.ts'
import { concat, SAMPLE_RATE, toInt16 } from './audio.ts'
import { HIGHEST_RATE, LOWEST_RATE, Resampler } from './resample.ts'

export class WavError extends InvalidInputError {}

const CONVERT = 'Convert it first, e.g.: ffmpeg -i recording.mp3 recording.wav'

/** Enough for any microphone array; more is a damaged header. */
const MOST_CHANNELS = 64

export interface Wav {
  readonly sample_rate: number
  readonly channels: number
  readonly bits: number
  readonly encoding: 'pcm' | 'float'
  /** Samples per channel that are really there. */
  readonly length: number
  /** The header promises more than the file holds: it was cut off. */
  readonly truncated: boolean
  readonly data: Uint8Array
}

/** Errors: `WavError` (code `invalid-input`) that says what is wrong with the file. */
export function parseWav(bytes: Uint8Array): Wav {
  if (bytes.length === 0) throw new WavError('The file is empty', 'Record again.')
  if (bytes.length < 12) throw notWav()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!['RIFF', 'RF64'].includes(tag(bytes, 0)) || tag(bytes, 8) !== 'WAVE') throw notWav()

  let format: Format | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = tag(bytes, at)
    const size = view.getUint32(at + 4, true)
    const start = at + 8
    if (name === 'fmt ') format = readFormat(view, start, Math.min(size, bytes.length - start))
    if (name === 'data') {
      if (format === undefined) throw new WavError('The WAV file has no format before its sound', CONVERT)
      return withData(format, bytes.subarray(start), size)
    }
    // Chunks are padded to an even length.
    at = start + size + (size % 2)
  }
  throw new WavError('The WAV file is cut off before its sound begins', 'Copy or record it again.')
}

const notWav = (): WavError => new WavError('This is not a WAV file', CONVERT)

const tag = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))

type Format = Pick<Wav, 'sample_rate' | 'channels' | 'bits' | 'encoding'>

const PCM = 1
const FLOAT = 3
const EXTENSIBLE = 0xfffe

function readFormat(view: DataView, at: number, size: number): Format {
  if (size < 16) throw new WavError('The WAV file is cut off in its format', 'Copy or record it again.')
  const declared = view.getUint16(at, true)
  // The extensible header keeps the real format in the first two bytes of its GUID.
  const code = declared === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : declared
  const channels = view.getUint16(at + 2, true)
  const sample_rate = view.getUint32(at + 4, true)
  const bits = view.getUint16(at + 14, true)
  const encoding = code === PCM ? 'pcm' : code === FLOAT ? 'float' : undefined
  if (encoding === undefined) throw new WavError(`The WAV file is compressed (format ${code})`, CONVERT)
  if (channels < 1 || channels > MOST_CHANNELS) {
    throw new WavError(`The WAV file claims ${channels} channels`, CONVERT)
  }
  if (sample_rate < LOWEST_RATE || sample_rate > HIGHEST_RATE) {
    throw new WavError(`The WAV file claims ${sample_rate} samples per second`, CONVERT)
  }
  const widths = encoding === 'pcm' ? [8, 16, 24, 32] : [32, 64]
  if (!widths.includes(bits)) throw new WavError(`The WAV file has ${bits}-bit ${encoding} samples`, CONVERT)
  return { sample_rate, channels, bits, encoding }
}

/** What programs write that do not know the length in advance: 0, or something near 2 or 4 GB. */
const isUnknownSize = (size: number): boolean => size === 0 || size >= 0x7fff_0000

/** `rest` is everything from the first sample to the end of the file. */
function withData(format: Format, rest: Uint8Array, size: number): Wav {
  const all = isUnknownSize(size) ? rest : rest.subarray(0, size)
  const frame = (format.bits / 8) * format.channels
  const length = Math.floor(all.length / frame)
  return {
    ...format,
    length,
    truncated: !isUnknownSize(size) && all.length < size,
    data: all.subarray(0, length * frame),
  }
}

/** `count` samples from `start`, all channels mixed to one, in [−1, 1]; NaN and infinities are silence. */
export function readMono(wav: Wav, start = 0, count: number = wav.length - start): Float32Array {
  const { channels, data } = wav
  const width = wav.bits / 8
  const read = sampleReader(wav)
  const length = Math.max(0, Math.min(count, wav.length - start))
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const mono = new Float32Array(length)
  for (let index = 0; index < length; index += 1) {
    let sum = 0
    for (let channel = 0; channel < channels; channel += 1) {
      sum += read(view, ((start + index) * channels + channel) * width)
    }
    const value = sum / channels
    mono[index] = Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) : 0
  }
  return mono
}

function sampleReader({ bits, encoding }: Wav): (view: DataView, at: number) => number {
  if (encoding === 'float') {
    return bits === 32 ? (view, at) => view.getFloat32(at, true) : (view, at) => view.getFloat64(at, true)
  }
  switch (bits) {
    case 8:
      return (view, at) => (view.getUint8(at) - 128) / 128
    case 16:
      return (view, at) => view.getInt16(at, true) / 32_768
    case 24:
      return (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608
    default:
      return (view, at) => view.getInt32(at, true) / 2_147_483_648
  }
}

/** Read in pieces of this many samples, so that a long recording never stands in memory three times. */
const PIECE = 65_536

/** The recording as the node wants it: 16 kHz mono s16. Errors: `WavError` for an empty one. */
export function recordingOf(wav: Wav): Int16Array {
  if (wav.length === 0) throw new WavError('The WAV file holds no sound', 'Record again.')
  const resampler = new Resampler(wav.sample_rate, SAMPLE_RATE)
  const parts: Int16Array[] = []
  for (let start = 0; start < wav.length; start += PIECE) {
    parts.push(toInt16(resampler.process(readMono(wav, start, PIECE))))
  }
  parts.push(resampler.flushInt16())
  return concat(parts)
}

/** A WAV file of mono s16. */
export function writeWav(samples: Int16Array, sample_rate: number = SAMPLE_RATE): Uint8Array {
  const bytes = new Uint8Array(44 + samples.length * 2)
  const view = new DataView(bytes.buffer)
  const text = (at: number, value: string): void => {
    for (let index = 0; index < value.length; index += 1) bytes[at + index] = value.charCodeAt(index)
  }
  text(0, 'RIFF')
  view.setUint32(4, 36 + samples.length * 2, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, PCM, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, sample_rate, true)
  view.setUint32(28, sample_rate * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, samples.length * 2, true)
  for (let index = 0; index < samples.length; index += 1) view.setInt16(44 + index * 2, samples[index]!, true)
  return bytes
}
