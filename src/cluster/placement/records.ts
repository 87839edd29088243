/**
 * Claims as they are kept in the household's store, so that they outlive the links over which they are told and the nodes that made them: one
 * record (node, epoch) for each claim of a placed actor that counts. Pure.
 *
 * D1  A node writes records under its own name only, `session/dinner@<node>`: no two write the same entry, so no merge of the store, which
 *     knows nothing of epochs, ever takes an epoch back.
 * D2  Of several records of an actor the one that outranks the others counts, as for claims (`placements.ts`, M2). Who owns it deletes those
 *     it outranks, also of nodes that are gone; so there is one when all is told.
 * D3  What is read of them is a claim like any other: heard, merged, told on. A node that starts knows them before its first link, and no
 *     epoch is given twice, whoever was switched off meanwhile.
 * D4  What ended has no record. Nor has what may be known by no disk; that says who keeps them.
 */
import { z } from 'zod'
import type { EntryChange } from '../../actors/index.ts'
import type { NodeId } from '../../host/index.ts'
import { outranks } from '../migration/fence.ts'
import { type Placement, placementSchema } from './placements.ts'

export const PLACEMENTS = 'placements'

const valueSchema = z.strictObject({ epoch: z.int() })

export const recordKey = (address: string, node: NodeId): string =>
  `${address.slice('loqa:/'.length)}@${node}`

/** Undefined: nobody wrote that. */
export function recordFrom(key: string, value: unknown): (Placement & { readonly node: NodeId }) | undefined {
  const cut = key.lastIndexOf('@')
  const read = valueSchema.safeParse(value)
  if (cut <= 0 || !read.success) return undefined
  const entry = { address: `loqa:/${key.slice(0, cut)}`, node: key.slice(cut + 1), epoch: read.data.epoch }
  const checked = placementSchema.safeParse(entry)
  return checked.success ? (checked.data as Placement & { readonly node: NodeId }) : undefined
}

/** Records of one actor, epochs by node. */
export type Records = ReadonlyMap<NodeId, number>

/**
 * What this node has to write about an actor, by what the map says of it now. `owner`: undefined when it lives nowhere; `kept`: whether
 * it may be known by a disk.
 */
export function recordChanges(
  address: string,
  records: Records,
  { self, owner, kept }: { self: NodeId; owner: Placement | undefined; kept: boolean },
): readonly EntryChange[] {
  const gone = (node: NodeId): EntryChange => ({ change: 'delete', key: recordKey(address, node) })
  // It ended: of records only those are left that were before.
  if (owner === undefined || owner.node === null) {
    return [...records]
      .filter(([, epoch]) => owner !== undefined && epoch < owner.epoch)
      .map(([node]) => gone(node))
  }
  if (owner.node !== self) return []
  const fence = { node: self, epoch: owner.epoch }
  const outranked = [...records].filter(([node, epoch]) => node !== self && outranks(fence, { node, epoch }))
  const changes = outranked.map(([node]) => gone(node))
  if (!kept || records.get(self) === owner.epoch) return changes
  return [{ change: 'put', key: recordKey(address, self), value: { epoch: owner.epoch } }, ...changes]
}
