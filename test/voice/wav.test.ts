import { describe, expect, test } from 'vitest'
import { parseWav, readMono, recordingOf, WavError, writeWav } from '../../src/voice/wav.ts'

interface Shape {
  readonly code?: number
  readonly channels?: number
  readonly rate?: number
  readonly bits?: number
  readonly extensible?: boolean
  readonly size?: number
  readonly before?: Uint8Array
}

/** A WAV file around raw data, as programs write them. */
function wavOf(data: Uint8Array, shape: Shape = {}): Uint8Array {
  const { code = 1, channels = 1, rate = 16_000, bits = 16, extensible = false } = shape
  const format = Buffer.alloc(extensible ? 40 : 16)
  format.writeUInt16LE(extensible ? 0xfffe : code, 0)
  format.writeUInt16LE(channels, 2)
  format.writeUInt32LE(rate, 4)
  format.writeUInt32LE((rate * channels * bits) / 8, 8)
  format.writeUInt16LE((channels * bits) / 8, 12)
  format.writeUInt16LE(bits, 14)
  if (extensible) format.writeUInt16LE(code, 24)
  const chunk = (name: string, body: Uint8Array, size = body.length): Buffer => {
    const head = Buffer.alloc(8)
    head.write(name, 0, 'latin1')
    head.writeUInt32LE(size, 4)
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)])
  }
  const chunks = [
    ...(shape.before === undefined ? [] : [chunk('LIST', shape.before)]),
    chunk('fmt ', format),
    chunk('data', data, shape.size ?? data.length),
  ]
  const head = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1')
  return Buffer.concat([head, ...chunks])
}

const s16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer)
const mono = (bytes: Uint8Array): number[] => [...readMono(parseWav(bytes))]

describe('samples of every kind', () => {
  test.each([
    ['8 bit', Uint8Array.of(128, 192, 64), { bits: 8 }],
    ['16 bit', s16(0, 16_384, -16_384), {}],
    ['24 bit', Uint8Array.of(0, 0, 0, 0, 0, 0x40, 0, 0, 0xc0), { bits: 24 }],
    ['32 bit', new Uint8Array(Int32Array.of(0, 2 ** 30, -(2 ** 30)).buffer), { bits: 32 }],
    ['float', new Uint8Array(Float32Array.of(0, 0.5, -0.5).buffer), { bits: 32, code: 3 }],
    ['double', new Uint8Array(Float64Array.of(0, 0.5, -0.5).buffer), { bits: 64, code: 3 }],
    ['extensible', s16(0, 16_384, -16_384), { extensible: true }],
    ['after another chunk', s16(0, 16_384, -16_384), { before: Uint8Array.of(1, 2, 3) }],
  ])('%s', (_name, data, shape) => {
    expect(mono(wavOf(data, shape))).toEqual([0, 0.5, -0.5])
  })

  test('channels are mixed to one', () => {
    expect(mono(wavOf(s16(16_384, 0, -16_384, -16_384), { channels: 2 }))).toEqual([0.25, -0.5])
  })

  test('NaN and infinities are silence, too loud is clipped', () => {
    const data = new Uint8Array(
      Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 7, -7).buffer,
    )
    expect(mono(wavOf(data, { bits: 32, code: 3 }))).toEqual([0, 0, 0, 1, -1])
  })
})

describe('lengths that lie', () => {
  test.each([0, 0xffff_ffff, 0x7fff_f000])('a size of %i means until the end', (size) => {
    const wav = parseWav(wavOf(s16(1, 2, 3), { size }))
    expect(wav).toMatchObject({ length: 3, truncated: false })
  })

  test('a file that was cut off says so and gives what is there', () => {
    expect(parseWav(wavOf(s16(1, 2, 3), { size: 600 }))).toMatchObject({ length: 3, truncated: true })
  })

  test('bytes around the file are never read', () => {
    const file = wavOf(s16(1, 2, 3), { size: 0 })
    const larger = new Uint8Array(file.length + 100).fill(9)
    larger.set(file, 10)
    expect(parseWav(larger.subarray(10, 10 + file.length)).length).toBe(3)
  })
})

describe('what is wrong is said', () => {
  test.each([
    ['an empty file', new Uint8Array(0), 'The file is empty'],
    ['an MP3', Buffer.from('ID3\u0004 something long enough to be a file'), 'This is not a WAV file'],
    ['a short file', Buffer.from('RIFF'), 'This is not a WAV file'],
    ['no sound', wavOf(s16()).subarray(0, 36), 'The WAV file is cut off before its sound begins'],
    ['a cut format', wavOf(s16(1)).subarray(0, 30), 'The WAV file is cut off in its format'],
    ['compression', wavOf(s16(1), { code: 85 }), 'The WAV file is compressed (format 85)'],
    ['no channels', wavOf(s16(1), { channels: 0 }), 'The WAV file claims 0 channels'],
    ['no rate', wavOf(s16(1), { rate: 0 }), 'The WAV file claims 0 samples per second'],
    ['odd width', wavOf(s16(1), { bits: 12 }), 'The WAV file has 12-bit pcm samples'],
  ])('%s', (_name, bytes, message) => {
    expect(() => parseWav(bytes)).toThrow(WavError)
    expect(() => parseWav(bytes)).toThrow(message)
  })

  test('a recording without a sample', () => {
    expect(() => recordingOf(parseWav(wavOf(s16())))).toThrow('The WAV file holds no sound')
  })
})

test('what is written reads back', () => {
  const samples = Int16Array.of(0, 1, -1, 32_767, -32_768)
  expect([...recordingOf(parseWav(writeWav(samples)))]).toEqual([0, 1, -1, 32_767, -32_768])
  expect(parseWav(writeWav(samples, 22_050)).sample_rate).toBe(22_050)
})

test('a recording of any rate and channels becomes 16 kHz mono', () => {
  const data = s16(...Array.from({ length: 48_000 * 2 }, (_, n) => (n % 96) * 100))
  expect(recordingOf(parseWav(wavOf(data, { rate: 48_000, channels: 2 }))).length).toBe(16_000)
})
