/**
 * What a household hands to a node it lets in, and how that node checks it before it believes a word: the charter, the chain
 * of warrants that makes the admitter one who may sign, who was removed, the node's own certificate, and the current key.
 */
import type { LoqaError, NodeId, Wall } from '../../host/index.ts'
import { certificateOf, maySign, rotationOf } from './authority.ts'
import { HouseholdError } from './errors.ts'
import { keyId } from './keychain.ts'
import { batches, type Welcome } from './messages.ts'
import { untimely } from './presented.ts'
import type { Card, HouseholdId } from './records.ts'
import { emptyRoster, merge, recordsOf } from './roster.ts'
import type { Secret } from './secret.ts'
import type { Roster } from './tables.ts'

export interface Joined {
  readonly roster: Roster
  readonly key: Secret
}

/** The rest of a roster too long for one message follows on the member's stream; what it must not miss comes first. */
export function makeWelcome(roster: Roster, node: NodeId, key: Secret): Welcome {
  const records = recordsOf(roster)
  const own = records.filter((record) => record.kind === 'certificate' && record.card.node === node)
  const first = batches([...new Set([...records.filter(isStructure), ...own, ...records])])[0]!
  return { type: 'welcome', records: first, key }
}

const isStructure = ({ kind }: { readonly kind: string }): boolean =>
  kind !== 'certificate' && kind !== 'tombstone'

export function checkWelcome(
  { records, key }: Welcome,
  { card, admitter, household, now }: { card: Card; admitter: NodeId; household?: HouseholdId; now: Wall },
): Joined | LoqaError {
  const broken = (why: string) => new HouseholdError('enrolment-broken', `the welcome of ${admitter} ${why}`)
  const [charter] = records
  const empty = charter?.kind === 'charter' ? emptyRoster(charter) : undefined
  if (empty === undefined) return broken('does not show how its household began')
  if (household !== undefined && household !== empty.household) {
    return new HouseholdError('other-household', `${admitter} belongs to household ${empty.household}`)
  }
  const { roster } = merge(empty, records)
  if (!maySign(roster, admitter)) return broken('does not show that it may admit anybody')
  const certificate = certificateOf(roster, card.node)
  if (certificate === undefined) return broken('holds no certificate for this node')
  if (certificate.card.sealing_key !== card.sealing_key) return broken('certifies a key that is not ours')
  const fault = untimely(certificate, now)
  if (fault !== undefined) return fault
  if (rotationOf(roster)?.key_id !== keyId(key)) return broken('holds another key than the current one')
  return { roster, key }
}
