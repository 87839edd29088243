/**
 * What is ever forgotten, and when. Two things would grow for ever: the logs, by every write, and the rows that say a row is deleted
 * (tombstones), which cr-sqlite never collects.
 *
 * **Logs** are bounded by compaction: a writer signs anew what of its log still counts with it (`compactionIsDue`), so a log is at most
 * about twice what is alive of it. A row overwritten by another writer may be left out only while every connected peer has told that it
 * holds all that this node holds (`isSettled`): otherwise the row and the one that overwrote it could be lost together with two machines.
 * The log of a node that is gone stays as its writer left it.
 *
 * **Tombstones** are kept by every node, about 100 bytes each: a household that deletes 200 rows a day keeps 7 MB a year. One may be forgotten
 * (`mayForget`) when it is 90 days old, every member seen within 90 days holds it, and no log holds an earlier life of the row that it
 * keeps down, that of a lost node included. Nothing does so yet: forgetting means writing into cr-sqlite's own tables, and a log whose
 * writer is gone has to be taken over by another member first.
 *
 * **A node absent for up to 90 days** catches up as after a minute: what it lacks is pulled, what it wrote is pulled from it. **After more**
 * others may have forgotten tombstones of rows that it still holds, so it must not bring those back (`afterAbsence`): it takes the next
 * life, drops its replicated rows and logs, pulls all anew, and writes what it had written alone again, into rows that are still alive.
 * It is told so by a peer that was there, never concluded from a clock alone: a house that was shut for a year has nobody to learn from.
 */
import type { NodeId } from '../../host/index.ts'
import { ABSENT_MS, TOMBSTONE_MS } from './bounds.ts'
import { type OriginKey, originKey } from './origin.ts'
import type { SyncState } from './state.ts'

/** Below this a log is not worth signing anew. */
const LEAST_LOG_BYTES = 64 * 1024

/** The log is more than twice what still counts of it. */
export const compactionIsDue = (log_bytes: number, live_bytes: number): boolean =>
  log_bytes > LEAST_LOG_BYTES && log_bytes > 2 * live_bytes

/** Every connected peer, and at least one, has told that it holds all that is held here; or nobody else ever wrote. */
export function isSettled({ self, peers, held }: Pick<SyncState, 'self' | 'peers' | 'held'>): boolean {
  if (peers.size === 0) return [...held.keys()].every((origin) => origin === originKey(self))
  for (const { told } of peers.values()) {
    for (const [origin, { version }] of held) if ((told.get(origin)?.version ?? 0) < version) return false
  }
  return true
}

export interface Tombstone {
  readonly origin: OriginKey
  readonly db_version: number
  /** Of the row: even. */
  readonly cl: number
  /** How long this node has held it, in ms of its own running time: no wall clock can make it old. */
  readonly held_ms: number
}

export interface Remembering {
  /** Per member: how long ago it was last connected to any node, and how far it told to hold the tombstone's log. */
  readonly members: ReadonlyMap<NodeId, { readonly absent_ms: number; readonly version: number }>
  /** The latest life or death of the row in any log held, the tombstone's own left out; 0 when there is none. */
  readonly other_cl: number
}

/** Whether nobody can bring the row back who is not to come back as a new node anyway. */
export function mayForget(tombstone: Tombstone, { members, other_cl }: Remembering): boolean {
  if (tombstone.held_ms < TOMBSTONE_MS || (other_cl > 0 && other_cl < tombstone.cl)) return false
  for (const { absent_ms, version } of members.values()) {
    if (absent_ms <= ABSENT_MS && version < tombstone.db_version) return false
  }
  return true
}

/** How a node that was away has to come back. */
export const afterAbsence = (absent_ms: number): 'catch-up' | 'next-life' =>
  absent_ms <= ABSENT_MS ? 'catch-up' : 'next-life'
