/**
 * Frames between the node and a sandbox process: `u32 total | u32 json length | json | payload`, big endian, total
 * counting what follows it. JSON because the reader must survive hostile bytes; the payload carries a module.
 * Pure, shared by both sides, and without imports: every import costs each sandbox start-up time and memory.
 */
export interface Frame {
  readonly body: unknown
  readonly payload: Uint8Array
}

/** What a sandbox may answer at most: all of a skill's storage written anew (128 KiB), every character escaped. */
export const MAX_ANSWER_BYTES = 512 * 1024
/** What the node sends at most: a module (4 MiB) and its call. */
export const MAX_ORDER_BYTES = 5 * 1024 * 1024

/** The other side does not keep to the framing; nothing it sends can be used any more. */
export class SandboxFrameError extends Error {}

const NO_PAYLOAD = new Uint8Array()
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export function encodeFrame(body: unknown, payload: Uint8Array = NO_PAYLOAD): Uint8Array {
  const json = encoder.encode(JSON.stringify(body))
  const frame = new Uint8Array(8 + json.length + payload.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, frame.length - 4)
  view.setUint32(4, json.length)
  frame.set(json, 8)
  frame.set(payload, 8 + json.length)
  return frame
}

/** Decodes what follows the first four bytes of a frame. Errors: `SandboxFrameError`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length < 4) throw new SandboxFrameError('a frame is too short')
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  if (length > bytes.length - 4) throw new SandboxFrameError('a frame lies about its length')
  try {
    const body: unknown = JSON.parse(decoder.decode(bytes.subarray(4, 4 + length)))
    return { body, payload: bytes.subarray(4 + length) }
  } catch {
    throw new SandboxFrameError('a frame is not JSON')
  }
}

/** Puts frames together from a stream. Never holds more than `limit_bytes` and one chunk. */
export class FrameJoiner {
  readonly #limit_bytes: number
  #held: Uint8Array = NO_PAYLOAD

  constructor(limit_bytes: number) {
    this.#limit_bytes = limit_bytes
  }

  /** The frames completed by these bytes. Errors: `SandboxFrameError`; the stream is of no use afterwards. */
  push(bytes: Uint8Array): Frame[] {
    let held = this.#held.length === 0 ? bytes : concat(this.#held, bytes)
    const frames: Frame[] = []
    while (held.length >= 4) {
      const total = new DataView(held.buffer, held.byteOffset, 4).getUint32(0)
      if (total > this.#limit_bytes) throw new SandboxFrameError('a frame is over the limit')
      if (held.length < 4 + total) break
      frames.push(decodeFrame(held.subarray(4, 4 + total)))
      held = held.subarray(4 + total)
    }
    this.#held = held
    return frames
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
