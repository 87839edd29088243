/** A streamed WAV (sizes unknown) as a file with its true sizes. Pure. */

const HEADER_BYTES = 44

/** `wav`: 44 bytes of header as the node streams it, then PCM s16le mono. */
export function sizedWav(wav: Uint8Array): { readonly bytes: Uint8Array; readonly seconds: number } {
  const bytes = new Uint8Array(wav)
  const view = new DataView(bytes.buffer)
  const data = Math.max(0, bytes.length - HEADER_BYTES)
  const sample_rate = view.getUint32(24, true)
  view.setUint32(4, bytes.length - 8, true)
  view.setUint32(40, data, true)
  return { bytes, seconds: data / 2 / sample_rate }
}
