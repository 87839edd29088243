/** The household as it is looked at for placing: who is there, and what each says of itself. */
import type { NodeId } from '../../host/index.ts'
import type { Cluster } from '../running/face.ts'
import type { Sheet } from '../running/sheets.ts'
import { type Candidate, candidateOf } from './candidate.ts'
import type { PlacerInput } from './placer-state.ts'

export type HouseholdView = Pick<Cluster, 'members' | 'sheets' | 'rttOf' | 'sheet'>

/** A node that is alone, or has nothing to say yet. */
const PLAIN: Pick<Sheet, 'capabilities' | 'room' | 'load'> = { capabilities: [], room: 'nowhere', load: null }

export function household(
  self: NodeId,
  cluster: HouseholdView | undefined,
): Omit<Extract<PlacerInput, { type: 'house' }>, 'type'> {
  const present = new Set([self])
  const candidates: Candidate[] = [candidateOf(self, cluster?.sheet ?? PLAIN, { rtt_ms: 0, steady: true })]
  if (cluster === undefined) return { candidates, present }
  const sheets = cluster.sheets()
  for (const { id, standing, repute } of cluster.members()) {
    if (standing.status === 'dead' || standing.status === 'left') continue
    present.add(id)
    const told = sheets.get(id)
    if (standing.status !== 'alive' || told === undefined) continue
    candidates.push(candidateOf(id, told.sheet, { rtt_ms: cluster.rttOf(id), steady: repute.steady }))
  }
  return { candidates, present }
}
