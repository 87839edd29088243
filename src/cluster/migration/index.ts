/**
 * Moving an actor from one node to another while it lives: its state, what waits in its mailbox, its times and its watchers come along.
 * Five steps: freeze, snapshot, offer, accept, resume. Pure machines for the side it leaves (`source.ts`), the side it comes to
 * (`target.ts`), those who send to it (`route.ts`), and all moves of a node (`mover.ts`, read first). What is asked of the runtime, the
 * links and the map of placements they say as effects; `moving.ts` feeds them and `carrying.ts` carries out what they say.
 *
 * It stands here and not beside the actors because a move is a claim: its epoch is one of `placement/placements.ts`, and its two sides
 * are nodes, which actors do not know.
 *
 * G1  Never zero copies after heal: until the target said that it runs it, the source keeps it, and goes on with it when a step fails or
 *     takes too long. Who dies alone with it leaves an orphan, which the placer starts anew (C3); from its state as it
 *     was when it froze, where a target had accepted that (`inherit`).
 * G2  Never two copies in one epoch: an epoch is offered once, to one node; what is taken back gets the next one. Of two copies made by a
 *     partition that of the higher epoch counts, the other ends and its writes are void.
 * G3  No message is handled twice. One is lost only (a) with a node that dies, or a link that is lost while it is on it (A3, A22), (b) that
 *     had gone along in a move taken back, because the target, dead or out of reach, may have handled it; (c) with a copy that does not
 *     count; (d) that comes the old way when that is closed; (e) beyond a bound. All but (a) and (c) are dead letters, counted.
 * G4  Order per pair: what is forwarded and what is sent straight does not overtake. What would come too late for its place is refused.
 * G5  An aborted move leaves the source as if nothing had been: the same copy, epoch, mailbox and times, and behind them what came
 *     meanwhile.
 * G6  Everything is bounded (`bounds.ts`), every wait ends.
 *
 * An actor's times belong to its state: a copy that is void may have rung one, and the copy that counts rings it too.
 */

export { MAX_BUNDLE_BYTES, MAX_LATE, MAX_MOVES } from './bounds.ts'
export { type Bundle, type Parcel, pack, unpack } from './bundle.ts'
export type { MovingOptions } from './carrying.ts'
export { type Fence, outranks } from './fence.ts'
export { decodeMove, encodeMove, type MoveMessage } from './messages.ts'
export {
  type MoverContext,
  type MoverEffect,
  type MoverInput,
  type MoverState,
  type MoverStep,
  mover,
  moverDue,
  moves,
  noMoves,
} from './mover.ts'
export { Moving } from './moving.ts'
export type { Moved } from './outcomes.ts'
export { noRoutes, type Routes, relinked, route } from './route.ts'
export type { Outcome } from './source-state.ts'
export { type Movable, readSnapshot, understands } from './versions.ts'
