/** The side a move starts from, as data: its phases, what it is told and what it asks for. */
import type { NodeId } from '../../host/index.ts'
import type { Bundle, PackFault } from './bundle.ts'
import type { Fence } from './fence.ts'
import type { MoveMessage, Passed, Refusal } from './messages.ts'

export interface Move {
  readonly address: string
  readonly from: NodeId
  readonly to: NodeId
  /** What the target will hold it under; never offered twice. */
  readonly epoch: number
}

export type Outcome =
  | { readonly how: 'moved' }
  /** It runs here as before. */
  | {
      readonly how: 'aborted'
      readonly why: Refusal | PackFault | 'cannot-freeze' | 'timeout' | 'gone' | 'cancelled' | 'overloaded'
    }
  /** It runs here again, under a new epoch, without the messages that had gone along. */
  | { readonly how: 'taken-back'; readonly why: 'timeout' | 'gone' }
  /** Another copy counts. */
  | { readonly how: 'outranked' }

export type SourceState = { readonly move: Move; readonly kind: string; readonly version: number } & (
  | { readonly phase: 'freezing'; readonly deadline: number; readonly late: readonly Passed[] }
  | {
      readonly phase: 'offering'
      readonly bytes: number
      readonly chunks: readonly Uint8Array<ArrayBuffer>[]
      readonly got: number
      readonly sent: number
      readonly deadline: number
      readonly retry_at: number
      readonly late: readonly Passed[]
    }
  | {
      readonly phase: 'resuming'
      readonly deadline: number
      readonly retry_at: number
      readonly late: readonly Passed[]
    }
  | {
      readonly phase: 'forwarding'
      /** Not acknowledged yet; the first of them has the number `first`. */
      readonly queue: readonly Passed[]
      readonly first: number
      readonly sent: number
      /** Forwarding ends then. */
      readonly until: number
      readonly closing: boolean
      /** When the target last said something. */
      readonly heard_at: number
      readonly retry_at: number
    }
  | { readonly phase: 'ended' }
)
export type In<Phase extends SourceState['phase']> = Extract<SourceState, { phase: Phase }>
export type Told = Extract<Passed, { what: 'told' }>

export type SourceInput =
  /** All that moves, as it is now that nothing handles it. */
  | { readonly type: 'frozen'; readonly bundle: Bundle }
  /** It has children, outside work under way, or is no kind that moves. */
  | { readonly type: 'cannot' }
  | { readonly type: 'heard'; readonly message: MoveMessage }
  /** For the actor, from a node that still looks for it here; or that node's word that it no longer does. */
  | { readonly type: 'arrived'; readonly passed: Passed }
  /** The target died, or is another life of its node. */
  | { readonly type: 'gone' }
  /** The map of placements names this copy. */
  | { readonly type: 'claimed'; readonly fence: Fence }
  | { readonly type: 'cancel' }
  | { readonly type: 'due' }

export type SourceEffect =
  /** After the message it is handling; answer with `frozen` or `cannot`. Its mailbox is left as it is. */
  | { readonly type: 'freeze' }
  | { readonly type: 'say'; readonly message: MoveMessage }
  /** It goes on, and then has these in its mailbox too. `without`: what was in the mailbox when it froze is given up: it may have been handled. */
  | { readonly type: 'thaw'; readonly late: readonly Told[]; readonly without_mailbox: boolean }
  /** Tell the map, under this epoch, that it lives here. */
  | { readonly type: 'claim'; readonly epoch: number }
  /** The copy here is no more, silently: watchers and schedules went along. */
  | { readonly type: 'release' }
  /** These reach nobody. */
  | { readonly type: 'bury'; readonly told: readonly Told[]; readonly why: 'unreachable' | 'overflow' }
  | { readonly type: 'ended'; readonly outcome: Outcome }

export interface SourceStep {
  readonly state: SourceState
  readonly effects: readonly SourceEffect[]
}

export const step = (state: SourceState, ...effects: readonly SourceEffect[]): SourceStep => ({
  state,
  effects,
})

export const ofMove = ({ address, epoch }: Move) => ({ address, epoch })
export const say = (message: MoveMessage): SourceEffect => ({ type: 'say', message })
export const toldOf = (passed: readonly Passed[]): readonly Told[] =>
  passed.filter((each) => each.what === 'told')

export const bury = (passed: readonly Passed[], why: 'unreachable' | 'overflow'): readonly SourceEffect[] => {
  const told = toldOf(passed)
  return told.length === 0 ? [] : [{ type: 'bury', told, why }]
}
