/** The number that makes an older copy's writes void. The same order as of claims (`placement/placements.ts`, M2). Pure. */
import type { NodeId } from '../../host/index.ts'

export interface Fence {
  readonly epoch: number
  readonly node: NodeId
}

/** Of two copies the one of the higher epoch counts; of equal ones, made in a partition, that of the smaller node. */
export const outranks = (a: Fence, b: Fence): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : a.node < b.node
