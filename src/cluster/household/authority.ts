/**
 * What a roster means: who may sign for the household, who is out, and which signature still counts. A pure function of
 * the set of records, so nodes that hold the same records judge the same.
 *
 * The founder may sign by the charter; whoever holds a warrant of somebody who may sign, may sign. No key stands above the
 * members: the root key signed the charter and is gone. A household survives its founder, and every member can be removed.
 *
 * A1 A revoked node may not sign, is no member, and stays so.
 * A2 What a revoked node signed counts only for those that every tombstone of it keeps.
 * A3 A tombstone counts when its signer had a warrant at any time, even if it was revoked since: otherwise two nodes that
 *    heard of two removals in different order would judge differently for ever. The price: a stolen member can throw
 *    others out until it is cut off itself (they join again under new ids); it can never bring anybody back.
 */
import type { NodeId } from '../../host/index.ts'
import { MAX_DEPTH, MAX_MEMBERS } from './bounds.ts'
import { canonical } from './canonical.ts'
import { hash, hex } from './crypto.ts'
import type { Certificate, HouseholdRecord, Rotation, Tombstone, Window } from './records.ts'
import { all, type Roster, type Table } from './tables.ts'

export interface Standings {
  /** Had a warrant at some time, whatever happened since. */
  readonly ever: ReadonlySet<NodeId>
  /** Reached from the founder by warrants that count; the revoked among them are links, not members. */
  readonly linked: ReadonlySet<NodeId>
}

const known = new WeakMap<Roster, Standings>()

export function standings(roster: Roster): Standings {
  let found = known.get(roster)
  if (found === undefined) {
    found = {
      ever: reach(roster, () => true),
      linked: reach(roster, (by, node) => !isRevoked(roster, by) || isKept(roster, by, node, 'keep_signers')),
    }
    known.set(roster, found)
  }
  return found
}

/** Breadth first from the founder, so that nobody is further away than it must be. */
function reach(roster: Roster, counts: (by: NodeId, node: NodeId) => boolean): Set<NodeId> {
  const reached = new Set<NodeId>([roster.charter.founder])
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const next: NodeId[] = []
    for (const [node, bySigner] of roster.warrant) {
      if (reached.has(node)) continue
      if ([...bySigner.keys()].some((by) => reached.has(by) && counts(by, node))) next.push(node)
    }
    if (next.length === 0) break
    for (const node of next) reached.add(node)
  }
  return reached
}

export const isRevoked = (roster: Roster, node: NodeId): boolean => roster.tombstone.has(node)

function isKept(roster: Roster, by: NodeId, node: NodeId, list: 'keep' | 'keep_signers'): boolean {
  const tombstones: Iterable<Tombstone> = roster.tombstone.get(by)?.values() ?? []
  return [...tombstones].every((tombstone) => tombstone[list].includes(node))
}

/** Everybody who is or once was a member, whatever happened since. */
export const everMembers = (roster: Roster): ReadonlySet<NodeId> =>
  new Set([...standings(roster).ever, ...roster.certificate.keys()])

/** May sign for the household now. */
export const maySign = (roster: Roster, node: NodeId): boolean =>
  !isRevoked(roster, node) && standings(roster).linked.has(node)

/** Whether a certificate, window or rotation that is held counts. */
export function counts(roster: Roster, record: Certificate | Window | Rotation): boolean {
  if (!standings(roster).linked.has(record.by)) return false
  if (!isRevoked(roster, record.by)) return true
  return record.kind === 'certificate' && isKept(roster, record.by, record.card.node, 'keep')
}

/** The certificate that counts and lasts longest; undefined for who has none or was revoked. */
export function certificateOf(roster: Roster, node: NodeId): Certificate | undefined {
  if (isRevoked(roster, node)) return undefined
  return best(roster.certificate.get(node)?.values() ?? [], roster, (record) => record.at)
}

/** Of two words said at once the stricter counts: the window that closes sooner. */
export const windowOf = (roster: Roster): Window | undefined =>
  best(
    all(roster.window),
    roster,
    ({ serial }) => serial,
    ({ until }) => -until,
  )

export const rotationOf = (roster: Roster): Rotation | undefined =>
  best(all(roster.rotation), roster, (record) => record.epoch)

/** Highest rank among those that count; of equals the greater `then`, then signature, so that everybody picks the same. */
function best<T extends Certificate | Window | Rotation>(
  records: Iterable<T>,
  roster: Roster,
  rank: (record: T) => number,
  then: (record: T) => number = () => 0,
): T | undefined {
  let winner: T | undefined
  for (const record of records) {
    if (!counts(roster, record)) continue
    const lead = winner === undefined ? 1 : rank(record) - rank(winner) || then(record) - then(winner)
    if (lead > 0 || (lead === 0 && record.signature > winner!.signature)) winner = record
  }
  return winner
}

/** Members by id: who has a certificate that counts, expired or not. */
export const members = (roster: Roster): NodeId[] =>
  [...roster.certificate.keys()].filter((node) => certificateOf(roster, node) !== undefined).sort()

export const revoked = (roster: Roster): NodeId[] => [...roster.tombstone.keys()].sort()

export const revokedDigest = (roster: Roster): string =>
  hex(hash(canonical('loqa household revoked', [revoked(roster)])))

/** A rotation that counts and knows of everybody who was removed. */
export function isRotationDue(roster: Roster): boolean {
  return rotationOf(roster)?.without !== revokedDigest(roster)
}

/** Whom a tombstone of `node` has to name so that nobody else falls with it: all that rest on it as things stand. */
export function restingOn(roster: Roster, node: NodeId): { keep: NodeId[]; keep_signers: NodeId[] } {
  const signedByIt = (table: Table<HouseholdRecord>): NodeId[] =>
    [...table]
      .filter(([subject, bySigner]) => subject !== node && bySigner.has(node))
      .map(([subject]) => subject)
  const alive = (subject: NodeId): boolean => certificateOf(roster, subject) !== undefined
  const linked = (subject: NodeId): boolean => standings(roster).linked.has(subject)
  const signers = signedByIt(roster.warrant).filter(linked).sort()
  return {
    keep: signedByIt(roster.certificate).filter(alive).sort().slice(0, MAX_MEMBERS),
    // A revoked signer in between is kept as a link: what it signed for others may rest on it. Members first.
    keep_signers: [...signers.filter(alive), ...signers.filter((signer) => !alive(signer))].slice(
      0,
      MAX_MEMBERS,
    ),
  }
}
