/** The household's bounds and spans, each with what it bounds and why it is not larger or smaller. */
import { assert } from '../../host/index.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** Nodes of one household: far above any home; keeps a list of all in one frame and a rotation under 0.1 s. */
export const MAX_MEMBERS = 128
/** Removed nodes remembered; never forgotten, so bounded by refusing further ones. About 2 MB. */
export const MAX_REVOKED = 4_096
/** From member to member back to the founder. A generation is a node whose admitter is gone: decades. */
export const MAX_DEPTH = 32
/** Nodes a roster knows of, members or not: room for guests come and gone, an end for a member that invents nodes. */
export const MAX_SUBJECTS = 1_024

/** A certificate's life: a node that was off longer than this is asked about again. As long as RELIABILITY's offline node. */
export const TERM_MS = 90 * DAY
/** Renewed when a third of the term is over: two months of chances to meet a member. */
export const RENEW_AFTER_MS = TERM_MS / 3
/** Clocks of a home without a time server differ by this at most; beyond it we say whose is wrong. */
export const SKEW_MS = 5 * MINUTE

/** After founding, and after `open`: long enough to start five machines, short enough to trust the LAN. */
export const WINDOW_MS = 10 * MINUTE
export const MAX_WINDOW_MS = 60 * MINUTE

/** One enrolment, from greeting to the end: also how long its code may be used. */
export const ENROLMENT_MS = 10 * MINUTE
/** The machine part of it, before anybody has to look at a code: a slow Pi on bad Wi-Fi needs 2 s. */
export const HANDSHAKE_MS = 15 * SECOND
/** Wrong codes before approving stops, and for how long: 720 guesses a day at most, which hit one code of 10⁶ with 7·10⁻⁴. */
export const WRONG_CODES = 5
export const LOCKOUT_MS = 10 * MINUTE
/** Greetings from one address, and from all together, per minute; each costs us about 2 ms of curve arithmetic. */
export const GREETINGS_PER_SOURCE = 12
export const GREETINGS_IN_ALL = 120
export const GREETINGS_SPAN_MS = MINUTE
/** Addresses whose greetings are counted, and enrolments open at once. */
export const MAX_SOURCES = 256
export const MAX_SESSIONS = 16
/** Nodes waiting for a person: more than anybody would compare codes for; the longest waiting is dropped first. */
export const MAX_PENDING = 8
/** Households seen on the LAN while ours is fresh; the longest unheard is dropped first. */
export const MAX_SIGHTINGS = 100
/** How long a sighting counts without being heard again: three announcements. */
export const SIGHTING_MS = 30 * SECOND
/** Attempts to join a household that may fail before it counts as none, and the pause between: a lost packet is no liar. */
export const PATIENCE = 3
export const RETRY_MS = 2 * SECOND
/** A better household that would not take us is left alone for this long, so that a liar cannot hold us up. */
export const SHUNNED_MS = 2 * MINUTE

/** The old household key still opens connections this long after a rotation; members hear of one within 10 s. */
export const OVERLAP_MS = 2 * MINUTE
/** Before a member other than the one who removed somebody rotates in its place, per place in line. */
export const ROTATE_TURN_MS = 5 * SECOND
/** Numbers of windows and epochs end here; one a second lasts a lifetime. A member that uses them up is removed, and they come back. */
export const MAX_SERIAL = 2 ** 32

/** Before a name is known, nothing longer is read: greeting, offer and proof are under 1.5 kB. */
export const MAX_GREETING_BYTES = 4 * 1024
export const MAX_WELCOME_BYTES = 256 * 1024
/** Records of one message, and their bytes: half a frame, because hex doubles what is sealed. */
export const MAX_BATCH = 200
export const MAX_BATCH_BYTES = 96 * 1024
export const MAX_LIMITS = 16

assert(MAX_MEMBERS * 4 < MAX_SUBJECTS, 'a household may change all its nodes a few times')
assert(RENEW_AFTER_MS * 2 <= TERM_MS, 'there is more time to renew than time before it')
assert(OVERLAP_MS < SKEW_MS, 'the overlap is shorter than what clocks may differ by')
assert(HANDSHAKE_MS < ENROLMENT_MS, 'the handshake is part of the enrolment')
assert(WINDOW_MS <= MAX_WINDOW_MS, 'the usual window is one that may be asked for')
assert(MAX_BATCH_BYTES * 2 < MAX_WELCOME_BYTES, 'a sealed batch fits a welcome')
