/** The transport's bounds, each with what it bounds and why it is not larger or smaller. */
import { assert, limits } from '../../host/index.ts'
import type { StreamClass } from './mesh.ts'

/** One frame. A bulk frame carries a chunk of a model or a database; its sender holds it whole, so not more. */
export const MAX_FRAME: Readonly<Record<StreamClass, number>> = {
  control: limits.MAX_FRAME_BYTES,
  data: limits.MAX_FRAME_BYTES,
  bulk: 1024 * 1024,
}

/** Waiting to be sent, per link and class: at full speed 10 to 40 ms of work, so a drain comes before a sender starves. */
export const FULL_BYTES: Readonly<Record<StreamClass, number>> = {
  control: 512 * 1024,
  data: 2 * 1024 * 1024,
  bulk: 4 * 1024 * 1024,
}

/** What one frame costs beside its bytes: its length on the wire. */
export const FRAME_HEADER_BYTES = 4
/**
 * Sent at once: what fills one noise message (65,535 bytes with a tag of 16) below a yamux header of 12. One more byte would
 * cost a second message; data that came meanwhile waits behind one slice of bulk at most.
 */
export const SLICE_BYTES = 65_535 - 16 - 12
/** What the socket takes before it asks to wait: a few slices, so that one tick sends more than one. */
export const SOCKET_BYTES = 4 * 65_536
/** Sent per class and tick, so that a full link leaves the others their turn. About 1 ms of encryption. */
export const SENT_PER_TICK: Readonly<Record<StreamClass, number>> = {
  control: FULL_BYTES.control,
  data: 8 * SLICE_BYTES,
  bulk: 4 * SLICE_BYTES,
}
/** Handed to the listener per class and tick: with n busy links each has at least the n-th part of what this process can do. */
export const FRAMES_PER_TICK = 512
export const TAKEN_PER_TICK = 8 * SLICE_BYTES

/**
 * On the way in one stream: what the other side may send before it hears that something was read, and what is kept in memory
 * of a stream that is paused. At 120 MB/s 4 ms of bulk, behind which data may wait in the network's own buffers.
 */
export const WINDOW_BYTES = 512 * 1024
/** A stream is held for a moment before anybody can pause it. Beyond this the peer ignores windows: libp2p aborts its stream. */
export const MAX_UNREAD_BYTES = 8 * WINDOW_BYTES

/** What one peer may send per class, for ever and at once. Far above what a node needs, below what hurts the others. */
export const RATES: Readonly<
  Record<
    StreamClass,
    { frames_per_s: number; bytes_per_s: number; burst_frames: number; burst_bytes: number }
  >
> = {
  control: { frames_per_s: 4_000, bytes_per_s: 8e6, burst_frames: 4_000, burst_bytes: 4e6 },
  data: { frames_per_s: 20_000, bytes_per_s: 128e6, burst_frames: 10_000, burst_bytes: 32e6 },
  bulk: { frames_per_s: 10_000, bytes_per_s: 512e6, burst_frames: 2_000, burst_bytes: 64e6 },
}

/** From dialling to three open streams. A Pi on bad Wi-Fi needs 2 s; whoever dials has other places to try. */
export const DIAL_MS = 5_000
/** From the first byte of somebody who dialled us to its proof, and again to its three streams. */
export const HELLO_MS = 3_000
/** What is waiting at a close may take this long. */
export const LINGER_MS = 1_000

/** Links at once: every member twice (both may dial at once), and as many that are not told apart yet. */
export const MAX_LINKS = 512
/** Connections that have proved nothing yet. A stranger can hold this many sockets for HELLO_MS, and no more. */
export const MAX_UNPROVED = 256
/** Of one address in one second. Times HELLO_MS it stays below MAX_UNPROVED, so that one stranger never keeps members out. */
export const MAX_CONNECTIONS_PER_SOURCE = 40

/** Household keys that open links at once: the current one, and those replaced within the overlap. */
export const MAX_KEYS = 3

for (const streamClass of ['control', 'data', 'bulk'] as const) {
  assert(
    MAX_FRAME[streamClass] + FRAME_HEADER_BYTES <= FULL_BYTES[streamClass],
    'the longest frame fits an empty queue',
  )
  assert(RATES[streamClass].burst_bytes > MAX_FRAME[streamClass], 'the longest frame is never over the rate')
}
assert(
  (MAX_CONNECTIONS_PER_SOURCE * HELLO_MS) / 1_000 < MAX_UNPROVED,
  'one address cannot take all places of the unproved',
)
