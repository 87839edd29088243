/** Every bound of a move from node to node, with its reason. Times are of the monotonic clock. */
import { assert, limits } from '../../host/index.ts'

/** State and mailbox as bytes: a conversation with a long context is 1 MB; beyond this an actor is better started anew from the store. */
export const MAX_BUNDLE_BYTES = 8 * 1024 * 1024
/** Audio behind a chunk waits for one of these, not for the whole: as of packed rows (`remote/bounds.ts`). */
export const CHUNK_BYTES = 48 * 1024
export const MAX_CHUNKS = Math.ceil(MAX_BUNDLE_BYTES / CHUNK_BYTES)
/** Chunks on their way: a quarter of what may wait for a peer, so that tells still find room. */
export const WINDOW_CHUNKS = 16
/** Nodes and depths of a decoded bundle together: four for a message and twelve in it, as in frames. */
export const MAX_BUNDLE_ITEMS = 16 * 65_536

/** Waiting messages that come along: the largest mailbox anybody gave an actor, twice over. */
export const MAX_CARRIED = 16_384
/** Messages for an actor that is frozen: four seconds at 1,000 a second. Then the move is given up, or they are refused. */
export const MAX_LATE = 4_096
/** Forwards on their way and not acknowledged. */
export const WINDOW_FORWARDS = 256
/** Direct messages that wait for those sent the old way before. */
export const MAX_HELD = 4_096
/** Nodes that change their way during one move: all of a household. */
export const MAX_LANES = 1_024
/** Times an actor set for itself; those who watch it; those it watches. */
export const MAX_SCHEDULES = 1_024
export const MAX_WATCHERS = 4_096
export const MAX_WATCHING = 1_024
/** Moves of one node at a time that hold a bundle, in and out together: 128 MB at the very most. */
export const MAX_MOVES = 16
/** Moves that are under way, forwarded or remembered so that late words are answered rightly: seventy a second for HELD_MS. */
export const MAX_REMEMBERED = 1_024

/** A handler that is under way ends: a slow one is named after 50 ms. */
export const FREEZE_MS = 500
/** From freezing until the other has it all: 8 MB on a poor Wi-Fi would take longer, and is then given up. Nobody waits for longer. */
export const OFFER_MS = 3_000
/** In doubt whether the other runs it: twice the worst round trip with three repeats; membership's verdict comes in about that time too. */
export const RESUME_MS = 5_000
/** Unanswered words are said again: a few round trips of a poor Wi-Fi. */
export const RETRY_MS = 250
/**
 * What comes the old way is forwarded for so long: whoever has a link to the source hears of the move over it, in less than a second.
 * Nor does anybody's message wait longer for the end of the old way.
 */
export const FORWARD_MS = 3_000
/** A source that says nothing for so long is not waited for: direct messages are handled, late forwards refused. */
export const HOLD_MS = 5_000
/** What was accepted and is not resumed: by then the source has taken it back or is dead. */
export const HELD_MS = 15_000

/** By then a move has settled whatever happened, and nobody has to hear again who sent which way. */
export const WORD_MS = FORWARD_MS + RESUME_MS + 2 * HOLD_MS

assert(CHUNK_BYTES + 1_024 < limits.MAX_FRAME_BYTES, 'a chunk is a frame')
assert(HELD_MS > OFFER_MS + RESUME_MS + HOLD_MS, 'the source decides before the target forgets')
assert(FORWARD_MS + RETRY_MS < HOLD_MS, 'a source that forwards is not taken for a silent one')
