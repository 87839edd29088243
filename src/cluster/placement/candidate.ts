/** A node as it is looked at for placing an actor: what it says of itself, and what is known of the way there. */
import type { NodeId } from '../../host/index.ts'
import type { Sheet } from '../running/sheets.ts'
import type { Offer } from './placement.ts'

export interface Candidate extends Pick<Offer, 'node' | 'load' | 'rtt_ms' | 'steady'> {
  /** Where it stands. */
  readonly place: string | undefined
  readonly offers: readonly Pick<Offer, 'tag' | 'p95_ms' | 'lag_ms' | 'room' | 'running'>[]
}

/** What is not ready is not offered. When all nodes are to agree, `way` is the same on all: nothing measured by one of them. */
export const candidateOf = (
  node: NodeId,
  { capabilities, room, load }: Pick<Sheet, 'capabilities' | 'room' | 'load'>,
  way: Pick<Candidate, 'rtt_ms' | 'steady'>,
): Candidate => ({
  node,
  load,
  rtt_ms: way.rtt_ms,
  steady: way.steady,
  place: room,
  offers: capabilities.filter(({ ready }) => ready),
})

/** Of models for the same the one with more parameters is better: `llm.llama3:3b` is 3. Unknown is 0. */
export function gradeOf(tag: string): number {
  const billions = /:(\d{1,4}(?:\.\d{1,3})?)b(?::|$)/.exec(tag)
  return billions === null ? 0 : Number(billions[1])
}
