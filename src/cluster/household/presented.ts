/**
 * Whether a peer is let in: it shows a certificate over a connection whose noise handshake proved its node id. The
 * questions are asked in an order in which each refusal is the most useful thing to say.
 */
import type { NodeId, Wall } from '../../host/index.ts'
import { certificateOf, counts, isRevoked, standings } from './authority.ts'
import { SKEW_MS, TERM_MS } from './bounds.ts'
import { ClockWrongError, duration, HouseholdError } from './errors.ts'
import { type Certificate, isSigned } from './records.ts'
import type { Roster } from './tables.ts'

export interface Presented {
  readonly certificate: Certificate
  /** Whom the handshake proved. */
  readonly presenter: NodeId
  /** What the peer's clock says, when it told. */
  readonly their_time?: Wall
}

export type Admittance =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly error: HouseholdError | ClockWrongError }

export function admittance(roster: Roster, presented: Presented, now: Wall): Admittance {
  const error = refusal(roster, presented, now)
  return error === undefined ? { admitted: true } : { admitted: false, error }
}

function refusal(
  roster: Roster,
  { certificate, presenter, their_time }: Presented,
  now: Wall,
): HouseholdError | ClockWrongError | undefined {
  const { node } = certificate.card
  // Removal comes first: whatever else it shows, it is out.
  if (isRevoked(roster, presenter))
    return new HouseholdError('member-revoked', 'this node was removed from the household')
  if (node !== presenter) {
    return new HouseholdError('certificate-not-yours', `${presenter} shows the certificate of ${node}`)
  }
  if (certificate.household !== roster.household) {
    return new HouseholdError('other-household', `${node} belongs to household ${certificate.household}`)
  }
  if (!isSigned(certificate))
    return new HouseholdError('certificate-forged', `the certificate of ${node} is forged`)
  if (!standings(roster).ever.has(certificate.by)) {
    return new HouseholdError(
      'issuer-unknown',
      `the certificate of ${node} was signed by the unknown ${certificate.by}`,
      {
        retryable: true,
      },
    )
  }
  if (!counts(roster, certificate)) {
    return new HouseholdError(
      'issuer-revoked',
      `the certificate of ${node} was signed by ${certificate.by}, which was removed`,
    )
  }
  return untimely(certificate, now, their_time) ?? superseded(roster, certificate)
}

/** What is wrong with a certificate's time, given that its clock and ours may differ by SKEW_MS. */
export function untimely(
  { at, expires, card }: Certificate,
  now: Wall,
  their_time?: Wall,
): HouseholdError | ClockWrongError | undefined {
  if (expires - at > TERM_MS) {
    return new HouseholdError(
      'certificate-malformed',
      `the certificate of ${card.node} claims ${duration(expires - at)}`,
    )
  }
  const skew = their_time === undefined ? undefined : clockFault(now, their_time)
  if (skew !== undefined) return skew
  // Signed later than now: when both clocks here agree, the issuer's was ahead.
  if (at - now > SKEW_MS) {
    return their_time === undefined
      ? new ClockWrongError('your', now - at)
      : new ClockWrongError("its issuer's", at - now)
  }
  if (now - expires > SKEW_MS) {
    return new HouseholdError(
      'certificate-expired',
      `the certificate of ${card.node} expired ${duration(now - expires)} ago`,
    )
  }
  return undefined
}

/** Says to the one who told `theirs` that its clock differs too much from ours; it cannot be known which one is right. */
export function clockFault(ours: Wall, theirs: Wall): ClockWrongError | undefined {
  const off = theirs - ours
  return Math.abs(off) > SKEW_MS ? new ClockWrongError('your', off) : undefined
}

/** Rights once narrowed stay narrowed: an older certificate with other limits is a replay. */
function superseded(roster: Roster, shown: Certificate): HouseholdError | undefined {
  const held = certificateOf(roster, shown.card.node)
  if (held === undefined || shown.at >= held.at) return undefined
  const same = shown.limits.join(' ') === held.limits.join(' ')
  return same
    ? undefined
    : new HouseholdError(
        'certificate-superseded',
        `${shown.card.node} shows an older certificate with other limits`,
      )
}

/** Whether a node may offer a capability: `mic:*` allows `mic:kitchen`. */
export const allows = ({ limits }: Certificate, tag: string): boolean =>
  limits.some((limit) => (limit.endsWith('*') ? tag.startsWith(limit.slice(0, -1)) : tag === limit))
