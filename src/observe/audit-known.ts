/** Which of the checkpoints that somebody brings are what their node signed, and who has them. */
import type { Clock } from '../host/index.ts'
import {
  type Checkpoint,
  type IsSigned,
  isAuthentic,
  type KnownCheckpoint,
  LOCAL_HOLDER,
  MAX_HELD,
  type Shelved,
} from './audit-checkpoint.ts'
import { othersFirst } from './audit-lines.ts'

/** Signatures looked at for one node at a time: its own, its holders', and a good many false ones; 0.3 s of work. */
const MAX_CHECKS = 1_500
/** So many in a row, 1 to 2 ms, then others have their turn. */
const CHECKS_IN_A_ROW = 8

/** What a checkpoint says, whenever it was signed. */
export const nameOf = ({ node, seq, hash }: Checkpoint): string => `${node} ${seq} ${hash}`

export const isOwn = ({ holder, of }: Shelved): boolean => holder === of

/** Each authentic checkpoint once, with all who hold it. What a node says of itself is looked at first. */
export async function authenticOf(
  entries: readonly Shelved[],
  isSigned: IsSigned,
  clock: Clock,
): Promise<readonly KnownCheckpoint[]> {
  const found = new Map<string, { checkpoint: Checkpoint; holders: string[] }>()
  const order = (entry: Shelved): number => (isOwn(entry) || entry.holder === LOCAL_HOLDER ? 0 : 1)
  // A holder keeps few; whoever brings more does so to keep others from being looked at.
  const looked = (entry: Shelved) =>
    order(entry) === 0 ? entry.checkpoints : entry.checkpoints.slice(-MAX_HELD)
  let checks = 0
  for (const entry of entries.toSorted((a, b) => order(a) - order(b))) {
    const { holder } = entry
    for (const checkpoint of looked(entry)) {
      const known = found.get(nameOf(checkpoint))
      if (known?.checkpoint.signature === checkpoint.signature) {
        if (!known.holders.includes(holder)) known.holders.push(holder)
        continue
      }
      if (known !== undefined || checks >= MAX_CHECKS) continue
      checks += 1
      if (isAuthentic(checkpoint, isSigned)) found.set(nameOf(checkpoint), { checkpoint, holders: [holder] })
      if (checks % CHECKS_IN_A_ROW === 0) await othersFirst(clock)
    }
  }
  return [...found.values()]
}
