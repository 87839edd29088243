/** Every bound of what actors of different nodes say to each other, with its reason. */
import { assert, limits } from '../../host/index.ts'

/** Rows of a tick are packed together up to here: beyond, the cost per row no longer falls, and audio behind it would wait. */
export const PACKED_BYTES = 60 * 1024
/** A row alone in its frame: the snapshot of a session with a long context. As of every frame of the wire. */
export const MAX_FRAME = limits.MAX_FRAME_BYTES
/** Rows in a frame. The smallest message worth sending takes about 25 bytes, so a packed frame holds fewer. */
export const MAX_ROWS = 4_096
/** Entries of all arrays and maps in a frame: four for a row and twelve in its message; bounds what is allocated. */
export const MAX_ITEMS = 16 * MAX_ROWS
/** Type of a message, op of a port: names people gave. */
export const MAX_TYPE = 128
/** As `actors/address.ts` allows: sixteen steps of 128 characters behind the node. */
export const MAX_ADDRESS = 2_300
/** Addresses a link has names for at once; with more, names are given anew. 512 bytes each at most. */
export const MAX_NAMES = 4_096
/** Labels a link has names for at once: conversations under way. */
export const MAX_LABELS = 1_024
/** Longest wait that travels: a day is no deadline any more. */
export const MAX_DEADLINE_MS = 24 * 3_600_000

/** What may wait here for a peer whose link is full, before tells are dropped and asks refused: seconds of a slow Wi-Fi. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Answers and news of ends are owed and may go beyond; a peer that reads nothing for so long is cut. */
export const MAX_OWED_BYTES = 2 * MAX_WAITING_BYTES

/** Asks of one peer at a time; an eighth of what the node takes in all, so that no peer has them all. */
export const MAX_PEER_ASKS = 8_192
/** Actors here that one peer watches. */
export const MAX_PEER_WATCHES = 16_384
/** Work one peer has done here at a time; engines admit far less. */
export const MAX_PEER_WORK = 256
/** Kinds of undelivered messages told back per frame; the rest is counted here only. */
export const MAX_TOLD_BACK = 64

assert(PACKED_BYTES < MAX_FRAME, 'packed frames are frames')
assert(MAX_WAITING_BYTES >= 4 * MAX_FRAME, 'a few of the largest rows can wait')
