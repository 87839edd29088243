/** The 44 bytes before streamed speech. Sizes are not known yet and are set to the maximum, as streaming writers do. */

const UNKNOWN_SIZE = 0xffff_ffff

/** RIFF/WAVE header, PCM s16le mono. */
export function streamingWavHeader(sample_rate: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(44))
  const text = (offset: number, word: string): void => {
    for (const [index, letter] of [...word].entries()) header.setUint8(offset + index, letter.charCodeAt(0))
  }
  text(0, 'RIFF')
  header.setUint32(4, UNKNOWN_SIZE, true)
  text(8, 'WAVEfmt ')
  header.setUint32(16, 16, true)
  header.setUint16(20, 1, true)
  header.setUint16(22, 1, true)
  header.setUint32(24, sample_rate, true)
  header.setUint32(28, sample_rate * 2, true)
  header.setUint16(32, 2, true)
  header.setUint16(34, 16, true)
  text(36, 'data')
  header.setUint32(40, UNKNOWN_SIZE, true)
  return new Uint8Array(header.buffer)
}
