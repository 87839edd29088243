/**
 * Every bound of the node that is not a person's choice, with its unit and reason. At a bound we refuse or shed and
 * count it; nothing grows without one. Choices live in `config.ts`.
 */
import { assert } from './errors.ts'

/** 16 kHz, the rate every recogniser here was trained on. */
export const SAMPLE_RATE = 16_000
/** 20 ms: short enough to add little latency, long enough that headers and wake-ups do not dominate. */
export const FRAME_SAMPLES = 320
export const FRAME_MS = 20

/** One frame of the wire. Control traffic is small; 256 KiB holds a snapshot of a session with a long context. */
export const MAX_FRAME_BYTES = 256 * 1024
/** Nesting of a decoded value. Ours reaches 6; deeper input is an attack on the stack. */
export const MAX_NESTING = 24
/** Entries of all arrays and maps in one frame together: bounds what a decoder allocates before reading on. */
export const MAX_FRAME_ITEMS = 16_384

/** Text of one turn. The longest sentence anyone speaks in one breath is about 300 characters. */
export const MAX_TURN_TEXT = 4_096
/** Audio waiting for one session: older than this is of no use to a live conversation. */
export const MAX_BACKLOG_MS = 10_000
/** One utterance. Nobody commands for longer; a television does. */
export const MAX_UTTERANCE_MS = 30_000

/** Voice connections of one node: each holds a recogniser stream (about 3 MB) and a session. */
export const MAX_VOICE_CHANNELS = 64
/** Body of an HTTP request: the largest legitimate one is a text of MAX_TURN_TEXT in JSON. */
export const MAX_BODY_BYTES = 64 * 1024
/** One WebSocket message: two seconds of audio. */
export const MAX_SOCKET_MESSAGE_BYTES = 64 * 1024

/** A model file; the largest offered in the catalogue is under 6 GB. */
export const MAX_MODEL_BYTES = 16 * 1024 ** 3

assert(FRAME_SAMPLES * 1000 === FRAME_MS * SAMPLE_RATE, 'a frame is 20 ms')
assert(
  MAX_TURN_TEXT * 4 < MAX_BODY_BYTES,
  'the longest text fits a request even when every character takes four bytes',
)
assert(MAX_UTTERANCE_MS >= MAX_BACKLOG_MS, 'a backlog never holds more than an utterance')
