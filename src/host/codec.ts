/**
 * Frames of the wire: `u32 length (big endian) | u8 protocol version | MessagePack envelope`. The length is checked
 * against a limit before anything is buffered, the shape before anything is parsed, the envelope before anything is used.
 *
 * Protocol versions, append only:
 * 1 — the first: envelope { trace_id, session_id, actor_id, capability_tier, privacy_scope, type, body }.
 */
import { Packr, Unpackr } from 'msgpackr'
import { z } from 'zod'
import { LoqaError } from './errors.ts'
import { MAX_FRAME_BYTES } from './limits.ts'
import { type ShapeFault, shapeFault } from './msgpack-shape.ts'

export const PROTOCOL_VERSION = 1
export const OLDEST_UNDERSTOOD_VERSION = 1
const HEADER_BYTES = 5

const name = (most: number) => z.string().min(1).max(most)

/** What travels around every message between nodes, whatever its type. */
export const envelopeSchema = z.strictObject({
  /** One request through all hops. */
  trace_id: name(64),
  session_id: name(64).nullable(),
  /** The sender's address. */
  actor_id: name(2300),
  /** Quality the requester pays latency for. */
  capability_tier: z.enum(['fast', 'balanced', 'rich']),
  /** How far the content may travel and how long it may be kept. */
  privacy_scope: z.enum(['ephemeral', 'session', 'persistent']),
  type: name(64),
  body: z.unknown(),
})
export type Envelope = z.infer<typeof envelopeSchema>

export type FrameFault = ShapeFault | 'oversized' | 'version-unknown' | 'unparsable' | 'bad-envelope'

/** A frame that was refused. The stream it came on cannot be trusted any further when `fatal`. */
export class FrameError extends LoqaError {
  readonly fault: FrameFault
  /** True when the stream's framing itself is lost: close it. */
  readonly fatal: boolean

  constructor(fault: FrameFault, fatal = false) {
    super(`frame-${fault}`, `A frame was refused: ${fault.replaceAll('-', ' ')}`)
    this.fault = fault
    this.fatal = fatal
  }
}

// Records (msgpackr's own extension) stay off: the wire is plain MessagePack that any language reads.
const packer = new Packr({ useRecords: false, encodeUndefinedAsNil: true })
const unpacker = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })

/** For values in a row (`values.ts`): typed arrays keep their kind. */
const valueUnpacker = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: 'number',
  moreTypes: true,
})

/** The value between two places, which must have been scanned before. Throws on anything else. */
export const unpackValue = (bytes: Uint8Array, start: number, end: number): unknown =>
  valueUnpacker.unpack(bytes, { start, end })

/** Errors: `FrameError('oversized')`; nothing of the frame was sent then. */
export function encodeFrame(envelope: Envelope, limit_bytes = MAX_FRAME_BYTES): Uint8Array {
  const body = packer.pack(envelope)
  if (body.length + 1 > limit_bytes) throw new FrameError('oversized')
  const frame = new Uint8Array(HEADER_BYTES + body.length)
  new DataView(frame.buffer).setUint32(0, body.length + 1)
  frame[4] = PROTOCOL_VERSION
  frame.set(body, HEADER_BYTES)
  return frame
}

/** Decodes the bytes after the length: version and envelope. Errors: `FrameError`. */
export function decodeFrame(bytes: Uint8Array): Envelope {
  const version = bytes[0]
  if (version === undefined || version < OLDEST_UNDERSTOOD_VERSION || version > PROTOCOL_VERSION) {
    throw new FrameError('version-unknown')
  }
  const body = bytes.subarray(1)
  const fault = shapeFault(body)
  if (fault) throw new FrameError(fault)
  let value: unknown
  try {
    value = unpacker.unpack(body)
  } catch {
    throw new FrameError('unparsable')
  }
  const envelope = envelopeSchema.safeParse(value)
  if (!envelope.success) throw new FrameError('bad-envelope')
  return envelope.data
}

/**
 * Cuts a byte stream into frames. Holds at most one unfinished frame, so at most the limit. A bad frame is reported and
 * skipped; a length over the limit is fatal, because what follows cannot be told from payload.
 */
export class FrameReader {
  readonly #limit: number
  readonly #onFrame: (envelope: Envelope) => void
  readonly #onFault: (error: FrameError) => void
  #chunks: Uint8Array[] = []
  #buffered = 0
  #dead = false

  constructor(options: {
    limit_bytes?: number
    onFrame: (envelope: Envelope) => void
    onFault: (error: FrameError) => void
  }) {
    this.#limit = options.limit_bytes ?? MAX_FRAME_BYTES
    this.#onFrame = options.onFrame
    this.#onFault = options.onFault
  }

  push(chunk: Uint8Array): void {
    if (this.#dead || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    while (!this.#dead && this.#buffered >= 4) {
      const length = this.#peekLength()
      if (length > this.#limit || length < 1) {
        this.#dead = true
        this.#chunks = []
        this.#buffered = 0
        this.#onFault(new FrameError('oversized', true))
        return
      }
      if (this.#buffered < 4 + length) return
      this.#deliver(this.#take(4 + length).subarray(4))
    }
  }

  #deliver(bytes: Uint8Array): void {
    let envelope: Envelope
    try {
      envelope = decodeFrame(bytes)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#onFault(error)
      return
    }
    this.#onFrame(envelope)
  }

  #peekLength(): number {
    if (this.#chunks[0]!.length < 4) this.#chunks = [this.#take(this.#buffered, true)]
    const first = this.#chunks[0]!
    return new DataView(first.buffer, first.byteOffset, 4).getUint32(0)
  }

  /** The first `count` bytes in one piece; copies only when they span chunks. */
  #take(count: number, keep = false): Uint8Array {
    const first = this.#chunks[0]!
    if (first.length >= count) {
      const rest = first.subarray(count)
      if (rest.length === 0) this.#chunks.shift()
      else this.#chunks[0] = rest
      if (!keep) this.#buffered -= count
      return first.subarray(0, count)
    }
    const joined = new Uint8Array(this.#buffered)
    let offset = 0
    for (const chunk of this.#chunks) {
      joined.set(chunk, offset)
      offset += chunk.length
    }
    this.#chunks = keep ? [] : joined.length > count ? [joined.subarray(count)] : []
    if (!keep) this.#buffered -= count
    return joined.subarray(0, count)
  }
}
