/**
 * Frames between the node and an engine process: `u32 length | u8 kind | u32 stream | payload`, little endian, the length
 * counting what follows it. Audio travels as raw samples, all else as JSON. An own pipe instead of Node's IPC channel, because
 * whatever an engine's native code might write there must never be parsed by a deserializer that throws inside the node.
 *
 * No outside library is imported here: an engine process starts in milliseconds.
 */
import type { EngineRequest, ModelFiles } from './engine.ts'

/** 8 MiB: the longest text or utterance fits several times; a larger length means the framing is lost. */
export const MAX_ENGINE_FRAME_BYTES = 8 * 1024 * 1024
const LENGTH_BYTES = 4
const HEAD_BYTES = 5

export const FRAME_KIND = { json: 1, audio_in: 2, audio_out: 3 } as const

/** node → engine process. */
export type ToChild =
  /** First message: which adapter, which files. Answered by `loaded` or `load-failed`. */
  | { readonly type: 'load'; readonly model: ModelFiles }
  | { readonly type: 'open'; readonly stream: number; readonly request: EngineRequest }
  | { readonly type: 'audio'; readonly stream: number; readonly samples: Float32Array }
  | { readonly type: 'text'; readonly stream: number; readonly text: string }
  | { readonly type: 'finish'; readonly stream: number }
  /** Answered by `released` when the engine has let go of the run. */
  | { readonly type: 'cancel'; readonly stream: number }
  /** Answered by `measured`. */
  | { readonly type: 'measure' }
  /** Answered by `pong` as soon as the process is free to answer. */
  | { readonly type: 'ping'; readonly ping: number }
  /** Unload and end. */
  | { readonly type: 'unload' }

/** One frame, cut but not yet understood. */
export interface Frame {
  readonly kind: number
  readonly stream: number
  readonly payload: Uint8Array
}

const text = new TextEncoder()

export function encodeBinary(kind: number, stream: number, parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const frame = new Uint8Array(LENGTH_BYTES + HEAD_BYTES + size)
  const view = new DataView(frame.buffer)
  view.setUint32(0, HEAD_BYTES + size, true)
  view.setUint8(4, kind)
  view.setUint32(5, stream, true)
  let offset = LENGTH_BYTES + HEAD_BYTES
  for (const part of parts) {
    frame.set(part, offset)
    offset += part.byteLength
  }
  return frame
}

export const encodeJson = (message: object): Uint8Array =>
  encodeBinary(FRAME_KIND.json, 0, [text.encode(JSON.stringify(message))])

export function encodeToChild(message: ToChild): Uint8Array {
  if (message.type !== 'audio') return encodeJson(message)
  const { buffer, byteOffset, byteLength } = message.samples
  return encodeBinary(FRAME_KIND.audio_in, message.stream, [new Uint8Array(buffer, byteOffset, byteLength)])
}

/** What the node sent; it is trusted, so only the framing is checked. */
export function decodeToChild(frame: Frame): ToChild {
  if (frame.kind === FRAME_KIND.audio_in) {
    return { type: 'audio', stream: frame.stream, samples: new Float32Array(aligned(frame.payload)) }
  }
  return JSON.parse(Buffer.from(frame.payload).toString('utf8')) as ToChild
}

/** Speech of a voice: the sample rate in front, then the samples. */
export function encodeAudioOut(stream: number, samples: Int16Array, sample_rate: number): Uint8Array {
  const rate = new Uint8Array(4)
  new DataView(rate.buffer).setUint32(0, sample_rate, true)
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  return encodeBinary(FRAME_KIND.audio_out, stream, [rate, bytes])
}

/** A copy that starts on its own buffer: typed arrays need aligned offsets, and the receiver owns what it gets. */
export const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

/** Cuts a byte stream into frames, holding at most one unfinished. Returns false once the framing is lost. */
export class FrameCutter {
  readonly #onFrame: (frame: Frame) => void
  #held: Uint8Array = new Uint8Array(0)
  /** Pieces after `#held` that do not yet complete a frame; joined once, when they do. */
  #pieces: Uint8Array[] = []
  #size = 0
  #wanted = LENGTH_BYTES
  #lost = false

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Uint8Array): boolean {
    if (this.#lost) return false
    this.#pieces.push(chunk)
    this.#size += chunk.byteLength
    if (this.#size < this.#wanted) return true
    this.#join()
    let offset = 0
    while (this.#held.byteLength - offset >= LENGTH_BYTES) {
      const view = new DataView(this.#held.buffer, this.#held.byteOffset + offset)
      const length = view.getUint32(0, true)
      if (length < HEAD_BYTES || length > MAX_ENGINE_FRAME_BYTES) {
        this.#lost = true
        return false
      }
      if (this.#held.byteLength - offset < LENGTH_BYTES + length) {
        this.#keep(offset, LENGTH_BYTES + length)
        return true
      }
      const start = offset + LENGTH_BYTES + HEAD_BYTES
      offset += LENGTH_BYTES + length
      this.#onFrame({
        kind: view.getUint8(4),
        stream: view.getUint32(5, true),
        payload: this.#held.subarray(start, offset),
      })
    }
    this.#keep(offset, LENGTH_BYTES)
    return true
  }

  #join(): void {
    if (this.#held.byteLength === 0 && this.#pieces.length === 1) this.#held = this.#pieces[0]!
    else {
      const joined = new Uint8Array(this.#size)
      joined.set(this.#held, 0)
      let offset = this.#held.byteLength
      for (const piece of this.#pieces) {
        joined.set(piece, offset)
        offset += piece.byteLength
      }
      this.#held = joined
    }
    this.#pieces = []
  }

  #keep(offset: number, wanted: number): void {
    this.#held = this.#held.subarray(offset)
    this.#size = this.#held.byteLength
    this.#wanted = wanted
  }
}
