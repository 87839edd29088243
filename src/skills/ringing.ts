/**
 * Who of the household rings a timer that is due. Every node keeps every timer and works out the same order from what all were
 * told; the first rings at once, each next one a step later if the timer still stands. Who rang forgets the timer, which the others
 * hear of within tens of milliseconds. So there is nobody to ask and nobody to wait for. Pure.
 *
 * R1 While the household is one, a timer rings once. Two nodes that were told different things in that moment (a loudspeaker
 *    just switched on, a node just linked) may both ring, or both wait one step.
 * R2 It rings while any node lives that has it: a node out of use is in nobody's order, one that fails unnoticed costs a step.
 * R3 In a household that is cut in two each side rings, because not at all would be worse. So twice is possible, never is not.
 * R4 It rings where it is heard: a loudspeaker in the room it was asked for, else one where it was set, else any.
 * R5 All nodes that were told the same compute the same order.
 */
import { assert, type NodeId } from '../host/index.ts'

/** A node in use now: this one, or one that is linked and not suspected. */
export interface HouseNode {
  readonly node: NodeId
  /** Rooms in which it has a loudspeaker in reach. */
  readonly speakers: readonly string[]
  /** Linked for so long that it has told all that was set before: what it tells now was set now. */
  readonly steady: boolean
}

export interface RingingTimer {
  readonly name: string
  /** The node that set it, where it is known. */
  readonly by: NodeId | undefined
  /** The room it was asked for in, where it is known. */
  readonly room: string | undefined
}

/**
 * Between one node's turn and the next one's. Longer than a ring takes to be carried out, written and told (50 ms; a busy machine
 * may need ten times as much), and short enough that a ringer nobody knew to be gone costs less than a second.
 */
export const RING_STEP_MS = 600
/** Nodes that were apart are linked again and have told what happened: two seconds, and one for what was missed. */
export const HEAR_AGAIN_MS = 3_000
/** What is promised of a timer whose node died: no later than this. */
export const RING_LATE_MS = 1_000

assert(RING_STEP_MS < RING_LATE_MS, 'a dead ringer must be replaced within what is promised')

/** The nodes in the order in which they ring it. */
export function ringingOrder(timer: RingingTimer, nodes: readonly HouseNode[]): readonly NodeId[] {
  return nodes
    .map((one) => ({ node: one.node, hearing: hearing(timer, one), tie: hash(`${timer.name} ${one.node}`) }))
    .sort(
      (a, b) =>
        a.hearing - b.hearing ||
        setter(timer, a.node) - setter(timer, b.node) ||
        a.tie - b.tie ||
        (a.node < b.node ? -1 : 1),
    )
    .map(({ node }) => node)
}

/** How many nodes go before this one; 0 when it is alone, or not told of yet. */
export const turnOf = (self: NodeId, timer: RingingTimer, nodes: readonly HouseNode[]): number =>
  Math.max(0, ringingOrder(timer, nodes).indexOf(self))

function hearing({ room }: RingingTimer, { speakers }: HouseNode): number {
  if (room !== undefined && speakers.includes(room)) return 0
  return speakers.length > 0 ? 1 : 2
}

const setter = ({ by }: RingingTimer, node: NodeId): number => (by === node ? 0 : 1)

/** FNV-1a, then mixed so that names which differ in their last letter lie apart. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}
