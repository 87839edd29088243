/**
 * Every timeout and limit of membership, once: unit, default, range, reason, and the relations between them, which are
 * checked whenever a configuration is made. The defaults are the LAN preset; Wi-Fi and test are derived from it.
 *
 * What the LAN numbers add up to, at awareness 0 unless said otherwise, counted from the last message heard:
 *   suspected ≤ suspect_after + heartbeat                        = 1.15 s   (a cut link: wanted ≤ 1.2 s)
 *   dead      ≤ suspected + suspicion_min + heartbeat            = 4.50 s   (wanted ≤ 5 s)
 *   dead      ≤ 2 · suspect_after + suspicion_max + 2 heartbeats = 8.50 s   (at any awareness, alone with it: all agree within 10 s)
 *   not dead  < suspect_after + suspicion_min                    = 4.00 s   (a node stopped for 3 s has 1 s to be heard)
 */
import { InvalidInputError } from '../../host/index.ts'

interface Setting {
  readonly unit: 'ms' | 'count' | 'factor'
  readonly default: number
  /** Smallest and largest value allowed. */
  readonly range: readonly [number, number]
  readonly why: string
}

export const SETTINGS = {
  heartbeat_ms: {
    unit: 'ms',
    default: 250,
    range: [10, 5_000],
    why: 'Four a second: three may be lost before anyone is suspected, and 31 peers cost 124 small frames a second.',
  },
  late_ms: {
    unit: 'ms',
    default: 125,
    range: [5, 5_000],
    why: 'An own timer later than this means this node slept. Garbage collection and a busy turn stay below.',
  },
  probe_after_ms: {
    unit: 'ms',
    default: 500,
    range: [20, 10_000],
    why: 'Two heartbeats missing: others are asked. Heard within this time counts as heard just now.',
  },
  suspect_after_ms: {
    unit: 'ms',
    default: 900,
    range: [40, 30_000],
    why: 'Leaves a round of probes 150 ms to answer; with a heartbeat of granularity it stays under 1.2 s.',
  },
  suspicion_min_ms: {
    unit: 'ms',
    default: 3_100,
    range: [100, 120_000],
    why: 'How long a suspect that several members accuse has to clear its name. Covers a stop of 3 s with a margin of 1 s.',
  },
  suspicion_max_ms: {
    unit: 'ms',
    default: 6_200,
    range: [100, 240_000],
    why: 'The same when one member alone accuses: more likely it is that one which is wrong.',
  },
  confirmations: {
    unit: 'count',
    default: 3,
    range: [1, 8],
    why: 'Independent accusers, beside the first, that bring suspicion down to its minimum (Lifeguard uses 3).',
  },
  helpers: {
    unit: 'count',
    default: 3,
    range: [1, 8],
    why: 'Members asked to probe a silent one: at 10 % loss a round of direct and indirect probes fails in 1 of 130.',
  },
  probes_per_beat: {
    unit: 'count',
    default: 8,
    range: [1, 64],
    why: 'Silent members probed per heartbeat. Half of 32 members cut off are all probed within two.',
  },
  full_mesh: {
    unit: 'count',
    default: 32,
    range: [3, 256],
    why: 'Up to so many members everyone hears everyone; a household is far below. Above, each hears `degree` others.',
  },
  degree: {
    unit: 'count',
    default: 16,
    range: [4, 128],
    why: 'Neighbours in a large cluster: cost no longer grows, and 16 pairs of ears do not miss the same node.',
  },
  news_per_message: {
    unit: 'count',
    default: 8,
    range: [1, 32],
    why: 'Changes riding on one heartbeat: about 500 bytes. More wait for the next, least told first.',
  },
  retell: {
    unit: 'factor',
    default: 4,
    range: [1, 16],
    why: 'A change is passed on retell · log2(members + 1) times: 40 of 1,000; the digest repairs what is missed.',
  },
  answers_per_beat: {
    unit: 'count',
    default: 128,
    range: [8, 4_096],
    why: 'Messages sent in answer to others per heartbeat. Honest traffic of 32 members at 30 % loss needs about 40.',
  },
  awareness_max: {
    unit: 'count',
    default: 8,
    range: [1, 32],
    why: 'Signs of being unwell that count. At the most the own timeouts are twice as long, so that a death is still told.',
  },
  sync_after_ms: {
    unit: 'ms',
    default: 500,
    range: [20, 60_000],
    why: 'How long a digest may differ before everything known is sent: news normally arrives within two heartbeats.',
  },
  sync_every_ms: {
    unit: 'ms',
    default: 1_000,
    range: [50, 60_000],
    why: 'Between two such exchanges with one member; doubles while they do not help.',
  },
  sync_most_ms: {
    unit: 'ms',
    default: 8_000,
    range: [50, 600_000],
    why: 'The longest it doubles to: a member that always claims to differ costs this little.',
  },
  forget_after_ms: {
    unit: 'ms',
    default: 600_000,
    range: [1_000, 86_400_000],
    why: 'How long a dead or departed member is kept, so that old news of it is recognised, and called out to.',
  },
  damp_at: {
    unit: 'count',
    default: 4,
    range: [1, 64],
    why: 'Falls from alive, halved every half-life, from which on a member counts as unsteady (as RFC 2439 does routes).',
  },
  calm_at: {
    unit: 'count',
    default: 2,
    range: [0, 64],
    why: 'At which it is steady again: with these numbers not before 30 s without a fall.',
  },
  penalty_most: {
    unit: 'count',
    default: 8,
    range: [1, 128],
    why: 'However long it flapped, it is steady 60 s after it stopped.',
  },
  half_life_ms: {
    unit: 'ms',
    default: 30_000,
    range: [100, 3_600_000],
    why: 'What placement waits before it trusts a member again.',
  },
} as const satisfies Readonly<Record<string, Setting>>

