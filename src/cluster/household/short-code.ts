/**
 * What both sides of an enrolment compute from what they said to each other: the six digits people compare, and the keys
 * that seal the rest. After Bluetooth's numeric comparison and ZRTP's short authentication string (RFC 6189, section 4.5).
 *
 * The joiner binds itself to its nonce before it hears the admitter's, and the admitter names its own before it hears the
 * joiner's. So whoever sits in between must settle for one of the two codes before the other is drawn: both are the same
 * with probability 10⁻⁶ per enrolment, whatever it computes, and each try needs a person who approves. Without the
 * commitment it would try nonces until the codes agree, which takes a second.
 */
import { canonical } from './canonical.ts'
import { deriveKeys, hash, hex, seal, unseal } from './crypto.ts'
import { decodeSealed, encodeSealed, type Hello, type Offer, type SealedMessage } from './messages.ts'
import type { Secret } from './secret.ts'

export const CODES = 1_000_000

export const commitmentTo = (nonce: string, node: string, ephemeral: string): string =>
  hex(hash(canonical('loqa enrolment commitment', [nonce, node, ephemeral])))

/** Everything said until the nonces are known, in one hash. */
export function transcriptOf(hello: Hello, offer: Offer, nonce: string): Uint8Array {
  const said = ({ version, node, ephemeral, time, standing }: Hello | Offer) => [
    version,
    node,
    ephemeral,
    time,
    standing === null ? null : [standing.household, standing.movable],
  ]
  return hash(
    canonical('loqa enrolment transcript', [said(hello), hello.commitment, said(offer), offer.nonce, nonce]),
  )
}

/** Six digits. 2⁶⁴ values onto 10⁶: no code is likelier than another by more than 10⁻¹³. */
export function codeOf(transcript: Uint8Array): string {
  const digest = hash(canonical('loqa enrolment code', [transcript]))
  const number = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0) % BigInt(CODES)
  return number.toString().padStart(6, '0')
}

/** What a side signs with its node key: it was part of this very conversation, in this role. */
export const proofOf = (role: 'joiner' | 'admitter', transcript: Uint8Array): Uint8Array =>
  canonical(`loqa enrolment proof of ${role}`, [transcript])

/** One direction of the sealed conversation. Boxes open in order, each once. */
export interface Lane {
  readonly key: Secret
  readonly count: number
  readonly bound: Uint8Array
}

export function lanesOf(shared: Secret, transcript: Uint8Array): { to_admitter: Lane; to_joiner: Lane } {
  const [to_admitter, to_joiner] = deriveKeys(shared, transcript, 'loqa enrolment lanes', 2)
  const lane = (key: Secret): Lane => ({ key, count: 0, bound: transcript })
  return { to_admitter: lane(to_admitter!), to_joiner: lane(to_joiner!) }
}

const advanced = (lane: Lane): Lane => ({ ...lane, count: lane.count + 1 })

export function sealOn(lane: Lane, message: SealedMessage): { readonly lane: Lane; readonly box: string } {
  return { lane: advanced(lane), box: seal(lane.key, lane.count, lane.bound, encodeSealed(message)) }
}

/** Undefined when it is not the next box of this lane: replayed, reordered, changed, or sealed by another. */
export function unsealOn(
  lane: Lane,
  box: string,
): { readonly lane: Lane; readonly message: SealedMessage } | undefined {
  const plain = unseal(lane.key, lane.count, lane.bound, box)
  const message = plain === undefined ? undefined : decodeSealed(plain)
  return message === undefined ? undefined : { lane: advanced(lane), message }
}
