/** How a move went, in words for whoever wanted it. Pure. */
import { LoqaError, type NodeId } from '../../host/index.ts'
import type { MoverEffect } from './mover.ts'
import type { Outcome } from './source-state.ts'

export interface Moved {
  readonly from: NodeId
  readonly to: NodeId
  /** From freezing until the other node ran it: how long nobody handled anything. */
  readonly away_ms: number
}

type Refused = Extract<MoverEffect, { type: 'refused' }>['why']

const REFUSED: Readonly<Record<Refused, string>> = {
  busy: 'it is moving already, or too many move at once',
  'unknown-kind': 'its kind does not move',
  'not-here': 'it does not live here',
}

const ABORTED: Readonly<Record<string, string>> = {
  'cannot-freeze': 'it has something under way that belongs to this node',
  timeout: 'it took too long',
  gone: 'the other node is gone',
  cancelled: 'it was called off',
  overloaded: 'too much was told to it meanwhile',
  'too-large': 'its state is too large',
  unsendable: 'its state is no plain data',
  busy: 'the other node has too many moves at once',
  stale: 'the other node knows a newer copy',
  'unknown-kind': 'the other node does not know its kind',
  version: 'the other node does not understand its state: one of the two is to be updated',
  malformed: 'its state did not arrive whole',
  'unknown-move': 'the other node forgot the move',
}

const HELD: Readonly<Record<string, string>> = {
  busy: 'it is in the middle of something',
  'has-children': 'it has actors of its own',
  unmovable: 'its kind does not move',
  'not-here': 'it does not live here',
}

export const refusedMove = (why: Refused): LoqaError =>
  new LoqaError('not-moved', `It was not moved: ${REFUSED[why]}`, { retryable: why === 'busy' })

/** `held`: why it could not be frozen, if that is where it ended. */
export function abortedMove(
  outcome: Exclude<Outcome, { how: 'moved' }>,
  held: string | undefined,
): LoqaError {
  const why =
    outcome.how === 'outranked'
      ? 'a newer copy lives elsewhere'
      : ((held === undefined ? undefined : HELD[held]) ?? ABORTED[outcome.why] ?? outcome.why)
  const kept = outcome.how === 'outranked' ? '' : '; it goes on where it was'
  return new LoqaError('not-moved', `It was not moved: ${why}${kept}`, { retryable: true })
}
