/** Bounds and spans of discovery, each with what it bounds and why it is not larger or smaller. */
import { assert } from '../../host/index.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Strangers remembered: RELIABILITY's hundred. Members come on top and are never pushed out by strangers. */
export const MAX_STRANGERS = 100
/** Of them, announced from one address: a machine that invents ids pushes out its own. Several nodes of one machine fit. */
export const MAX_PER_SOURCE = 16
/** Addresses kept of one node: two cards with IPv4 and two kinds of IPv6 each, and room for what was told. */
export const MAX_PLACES = 8
/** Static peers: as many as the config key takes. */
export const MAX_STATIC = 64

/** Nodes of which it is kept why a link to them did not last. */
export const MAX_REFUSALS = 128

/** An announcement counts this long without being heard again: six of them, some of which Wi-Fi loses. */
export const HEARD_MS = MINUTE
/** Announcements of a node within this are one, heard on several interfaces. */
export const ECHO_MS = 200
/** A stranger is shown this long after it fell silent, so that a person who looks finds it. */
export const FORGET_MS = 5 * MINUTE
/** Own addresses are not dialled this long after they went: what others tell of us is late. */
export const OWN_MS = 10 * MINUTE

/** One answer: ours is under 400 bytes, other programs' are up to 9,000 (RFC 6762, section 17); all of those are skipped. */
export const MAX_ANSWER_BYTES = 1_472
/** Records of one answer; ours has three. */
export const MAX_RECORDS = 16
/** Strings of one TXT record; ours has nine. A later version may add some. */
export const MAX_TXT_STRINGS = 24
/** Packets per second read from one address, and from all. A node sends two a second at most, a house of 128 all at once. */
export const PACKETS_PER_SOURCE = 16
export const PACKETS_IN_ALL = 256
/** Addresses whose packets are counted. */
export const MAX_SOURCES = 256

/** Interfaces used, of each address family: a machine with containers has dozens of virtual ones. */
export const MAX_INTERFACES = 16
/** Interfaces are looked at this often. A look costs about 0.1 ms; a person who plugs in a cable waits no longer. */
export const LOOK_MS = SECOND
/** A look that comes this much late, or a wall clock that ran this far ahead, means that the machine slept. */
export const SLEPT_MS = 3 * SECOND

/** RFC 6762, section 8.3: the same announcement a few times, further and further apart, because packets get lost. */
export const BURST_MS = [0, 250, SECOND, 3 * SECOND] as const
/** Then again this often, as a sighting of the household counts for three of them. */
export const ANNOUNCE_MS = 9 * SECOND
/** Questions double from one second to this. */
export const MAX_ASK_MS = MINUTE
/** RFC 6762, section 6: an answer waits a little, so that not everybody speaks at once, and is not repeated within a second. */
export const ANSWER_DELAY_MS = [20, 120] as const
export const ANSWER_GAP_MS = SECOND
/** Seconds others may believe an announcement; written into it for other programs. */
export const TTL_S = 120

export interface DiallingConfig {
  /** First pause after a failure, ms; doubles. */
  readonly first_pause_ms: number
  /**
   * Longest pause for whom we were connected to within `lately_ms`. With the round itself it stays under the two seconds
   * within which a healed link must be back, also when one attempt just misses the heal.
   */
  readonly short_pause_ms: number
  /** Longest pause for everybody else: a node that is switched off costs a packet in ten seconds. */
  readonly long_pause_ms: number
  readonly lately_ms: number
  /** The second address is dialled this long after the first, unless that failed sooner (RFC 8305 has 250 ms). */
  readonly stagger_ms: number
  /** Of two nodes that see each other the one with the greater id lets the other dial first, this long. */
  readonly defer_ms: number
  /** Never sooner after the last round, however often somebody announces a node. */
  readonly least_gap_ms: number
  /**
   * An attempt without an outcome counts as failed after this, and another is made beside it long before: a lost packet of a
   * handshake is repeated after one, three, seven seconds, which a fresh attempt need not wait for.
   */
  readonly give_up_ms: number
  /** Attempts waited for at once. Twenty nodes that do not answer fit; with more, rounds come further apart. */
  readonly max_dials: number
}

export const DIALLING: DiallingConfig = {
  first_pause_ms: 200,
  short_pause_ms: 900,
  long_pause_ms: 10 * SECOND,
  lately_ms: 60 * MINUTE,
  stagger_ms: 250,
  defer_ms: 150,
  least_gap_ms: 250,
  give_up_ms: 3 * SECOND,
  max_dials: 64,
}

assert(MAX_PER_SOURCE * 4 < MAX_STRANGERS, 'one machine cannot push out most of what was seen')
assert(ANNOUNCE_MS * 3 < HEARD_MS, 'two lost announcements are no silence')
assert(HEARD_MS < FORGET_MS, 'who fell silent is shown for a while')
assert(
  DIALLING.short_pause_ms + DIALLING.stagger_ms < 2 * SECOND,
  'a healed link is dialled within two seconds',
)
