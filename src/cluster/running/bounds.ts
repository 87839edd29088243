/** Bounds and spans of the running cluster, each with what it bounds and why it is not larger or smaller. */
import { assert } from '../../host/index.ts'

/** A link whose other side has not greeted by then is closed: whoever holds the key but says nothing. A busy Pi needs 0.5 s. */
export const GREETING_MS = 2_000
/** Frames kept of a link that is not in use yet: what actors say in the moment it takes to choose. */
export const MAX_EARLY_BYTES = 1024 * 1024
/** The round trip to each peer is measured this often; at once when a link opens. */
export const PING_MS = 5_000
/** Share of a new measurement in the average: a lasting change shows after four. */
export const RTT_SHARE = 0.25
/** A departing node waits this long for its word to reach everybody; then it closes. */
export const LEAVE_MS = 300
/** A keyring that could not be written (a full disk) is tried again after this. */
export const KEEP_AGAIN_MS = 1_000
/** A member that answers with another key for so long has a newer one: one just let in, or we, would be done by then. */
export const RETURN_AFTER_MS = 1_500
/** Between two attempts to come back to a household whose key changed while this node was away. */
export const RETURN_EVERY_MS = 5_000
/** Between two looks at a static peer of another household; its gate answers twelve a minute. */
export const KNOCK_EVERY_MS = 10_000
/** A connection to an enrolment listener opens within this, or nobody is there. */
export const ENROLMENT_DIAL_MS = 3_000
/** A stranger has heard the end of its enrolment: it gets so long to read it and hang up. */
export const HANG_UP_MS = 1_000
/** A node that gave out no other port enrols beside the one for members. */
export const ENROLMENT_PORT_AFTER = 1

assert(KNOCK_EVERY_MS * 12 > 60_000, 'looking at a static peer stays under what its gate answers')
