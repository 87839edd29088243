/** The shape of a roster, apart from how it grows (`roster.ts`) and what it means (`authority.ts`). */
import type { NodeId } from '../../host/index.ts'
import type { Certificate, Charter, HouseholdId, Rotation, Tombstone, Warrant, Window } from './records.ts'

/** By subject, then by signer. Windows and rotations are about the household; their subject is the signer. */
export type Table<T> = ReadonlyMap<NodeId, ReadonlyMap<NodeId, T>>

export interface Roster {
  readonly household: HouseholdId
  readonly charter: Charter
  readonly warrant: Table<Warrant>
  readonly certificate: Table<Certificate>
  readonly tombstone: Table<Tombstone>
  readonly window: Table<Window>
  readonly rotation: Table<Rotation>
}

export function* all<T>(table: Table<T>): Iterable<T> {
  for (const bySigner of table.values()) yield* bySigner.values()
}