export type MembershipConfig = Readonly<Record<keyof typeof SETTINGS, number>>

const KEYS = Object.keys(SETTINGS) as (keyof MembershipConfig)[]

/** Defaults with some values changed. Errors: `InvalidInputError` for a value or a relation out of bounds. */
export function membershipConfig(changes: Partial<MembershipConfig> = {}): MembershipConfig {
  const config = Object.fromEntries(
    KEYS.map((key) => [key, changes[key] ?? SETTINGS[key].default]),
  ) as unknown as MembershipConfig
  for (const key of KEYS) {
    const [least, most] = SETTINGS[key].range
    const value = config[key]
    if (!(value >= least && value <= most)) {
      throw new InvalidInputError(`Membership's ${key} is ${value}; ${least} to ${most} is allowed`)
    }
  }
  for (const [holds, why] of relations(config)) {
    if (!holds) throw new InvalidInputError(`Membership is configured against itself: ${why}`)
  }
  return config
}

const relations = (c: MembershipConfig): readonly (readonly [boolean, string])[] => [
  [c.late_ms < c.heartbeat_ms, 'late_ms is below heartbeat_ms, or sleeping is never noticed'],
  [c.probe_after_ms >= 2 * c.heartbeat_ms, 'probe_after_ms allows for one lost heartbeat'],
  [
    c.suspect_after_ms > c.probe_after_ms + c.heartbeat_ms,
    'suspect_after_ms leaves probes the time to be sent and answered',
  ],
  [c.suspicion_min_ms >= 8 * c.heartbeat_ms, 'suspicion_min_ms leaves a suspect the time to be heard'],
  [c.suspicion_max_ms >= c.suspicion_min_ms, 'suspicion_max_ms is not below suspicion_min_ms'],
  [c.degree % 2 === 0 && c.degree < c.full_mesh, 'degree is even and below full_mesh'],
  [c.answers_per_beat >= 2 * c.full_mesh, 'answers_per_beat is enough for every neighbour twice'],
  [c.sync_most_ms >= c.sync_every_ms, 'sync_most_ms is not below sync_every_ms'],
  [
    c.forget_after_ms > 4 * (c.suspect_after_ms + c.suspicion_max_ms),
    'forget_after_ms outlives every rumour of a death',
  ],
  [c.calm_at < c.damp_at && c.damp_at <= c.penalty_most, 'calm_at < damp_at ≤ penalty_most'],
]

/** The times that say how patient to be; the others are rates. */
const PATIENCE = ['probe_after_ms', 'suspect_after_ms', 'suspicion_min_ms', 'suspicion_max_ms'] as const
const TIMES = KEYS.filter((key) => SETTINGS[key].unit === 'ms')

const scaled = (
  base: MembershipConfig,
  keys: readonly (keyof MembershipConfig)[],
  by: number,
): MembershipConfig =>
  membershipConfig({ ...base, ...Object.fromEntries(keys.map((key) => [key, Math.round(base[key] * by)])) })

const lan = membershipConfig()

export const MEMBERSHIP_PRESETS = {
  lan,
  /** Half again as patient: power saving of Wi-Fi clients holds frames back for up to 300 ms. */
  wifi: scaled(lan, PATIENCE, 1.5),
  /** Five times as fast in everything, for tests with real processes. */
  test: scaled(lan, TIMES, 0.2),
} as const satisfies Readonly<Record<string, MembershipConfig>>

// Limits: nobody's choice, so not configuration.

/** Members known at once, the dead not yet forgotten included. Simulated to 1,000; a house has ten. */
export const MAX_MEMBERS = 2_048
/** Entries of one sync message: about 5 kB, well under a frame. */
export const PAGE_ENTRIES = 64
/** Characters of a node id: a libp2p peer id has 52. */
export const MAX_ID_LENGTH = 64
/** Accusers of one suspect that are remembered; more change nothing. */
export const MAX_ACCUSERS = 9
/** Sequence numbers kept per sender: anything at or below the oldest is refused as replayed or hopelessly late (2 s). */
export const REPLAY_WINDOW = 8
/** How far one piece of hearsay may raise an incarnation, from 0 if the member is new. Only the member itself may raise it further. */
export const HEARSAY_JUMP = 1_024
/** How far a claim about oneself raises one's incarnation, once per heartbeat: a liar needs decades to use them up. */
export const SELF_JUMP = 2 ** 20
