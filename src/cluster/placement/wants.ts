/** What somebody on this node wants to live: nodes are asked one after the other, best seat first, until one has it. Pure. */
import { type ErrorShape, including, type NodeId, withEntry, withoutEntry } from '../../host/index.ts'
import {
  livesOn,
  none,
  type PlacerContext,
  type PlacerState,
  type PlacerStep,
  requirementOf,
  type Want,
} from './placer-state.ts'
import { choose, seats } from './seats.ts'

/** A node that was asked to start an actor answers by then: milliseconds, when it is there. */
export const ASKED_MS = 2_000

export const NEW_WANT: Want = { tried: [], asked: undefined, error: undefined }
export const SILENT: ErrorShape = {
  code: 'unreachable',
  message: 'The node that was asked to start it did not answer',
  retryable: true,
}
const NO_SEAT: ErrorShape = {
  code: 'no-place',
  message: 'No node of the household can run it',
  retryable: true,
}

/** Asks for the best seat that was not tried yet, unless it lives by now. */
export function seek(state: PlacerState, address: string, want: Want, context: PlacerContext): PlacerStep {
  const wants = withEntry(state.wants, address, { ...want, asked: undefined })
  const node = livesOn(state, context.map, address)
  if (node !== undefined) return settled({ ...state, wants }, address, node)
  if (state.starting.has(address)) return none({ ...state, wants })
  const wanted = requirementOf(context.kinds, address)
  const left = state.candidates.filter((candidate) => !want.tried.includes(candidate.node))
  const seat = wanted && choose(seats(wanted, left), state.before.get(address))
  if (seat === undefined) {
    const error = want.error ?? NO_SEAT
    return {
      state: { ...state, wants: withoutEntry(state.wants, address) },
      effects: [{ type: 'unplaced', address, error }],
    }
  }
  if (seat.node === state.self) {
    const starting = including(state.starting, address)
    return { state: { ...state, wants, starting }, effects: [{ type: 'start', address }] }
  }
  const asked = { node: seat.node, until: context.now + ASKED_MS }
  return {
    state: { ...state, wants: withEntry(wants, address, { ...want, asked }) },
    effects: [{ type: 'ask', address, node: seat.node }],
  }
}

/** That node would not start it, or could not. */
export function passOver(
  state: PlacerState,
  address: string,
  node: NodeId,
  error: ErrorShape,
  context: PlacerContext,
): PlacerStep {
  const want = state.wants.get(address)
  if (want === undefined || (want.asked?.node ?? state.self) !== node) return none(state)
  return seek(state, address, { tried: [...want.tried, node], asked: undefined, error }, context)
}

/** Whoever wanted it hears where it lives. */
export function settled(state: PlacerState, address: string, node: NodeId): PlacerStep {
  if (!state.wants.has(address)) return none(state)
  return {
    state: { ...state, wants: withoutEntry(state.wants, address) },
    effects: [{ type: 'placed', address, node }],
  }
}
