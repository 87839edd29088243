/** Why someone is not let in, or a file not believed: one code per condition a person or a caller can act on. */
import { LoqaError } from '../../host/index.ts'

const HINTS = {
  'certificate-malformed': 'The other node runs another version, or is none of ours.',
  'certificate-forged': undefined,
  'certificate-not-yours': 'Somebody shows a certificate that belongs to another node.',
  'certificate-expired': 'Approve the node again: loqa household pending, then loqa household approve.',
  'certificate-superseded': 'The node has a newer certificate with other limits; it will be sent to it.',
  'issuer-unknown': 'The node that signed it is not known here yet; it becomes valid when we hear of it.',
  'issuer-revoked': 'The member that signed it was removed: approve the node again.',
  'member-revoked':
    'To let it in again: loqa household reset on that node, then approve it under its new id.',
  'other-household': 'It belongs to another household. To join this one: loqa household reset on that node.',
  'code-wrong': 'Compare the six digits on both sides; do not approve when they differ.',
  'enrolment-locked': 'Wait until the lock-out ends, then let the node ask again.',
  'enrolment-refused': undefined,
  'enrolment-busy': 'Try again in a moment.',
  'enrolment-other-way': undefined,
  'enrolment-expired': 'Let the node ask again: codes live ten minutes.',
  'enrolment-broken': 'Somebody on the network may be interfering. Try again; compare the codes.',
  'not-member': 'A removed node is reset with loqa household reset.',
  'not-entitled': 'Do it on a node that may admit others: loqa household show.',
  'not-alone': 'To leave a household: loqa household reset, then join the other one under a new id.',
  'household-full': undefined,
} as const

export type HouseholdFault = keyof typeof HINTS

/** Admission or membership refused. `message` never holds keys or codes. */
export class HouseholdError extends LoqaError {
  constructor(code: HouseholdFault, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(code, message, { ...options, hint: HINTS[code] })
  }
}

/** A clock is so far off that nothing signed can be judged. */
export class ClockWrongError extends LoqaError {
  /** How far the clock is off, as far as can be known from here; ms, ahead is positive. */
  readonly off_ms: number

  constructor(whose: 'your' | "its issuer's", off_ms: number) {
    const direction = off_ms > 0 ? 'ahead' : 'behind'
    super('clock-wrong', `${whose} clock is wrong by ${duration(Math.abs(off_ms))} (${direction})`, {
      retryable: true,
      hint: 'Set the clock (timedatectl set-ntp true, or date -s); the rest happens by itself.',
    })
    this.off_ms = off_ms
  }
}

/** The file that holds this node's keys cannot be used. */
export class KeyringError extends LoqaError {
  constructor(
    code: 'keyring-exposed' | 'keyring-damaged' | 'keyring-too-new',
    message: string,
    hint: string,
  ) {
    super(code, message, { hint })
  }
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** The two largest units of a duration: `2 h 10 min`. */
export function duration(ms: number): string {
  const first = UNITS.findIndex(([unit]) => ms >= unit)
  if (first === -1) return `${Math.round(ms)} ms`
  const [unit, name] = UNITS[first]!
  const below = UNITS[first + 1]
  const rest = below === undefined ? 0 : Math.floor((ms % unit) / below[0])
  return `${Math.floor(ms / unit)} ${name}${rest > 0 ? ` ${rest} ${below![1]}` : ''}`
}
