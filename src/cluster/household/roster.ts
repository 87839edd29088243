/**
 * All records of one household, as a set that only grows: merging in any order, with any duplicates, ends in the same
 * roster. Per kind, subject and signer one record is held, the one of highest rank; so what a thief signs never hides what
 * another member signed. A record is taken up when it is whole: of this household, signed by the one it names, and that one
 * was given a warrant at some time. Whether it still counts is `authority.ts`'s to say.
 *
 * R1 The same records, in any order and number, give the same roster, as long as they fit the bounds.
 * R2 Who was once revoked stays revoked.
 * R3 Nothing is taken up from a signer that never had a warrant, or with a signature that is not its own.
 */
import type { NodeId } from '../../host/index.ts'
import { standings } from './authority.ts'
import { MAX_REVOKED, MAX_SUBJECTS } from './bounds.ts'
import {
  type Charter,
  type HouseholdRecord,
  householdIdOf,
  isSigned,
  recordId,
  subjectOf,
} from './records.ts'
import { all, type Roster, type Table } from './tables.ts'

export type Merged = {
  readonly roster: Roster
  /** What was new: to be told to others. */
  readonly fresh: readonly HouseholdRecord[]
  /** Not taken up: forged, of another household, by somebody unknown, or beyond a bound. */
  readonly refused: number
}

/** Errors: undefined when the charter is not signed by its own root. */
export function emptyRoster(charter: Charter): Roster | undefined {
  if (!isSigned(charter)) return undefined
  return {
    household: householdIdOf(charter.root),
    charter,
    warrant: new Map(),
    certificate: new Map(),
    tombstone: new Map(),
    window: new Map(),
    rotation: new Map(),
  }
}

export function merge(roster: Roster, records: readonly HouseholdRecord[]): Merged {
  let current = roster
  let waiting = records.filter((record) => record.kind !== 'charter')
  let refused = 0
  const fresh: HouseholdRecord[] = []
  // A warrant may stand behind what its holder signed: go round until nothing more fits.
  for (;;) {
    const later: typeof waiting = []
    for (const record of waiting) {
      const next = take(current, record)
      if (next === 'known') continue
      if (next === 'refused') refused += 1
      else if (next === 'unknown-signer') later.push(record)
      else {
        fresh.push(record)
        current = next
      }
    }
    if (later.length === 0 || later.length === waiting.length) {
      return { roster: current, fresh, refused: refused + later.length }
    }
    waiting = later
  }
}

type Signed = Exclude<HouseholdRecord, Charter>

function take(roster: Roster, record: Signed): Roster | 'known' | 'refused' | 'unknown-signer' {
  const subject = subjectOf(record)
  const table: Table<HouseholdRecord> = roster[record.kind]
  const held = table.get(subject)?.get(record.by)
  if (held !== undefined && !outranks(record, held)) return 'known'
  if (record.household !== roster.household || !fits(table, record, subject)) return 'refused'
  if (!standings(roster).ever.has(record.by)) return 'unknown-signer'
  if (!isSigned(record)) return 'refused'
  const bySigner = new Map(table.get(subject)).set(record.by, record)
  return { ...roster, [record.kind]: new Map(table).set(subject, bySigner) }
}

function fits(table: Table<HouseholdRecord>, record: Signed, subject: NodeId): boolean {
  if (table.has(subject)) return true
  return table.size < (record.kind === 'tombstone' ? MAX_REVOKED : MAX_SUBJECTS)
}

/** A total order of records with the same kind, subject and signer: rank, then id. */
function outranks(one: HouseholdRecord, other: HouseholdRecord): boolean {
  const [a, b] = [rankOf(one), rankOf(other)]
  return a === b ? nameOf(one) > nameOf(other) : a > b
}

const nameOf = (record: HouseholdRecord): string => recordId(record) + record.signature

function rankOf(record: HouseholdRecord): number {
  switch (record.kind) {
    case 'window':
      return record.serial
    case 'rotation':
      return record.epoch
    case 'tombstone':
      // Of two words of one member about one node the stricter counts.
      return -(record.keep.length + record.keep_signers.length)
    case 'charter':
      return record.founded
    default:
      return record.at
  }
}

/** Everything, signers before what they signed as far as `merge` needs. */
export function recordsOf(roster: Roster): HouseholdRecord[] {
  const { charter, warrant, tombstone, rotation, window, certificate } = roster
  return [
    charter,
    ...[warrant, tombstone, rotation, window, certificate].flatMap((table) => [
      ...all<HouseholdRecord>(table),
    ]),
  ]
}
