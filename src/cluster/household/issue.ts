/** The records one member signs. Who may, and when, is decided in `household.ts`; here is only how they are filled in. */
import type { NodeId, Wall } from '../../host/index.ts'
import { restingOn, revokedDigest, rotationOf, windowOf } from './authority.ts'
import { MAX_SERIAL, MAX_WINDOW_MS, TERM_MS } from './bounds.ts'
import { keyId } from './keychain.ts'
import {
  type Card,
  type Certificate,
  RECORD_VERSION,
  type Rotation,
  signRecord,
  type Tombstone,
  type Warrant,
  type Window,
} from './records.ts'
import type { Secret } from './secret.ts'
import type { Roster } from './tables.ts'

export interface Signer {
  readonly node: NodeId
  readonly identity: Secret
}

/** May offer anything. */
export const NO_LIMITS: readonly string[] = ['*']

const head = (roster: Roster, by: Signer, at: Wall) =>
  ({ version: RECORD_VERSION, household: roster.household, by: by.node, at: Math.floor(at) }) as const

export function issueCertificate(
  roster: Roster,
  by: Signer,
  card: Card,
  at: Wall,
  limits: readonly string[] = NO_LIMITS,
): Certificate {
  const common = head(roster, by, at)
  return signRecord(by.identity, {
    kind: 'certificate',
    ...common,
    card,
    expires: common.at + TERM_MS,
    limits: [...limits],
  })
}

export const issueWarrant = (roster: Roster, by: Signer, node: NodeId, at: Wall): Warrant =>
  signRecord(by.identity, { kind: 'warrant', ...head(roster, by, at), node })

export const issueTombstone = (roster: Roster, by: Signer, node: NodeId, at: Wall): Tombstone =>
  signRecord(by.identity, { kind: 'tombstone', ...head(roster, by, at), node, ...restingOn(roster, node) })

/** `span_ms` 0 closes. */
export function issueWindow(roster: Roster, by: Signer, at: Wall, span_ms: number): Window {
  const common = head(roster, by, at)
  const until = common.at + Math.min(Math.max(0, Math.floor(span_ms)), MAX_WINDOW_MS)
  return signRecord(by.identity, {
    kind: 'window',
    ...common,
    serial: (windowOf(roster)?.serial ?? 0) + 1,
    until,
  })
}

export function issueRotation(roster: Roster, by: Signer, key: Secret, at: Wall): Rotation {
  return signRecord(by.identity, {
    kind: 'rotation',
    ...head(roster, by, at),
    epoch: after(rotationOf(roster)?.epoch),
    key_id: keyId(key),
    without: revokedDigest(roster),
  })
}

/** Of the first window a household has. */
export const FOUNDING_SERIAL = 1

const after = (serial = FOUNDING_SERIAL - 1): number => Math.min(serial + 1, MAX_SERIAL)
