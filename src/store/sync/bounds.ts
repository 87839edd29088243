/** The bounds of replication, each with what it bounds and why it is not larger or smaller. */
import { assert, limits } from '../../host/index.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** cr-sqlite's site ids; it accepts others and then cannot tell sites apart. */
export const SITE_BYTES = 16
/** Names of tables and columns: ours reach 24 characters. */
export const MAX_NAME_LENGTH = 64
/** Columns of one primary key: ours have one or two. */
export const MAX_KEY_COLUMNS = 8
/** A packed primary key: two ids and a name. */
export const MAX_KEY_BYTES = 512
/** One text or blob. The longest kept value is what a skill keeps under one key, as JSON; larger things belong in files. */
export const MAX_VALUE_BYTES = 64 * 1024

/** Transactions of one writer: 800 a second, which is all the disk does, for 10,000 years. Exact in a double. */
export const MAX_DB_VERSION = 2 ** 48
/** Versions of one cell. Leaves room for a million jumps above what an unknown cell may bring, so that a lie is outgrown. */
export const MAX_COL_VERSION = 2 ** 48
/** What a cell nobody here knows may bring: a counter of ten years at 3,000 a second. */
export const MAX_FIRST_VERSION = 2 ** 40
/** How far a cell may leap above what is known of it: a node that was away for ten days while another counted every second. */
export const MAX_VERSION_JUMP = 1_000_000
/** Lives and deaths of one row. */
export const MAX_CAUSAL_LENGTH = 2 ** 32
/** Lives of one row that may be missed. */
export const MAX_CAUSAL_JUMP = 1_000_000
/** Changes of one transaction. */
export const MAX_SEQ = 2 ** 24

/** Rows of one batch, and so of one transaction, which is never split: applying them takes a worker 50 ms at most. */
export const MAX_BATCH_ROWS = 1_000
/** One batch as it is signed: with its envelope it fits a frame, and a transaction that does not fit is refused where it is written. */
export const MAX_BATCH_BYTES = 192 * 1024
/** Versions one batch may cover: years of one writer, yet endless leaps are as many batches. */
export const MAX_BATCH_SPAN = 2 ** 24
/** A node's data directory was restored or reset that often. */
export const MAX_LIFE = 2 ** 16
/** Schemas and editions are counted by releases and by days. */
export const MAX_SCHEMA = 2 ** 16
export const MAX_EDITION = 2 ** 32

/** Logs known at once: 128 members with a few lives each. */
export const MAX_ORIGINS = 1_024
/** Lives of one node that are followed: a node that invents some takes nobody else's room. */
export const MAX_LIVES_PER_NODE = 16
/** One writer's log on disk: a hundred thousand live rows. Beyond it the writer has to compact before more is pulled. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024
/** Peers that are listened to; a household has at most 128 members. */
export const MAX_PEERS = 128

/** Pulls under way at once: together with the two below, what one node has in memory of what others sent. */
export const MAX_PULLS = 8
/** Of one peer: leaves room for the others beside a slow one. */
export const MAX_PULLS_PER_PEER = 2
/** Batches of one answer; it ends earlier when the next would not fit. */
export const MAX_ANSWER_BATCHES = 64
/** One answer: the largest batch, or many small ones. */
export const MAX_ANSWER_BYTES = 192 * 1024
/** Answers being read for one peer. */
export const MAX_SERVED_AT_ONCE = 2
/** Bytes one peer is given per tick: 16 MB/s, more than applying is quick. */
export const MAX_SERVED_BYTES = 8 * 1024 * 1024
/** Pulls of one peer per tick that are answered at all; an honest one sends 2 and each answer allows the next. */
export const MAX_SERVED_PULLS = 512

/** The machine's heart: deadlines are looked at this often. */
export const TICK_MS = 500
/** Everything held is told again this often, for what was lost on the way. */
export const TELL_EVERY_MS = 5 * SECOND
/** From a write to telling of it: bursts are told together, and nobody waits for it. */
export const TELL_PAUSE_MS = 5
/** From having pulled to telling of it: most others pull from the writer too, and only who cannot reach it waits for this. */
export const RELAY_PAUSE_MS = 200
/** A log is fetched again, compacted, at most this often: a writer that compacts for ever costs little. */
export const TIDY_PAUSE_MS = MINUTE
/** An answer takes a read of 192 kB and its way: slow Wi-Fi does that in 2 s. */
export const PULL_TIMEOUT_MS = 8 * SECOND
/** After a full or failing disk. */
export const STORE_PAUSE_MS = 2 * SECOND
/** A log is not asked for again at the peer that did not give it for this long: others are asked, or it is busy. */
export const ASIDE_MS = 5 * SECOND
/** Faults of a peer before it is left alone, and for how long: one lost answer is no lie. */
export const MAX_STRIKES = 5
export const SHUNNED_MS = 2 * MINUTE
/** A fault is forgotten after this long without another. */
export const FORGIVE_MS = 30 * SECOND

/** Rows set aside because their version leaps; they stay in the log, so forgetting the oldest loses nothing. */
export const MAX_QUARANTINED = 1_024

/** A node absent for longer comes back as a new one: as long as a certificate lasts. */
export const ABSENT_MS = 90 * DAY
/** A tombstone is kept at least so long. */
export const TOMBSTONE_MS = ABSENT_MS

assert(MAX_BATCH_BYTES + 4_096 < limits.MAX_FRAME_BYTES, 'a batch fits a frame with its envelope')
assert(MAX_ANSWER_BYTES >= MAX_BATCH_BYTES, 'every batch fits an answer')
assert(MAX_ANSWER_BYTES + 4_096 < limits.MAX_FRAME_BYTES, 'an answer fits a frame')
assert(MAX_ORIGINS * 12 < limits.MAX_FRAME_ITEMS, 'all heads fit a frame')
assert(MAX_FIRST_VERSION + MAX_VERSION_JUMP * 1_000_000 < MAX_COL_VERSION, 'a lie about a cell is outgrown')
assert(MAX_VALUE_BYTES + MAX_KEY_BYTES < MAX_BATCH_BYTES / 2, 'a row with the largest value fits a batch')
assert(MAX_DB_VERSION <= Number.MAX_SAFE_INTEGER, 'versions are exact')
assert(
  TELL_PAUSE_MS < RELAY_PAUSE_MS && RELAY_PAUSE_MS < TICK_MS,
  'what is told late is told before the next tick',
)
assert(TICK_MS * 4 < PULL_TIMEOUT_MS, 'deadlines are looked at often enough')
assert(MAX_SERVED_BYTES >= MAX_PULLS_PER_PEER * MAX_ANSWER_BYTES, 'an honest peer is served')
