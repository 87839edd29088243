/** The words of replication as frames of a link's bulk stream: the envelopes of `host/codec.ts`, without the length, which the link carries. */
import { decodeFrame, type Envelope, encodeFrame, type NodeId } from '../../host/index.ts'
import { type Decoded, decodeSync, type SyncMessage } from './messages.ts'

const LENGTH_BYTES = 4
const PREFIX = 'store.'

/** A frame of the store to another node's. */
export function frameOf(self: NodeId, type: string, body: unknown): Uint8Array {
  const envelope: Envelope = {
    trace_id: '-',
    session_id: null,
    actor_id: `loqa://${self}/store`,
    capability_tier: 'balanced',
    privacy_scope: 'persistent',
    type,
    body,
  }
  return encodeFrame(envelope).subarray(LENGTH_BYTES)
}

export function encodeSync(self: NodeId, message: SyncMessage): Uint8Array {
  const { type, ...body } = message
  return frameOf(self, PREFIX + type, body)
}

/** One frame as the link gave it; never throws. Undefined: a frame of something else. */
export function decodeSyncFrame(frame: Uint8Array): Decoded | undefined {
  let envelope: Envelope
  try {
    envelope = decodeFrame(frame)
  } catch {
    return { ok: false, why: 'malformed' }
  }
  if (!envelope.type.startsWith(PREFIX)) return undefined
  const { body } = envelope
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { ok: false, why: 'malformed' }
  return decodeSync({ ...body, type: envelope.type.slice(PREFIX.length) })
}
