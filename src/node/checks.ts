/** What `loqa doctor` makes of what it found of the clock, the network and the disk. Pure. */

export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}

export const finding = (check: string, ok: boolean, detail: string, fix?: string): Finding =>
  ok || fix === undefined ? { check, ok, detail } : { check, ok, detail, fix }

/** A reminder that is due on another machine comes so much too early or too late, and nobody minds. */
const CLOCK_OFF_MS = 2_000
/** Files are dated a little ahead where clocks are corrected. */
const CLOCK_BACK_MS = 60_000
const KEEP_TIME = 'Let the system keep the time: timedatectl set-ntp true (or ntpd, chrony).'

export interface ClockFacts {
  readonly now: number
  /** When the node's key was written, by this clock; undefined: that is not known. */
  readonly founded: number | undefined
  /** Of connected members: how far theirs is ahead, ms. */
  readonly others: readonly { readonly name: string; readonly ahead_ms: number }[]
}

export function clockFinding({ now, founded, others }: ClockFacts): Finding {
  if (founded !== undefined && founded - now > CLOCK_BACK_MS) {
    const detail = `it says ${new Date(now).toISOString()}, and this node was founded later, at ${new Date(founded).toISOString()}`
    return finding('clock', false, detail, KEEP_TIME)
  }
  const off = others
    .filter(({ ahead_ms }) => Math.abs(ahead_ms) > CLOCK_OFF_MS)
    .map(
      ({ name, ahead_ms }) =>
        `${name}'s is ${(Math.abs(ahead_ms) / 1_000).toFixed(1)} s ${ahead_ms > 0 ? 'ahead of' : 'behind'} this one`,
    )
  const agree =
    others.length === 0 ? new Date(now).toISOString() : `as those of ${others.length} other nodes, within 2 s`
  return finding('clock', off.length === 0, off.length === 0 ? agree : off.join(', '), KEEP_TIME)
}

/** Announcements come every ten seconds at most; three may be lost. */
const HEARD_LATELY_MS = 45_000
const LET_THROUGH =
  'Let UDP 5353 through the firewall (ufw allow 5353/udp), or name one address of another node: loqa-node --peer ADDRESS.'

export function multicastFinding(
  spoken: readonly { readonly network: string; readonly heard_ms: number | null }[] | undefined,
): Finding {
  const check = 'multicast DNS'
  if (spoken === undefined) return finding(check, true, 'switched off (cluster.discovery)')
  if (spoken.length === 0) return finding(check, true, 'no network to speak on')
  const isHeard = (ms: number | null): boolean => ms !== null && ms <= HEARD_LATELY_MS
  const names = (heard: boolean): string =>
    spoken
      .filter(({ heard_ms }) => isHeard(heard_ms) === heard)
      .map(({ network }) => network)
      .join(', ')
  const [works, silent] = [names(true), names(false)]
  if (works === '')
    return finding(check, false, `what this node says on ${silent} is not heard, not even here`, LET_THROUGH)
  return finding(
    check,
    true,
    `heard on ${works}${silent === '' ? '' : `; not on ${silent}, nodes there need --peer`}`,
  )
}

/** A store, its copies and an update need less; below it, writes are about to fail. */
const LEAST_FREE_MB = 500

export function roomFinding(path: string, free: number | undefined): Finding {
  const mb = free === undefined ? Number.POSITIVE_INFINITY : Math.floor(free / 1e6)
  const detail =
    free === undefined ? path : `${path}, ${mb < 10_000 ? `${mb} MB` : `${Math.round(mb / 1_000)} GB`} free`
  return finding(
    'data directory',
    mb >= LEAST_FREE_MB,
    detail,
    'Free some space (loqa models rm removes weights), or move it to a larger disk with --data.',
  )
}
