/** Recordings in and out as the node wants them: 16 kHz mono s16. */
import { LoqaError } from '../host/errors.ts'
import { SAMPLE_RATE } from '../host/limits.ts'

/** Errors: `invalid-input` with what is wrong with the file. */
export function readRecording(name: string, bytes: Uint8Array): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (bytes.length < 44 || text(0) !== 'RIFF' || text(8) !== 'WAVE') throw notWav(name)
  let data: Uint8Array | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true)
    if (text(at) === 'fmt ') {
      const rate = view.getUint32(at + 12, true)
      const fits =
        view.getUint16(at + 8, true) === 1 && view.getUint16(at + 10, true) === 1 && rate === SAMPLE_RATE
      if (!fits) throw new LoqaError('invalid-input', `${name} is not 16 kHz mono PCM`)
    }
    if (text(at) === 'data') data = bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + size))
    at += 8 + size + (size % 2)
  }
  if (data === undefined) throw notWav(name)
  // A copy: what was read may lie at an odd address inside a larger buffer.
  return new Int16Array(new Uint8Array(data.subarray(0, data.length - (data.length % 2))).buffer)
}

const notWav = (name: string): LoqaError =>
  new LoqaError('invalid-input', `${name} is not a WAV file`, {
    hint: 'Convert it first, e.g.: ffmpeg -i in.mp3 out.wav',
  })

/** A WAV file of 16 kHz mono s16. */
export function writeRecording(parts: readonly Int16Array[]): Uint8Array {
  const samples = parts.reduce((sum, part) => sum + part.length, 0)
  const view = new DataView(new ArrayBuffer(44 + samples * 2))
  const word = (at: number, text: string): void => {
    for (let index = 0; index < 4; index++) view.setUint8(at + index, text.charCodeAt(index))
  }
  word(0, 'RIFF')
  view.setUint32(4, 36 + samples * 2, true)
  word(8, 'WAVE')
  word(12, 'fmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, SAMPLE_RATE, true)
  view.setUint32(28, SAMPLE_RATE * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  word(36, 'data')
  view.setUint32(40, samples * 2, true)
  let at = 44
  for (const part of parts) {
    new Uint8Array(view.buffer, at).set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    at += part.byteLength
  }
  return new Uint8Array(view.buffer)
}
